/** Requests that wait, and how they end. */
import type { Random } from '@warren/kernel/testing';
import type { Notes } from './notes.ts';

const ABORT_MS_MAX = 5;

/** Mostly never; else as soon as it was asked for, or a little later. */
export function abortSoon(random: Random): AbortSignal {
  const controller = new AbortController();
  const giveUp = () => controller.abort();
  const when = random.pick(['never', 'never', 'never', 'never', 'at once', 'later'] as const);
  if (when === 'at once') queueMicrotask(giveUp);
  if (when === 'later') setTimeout(giveUp, random.below(ABORT_MS_MAX));
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
