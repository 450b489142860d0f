import type { Transaction } from '../store/store.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';

/**
 * A process that ended holds nothing. What its children hold stays theirs and is from now on bounded by the grant above: ending a process in
 * the middle does not put those below out of reach of a revocation, also if they were detached. `eventId` is the event of the end.
 */
export function endGrants(transaction: Transaction, { pid }: ProcessRow, eventId: number): void {
  const row = transaction.grants.find(pid);
  if (row === undefined) return;
  transaction.grants.delete(pid);
  const payload = { grant_id: row.grantId, reason: 'process_ended' };
  transaction.events.append({ pid, kind: 'kernel.grant.revoked', payload, causationId: eventId });
}
