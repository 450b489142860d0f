/** Runs `count` tasks, `width` at a time; after the first that fails no other is begun, and when all have ended, its error is thrown. */
export async function atOnce<T>(count: number, width: number, task: (index: number, worker: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = new Array(count);
  let next = 0;
  let hasFailed = false;
  const work = async (worker: number): Promise<void> => {
    while (next < count && !hasFailed) {
      const index = next;
      next += 1;
      try {
        results[index] = await task(index, worker);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(width, count) }, (_, worker) => work(worker)));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}
