/** How many of something are done in a second when `callers` ask for the next as soon as they have the last. */
export async function ratePerSecond(
  count: number,
  callers: number,
  task: (index: number, caller: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let index = next++; index < count; index = next++) await task(index, caller);
    }),
  );
  return (count * 1_000) / (performance.now() - startedAt);
}
