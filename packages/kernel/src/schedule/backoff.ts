/** How long a failed attempt waits for the next. */

const BACKOFF_MS_MAX = 3_600_000;
/** Up to this share is added or taken away, so that what failed together does not come back together. */
const JITTER = 0.1;

/** Doubles with each attempt. The jitter comes from the entry and the attempt: the same question has the same answer. */
export function backoffAfter(entry: { readonly id: number; readonly backoffMs: number }, attempt: number): number {
  const doubled = Math.min(BACKOFF_MS_MAX, entry.backoffMs * 2 ** (attempt - 1));
  return Math.min(BACKOFF_MS_MAX, Math.round(doubled * (1 + JITTER * scatter(entry.id, attempt))));
}

/** Between -1 and 1. Neighbouring ids and attempts land far apart (the finalizer of MurmurHash3). */
function scatter(id: number, attempt: number): number {
  let mixed = Math.imul(id ^ Math.imul(attempt, 0x9e3779b9), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x7fffffff - 1;
}
