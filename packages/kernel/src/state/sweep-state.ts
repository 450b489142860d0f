import type { Transaction } from '../store/store.ts';
import { SESSION_SCOPE } from '../store/tables/state-table.ts';
import { append } from './change-state.ts';
import { STEP } from './limits.ts';

/** Deletes a little of what has expired, and of sessions that are over. It is done when a step says so. */
export function sweepState(transaction: Transaction): { readonly removed: number; readonly isDone: boolean } {
  const expired = transaction.state.purgeExpired(transaction.now, STEP);
  for (const { scope, key, version, sizeBytes } of expired) {
    append(transaction, { name: scope, pid: pidOf(scope) }, 'kernel.state.expired', { key, version, size_bytes: sizeBytes });
  }
  if (expired.length === STEP) return { removed: STEP, isDone: false };
  const [ended] = transaction.state.endedScopes(1);
  if (ended === undefined) return { removed: expired.length, isDone: true };
  return { removed: expired.length + transaction.state.clear(ended, STEP).keys, isDone: false };
}

function pidOf(scope: string): number | undefined {
  return scope.startsWith(SESSION_SCOPE) ? Number(scope.slice(SESSION_SCOPE.length)) : undefined;
}
