import { setTimeout as sleep } from 'node:timers/promises';

export type SustainOptions = {
  readonly perSecond: number;
  readonly forMs: number;
  /** What falls behind is not made up for beyond this: then less is done than was asked for, and it shows. */
  readonly inFlightMax: number;
  /** Asked for once a second. */
  readonly memory: () => number;
  readonly signal: AbortSignal;
};

export type Sustained = { readonly done: number; readonly failed: number; readonly memoryMiB: readonly number[] };

const TICK_MS = 5;

/** Begins calls at a steady rate, whatever became of those before. A call that fails is counted and does not end it. */
export async function sustain(
  call: (caller: number) => Promise<void>,
  { perSecond, forMs, inFlightMax, memory, signal }: SustainOptions,
): Promise<Sustained> {
  const free = Array.from({ length: inFlightMax }, (_, caller) => caller);
  const underWay = new Set<Promise<void>>();
  const memoryMiB: number[] = [];
  let [begun, done, failed] = [0, 0, 0];
  const startedAt = performance.now();
  const begin = (caller: number): void => {
    const one = call(caller)
      .then(
        () => (done += 1),
        () => (failed += 1),
      )
      .then(() => {
        free.push(caller);
        underWay.delete(one);
        beginDue(); // A daemon that was held up must not wait for a tick of ours as well.
      });
    underWay.add(one);
  };
  const beginDue = (): void => {
    const elapsedMs = performance.now() - startedAt;
    const due = elapsedMs < forMs && !signal.aborted ? Math.floor((elapsedMs * perSecond) / 1_000) : 0;
    for (; begun < due && free.length > 0; begun++) begin(free.shift() ?? 0);
  };
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = performance.now() - startedAt) {
    beginDue();
    if (elapsedMs >= memoryMiB.length * 1_000) memoryMiB.push(memory());
    await sleep(TICK_MS, undefined, { signal });
  }
  await Promise.all(underWay);
  return { done, failed, memoryMiB };
}
