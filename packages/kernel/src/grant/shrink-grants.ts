import type { Transaction } from '../store/store.ts';
import type { GrantRow, GrantSet } from '../store/tables/grant-table.ts';
import { grantPayload } from './grant-payload.ts';
import { firstExcess, meetGrantSets } from './grant-set.ts';

type Step = { readonly row: GrantRow; readonly bound: GrantSet; readonly causationId: number | undefined };

/**
 * Leaves a process what is also in `bound`, and everything below it what is left above it. Returns those that lost something, parents before
 * children. Where nothing is lost nothing below is, because a grant is always within the one above it.
 */
export function shrinkGrants(
  transaction: Transaction,
  root: GrantRow,
  bound: GrantSet,
  kind: 'kernel.grant.narrowed' | 'kernel.grant.revoked',
): readonly number[] {
  const shrunk: number[] = [];
  const steps: Step[] = [{ row: root, bound, causationId: undefined }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { row, causationId } = step;
    if (firstExcess(step.bound, row) === undefined) continue;
    const left = meetGrantSets(row, step.bound);
    transaction.grants.update(row.pid, left);
    const eventId = transaction.events.append({ pid: row.pid, kind, payload: grantPayload({ ...row, ...left }), causationId });
    shrunk.push(row.pid);
    const below = transaction.grants.children(row.grantId);
    steps.push(...below.toReversed().map((child) => ({ row: child, bound: left, causationId: eventId })));
  }
  return shrunk;
}
