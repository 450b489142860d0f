/** Grants: each operation one transaction, the rows and their events in it together. */
import { Fault } from '@warren/protocol';
import type { ReadTransaction, Transaction, WorkspaceStore } from '../store/store.ts';
import type { GrantRow } from '../store/tables/grant-table.ts';
import { giveGrants } from './give-grants.ts';
import { firstExcess, NO_GRANTS, parseGrantSet } from './grant-set.ts';
import type { Grants } from './grants.ts';
import { heldGrants, isGranted } from './held-grants.ts';
import type { Question } from './question.ts';
import { shrinkGrants } from './shrink-grants.ts';

export type GrantParts = { readonly store: WorkspaceStore };

export function createGrants({ store }: GrantParts): Grants {
  const check = (pid: number, question: Question) => store.read((transaction) => isGranted(transaction, pid, question));
  return {
    async create(pid, request) {
      const grants = parseGrantSet(request);
      return await store.write((transaction) => giveGrants(transaction, pid, grants, 'kernel.grant.created'));
    },

    async derive(parentPid, childPid, request) {
      const grants = parseGrantSet(request);
      return await store.write((transaction) => {
        requireBelow(transaction, parentPid, childPid);
        requireHeld(transaction, parentPid);
        return giveGrants(transaction, childPid, grants, 'kernel.grant.derived');
      });
    },

    get: (pid) => store.read((transaction) => requireHeld(transaction, pid)),

    find: (pid) => store.read((transaction) => heldGrants(transaction, pid)),

    async narrow(pid, request) {
      const grants = parseGrantSet(request);
      return await store.write((transaction) => {
        const held = requireHeld(transaction, pid);
        const field = firstExcess(held, grants);
        if (field !== undefined) {
          throw new Fault('grant_exceeds_parent', `Cannot narrow the grants of process ${pid}: ${field} goes beyond what it holds`, {
            details: { field },
          });
        }
        const narrowed = shrinkGrants(transaction, held, grants, 'kernel.grant.narrowed');
        return { record: requireHeld(transaction, pid), narrowed };
      });
    },

    async revoke(pid) {
      return await store.write((transaction) => {
        requireProcess(transaction, pid);
        const held = heldGrants(transaction, pid);
        return { revoked: held === undefined ? [] : shrinkGrants(transaction, held, NO_GRANTS, 'kernel.grant.revoked') };
      });
    },

    checkTool: (pid, tool) => check(pid, { kind: 'tool', tool }),
    checkModel: (pid, model) => check(pid, { kind: 'model', model }),
    checkHost: (pid, host, port) => check(pid, { kind: 'host', host, port }),
    checkPath: (pid, path, mode) => check(pid, { kind: 'path', path, mode }),
  };
}

function requireHeld(transaction: ReadTransaction, pid: number): GrantRow {
  const held = heldGrants(transaction, pid);
  if (held === undefined) throw new Fault('grant_not_found', `Cannot find grants of process ${pid}: it holds none`, { details: { pid } });
  return held;
}

function requireProcess(transaction: ReadTransaction, pid: number): void {
  if (transaction.processes.find(pid) === undefined) {
    throw new Fault('unknown_pid', `Cannot find process ${pid}: it does not exist`, { details: { pid } });
  }
}

function requireBelow(transaction: Transaction, parentPid: number, childPid: number): void {
  requireProcess(transaction, parentPid);
  requireProcess(transaction, childPid);
  if (childPid !== parentPid && transaction.processes.ancestry(childPid).includes(parentPid)) return;
  throw new Fault('grant_invalid', `Cannot derive grants for process ${childPid}: it is not below process ${parentPid}`, {
    details: { field: 'child_pid' },
  });
}
