/** Priority with ageing as a number that does not change while an entry waits: the smaller, the sooner. */

/** Waiting this long is worth one of priority. */
const AGEING_MS = 60_000;

/** An entry ages from when it could first run. */
export function rankOf(priority: number, runnableAt: number, createdAt: number): number {
  return Math.max(runnableAt, createdAt) - priority * AGEING_MS;
}
