/** Requests that wait, and how they end. */
import type { Random } from '@warren/kernel/testing';
import type { Notes } from './notes.ts';

const ABORT_MS_MAX = 12;

/** Mostly never; else soon, maybe in the middle of what is asked. */
export function abortSoon(random: Random): AbortSignal {
  const controller = new AbortController();
  if (random.chance(0.3)) setTimeout(() => controller.abort(), random.below(ABORT_MS_MAX));
  return controller.signal;
}

/** While this is waited for, `isThere` may be asked whether what is waited for is there. */
export async function whileWaiting<T>(notes: Notes, what: string, isThere: () => Promise<boolean>, waiting: Promise<T>): Promise<T> {
  const entry = { what, isThere };
  notes.waiting.add(entry);
  try {
    return await waiting;
  } finally {
    notes.waiting.delete(entry);
  }
}
