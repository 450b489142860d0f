/** Giving a process its grants: once, while it lives, within what its parent holds. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { GrantRow, GrantSet } from '../store/tables/grant-table.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { grantPayload } from './grant-payload.ts';
import { firstExcess, NO_GRANTS } from './grant-set.ts';
import { heldGrants } from './held-grants.ts';

export function giveGrants(
  transaction: Transaction,
  pid: number,
  grants: GrantSet,
  kind: 'kernel.grant.created' | 'kernel.grant.derived',
): GrantRow {
  const parent = parentOf(transaction, requireReceiver(transaction, pid), grants);
  const row = { ...grants, parentGrantId: parent?.grantId, pid, createdAt: transaction.now };
  const given = { ...row, grantId: transaction.grants.insert(row) };
  transaction.events.append({ pid, kind, payload: grantPayload(given) });
  return given;
}

function requireReceiver(transaction: Transaction, pid: number): ProcessRow {
  const process = transaction.processes.find(pid);
  if (process === undefined)
    throw new Fault('unknown_pid', `Cannot give grants to process ${pid}: it does not exist`, { details: { pid } });
  if (process.state === 'DEAD') {
    throw new Fault('grant_invalid', `Cannot give grants to process ${pid}: it is DEAD`, { details: { field: 'pid' } });
  }
  if (transaction.grants.find(pid) !== undefined) {
    throw new Fault('grant_exists', `Cannot give grants to process ${pid}: it has been given its grants`, { details: { pid } });
  }
  return process;
}

/** The grant these have to be within, and are. Undefined for a process without parent, and below one that holds nothing. */
function parentOf(transaction: Transaction, { pid, parentPid }: ProcessRow, grants: GrantSet): GrantRow | undefined {
  if (parentPid === undefined) return undefined;
  const parent = heldGrants(transaction, parentPid);
  const field = firstExcess(parent ?? NO_GRANTS, grants);
  if (field !== undefined) {
    const held = parent === undefined ? 'which holds nothing' : 'which holds less';
    throw new Fault('grant_exceeds_parent', `Cannot give grants to process ${pid}: ${field} goes beyond its parent ${parentPid}, ${held}`, {
      details: { field },
    });
  }
  return parent;
}
