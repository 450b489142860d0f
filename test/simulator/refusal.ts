import { PlayedCrash } from '@warren/kernel/testing';
import { isFault } from '@warren/protocol';

/** Faults are answers; a death may take any answer with it. What does several things may meet both. Anything else is a defect. */
export function checkRefusal(error: unknown): void {
  if (error instanceof PlayedCrash) return;
  if (isFault(error) && error.code !== 'internal' && error.code !== 'store_failed') return;
  if (!(error instanceof AggregateError) || error.errors.length === 0) throw error;
  for (const each of error.errors) checkRefusal(each);
}
