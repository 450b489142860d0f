/** How far a call is, to who asked for it over a connection that takes messages by itself. */
import type { CallRequest } from '@warren/kernel';
import type { CallerName } from './handler.ts';

const PROGRESS_MS = 100;

/** Undefined where nobody asked, or nobody could be told. What comes faster than ten times a second is left out. */
export function progressTo({ notify }: Pick<CallerName, 'notify'>, token: string | number | undefined): CallRequest['onProgress'] {
  if (notify === undefined || token === undefined) return undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (message, share) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    notify('call.progress', { progress_token: token, message, share: share ?? null });
  };
}
