/** The registry of names: each operation one transaction, the row and its event in it together. */
import { Fault } from '@warren/protocol';
import { clampPage, PAGE_MAX } from '../internal/page.ts';
import type { Transaction, WorkspaceStore } from '../store/store.ts';
import type { NameRow } from '../store/tables/name-table.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { type CheckedName, checkName } from './check-name.ts';
import type { Names } from './names.ts';

/** Of one process. Fits one page, so that all of them are found at once when it ends. */
const NAMES_MAX = 1_000;

export function createNames({ store }: { readonly store: WorkspaceStore }): Names {
  return {
    async register(name, pid, options = {}) {
      const checked = checkName(name, options);
      return await store.write((transaction) => register(transaction, checked, pid));
    },

    unregister: (name, owner) =>
      store.write((transaction) => {
        const row = transaction.names.find(name);
        if (row === undefined) return false;
        if (owner !== undefined && row.pid !== owner) {
          throw new Fault('permission_denied', `Cannot unregister "${name}" as process ${owner}: it is of process ${row.pid}`, {
            details: { name, pid: row.pid },
          });
        }
        unregister(transaction, row);
        return true;
      }),

    unregisterAll: (pid) => store.write((transaction) => unregisterAll(transaction, pid)),

    async lookup(name) {
      const row = await store.read(({ names }) => names.find(name));
      if (row === undefined) throw new Fault('name_not_found', `Cannot find the name "${name}": nobody has it`, { details: { name } });
      return row;
    },

    list: (filter = {}, page = {}) =>
      store.read(({ names }) => ({ entries: names.list(filter, clampPage(page)), total: names.count(filter) })),
  };
}

function register(transaction: Transaction, { name, tags, metadata }: CheckedName, pid: number): NameRow {
  requireAlive(transaction, name, pid);
  const taken = transaction.names.find(name);
  if (taken !== undefined) {
    throw new Fault('name_taken', `Cannot register "${name}": process ${taken.pid} has it`, { details: { name, pid: taken.pid } });
  }
  const used = transaction.names.count({ pid });
  if (used >= NAMES_MAX) {
    throw new Fault('quota_exceeded', `Cannot register "${name}": process ${pid} has ${used} names, the limit is ${NAMES_MAX}`, {
      details: { pid, dim: 'names', used, hard_limit: NAMES_MAX },
    });
  }
  const row = { name, pid, tags, metadata, registeredAt: transaction.now };
  transaction.names.insert(row);
  transaction.events.append({ pid, kind: 'kernel.name.registered', payload: { name, tags } });
  return row;
}

function requireAlive(transaction: Transaction, name: string, pid: number): void {
  const process = transaction.processes.find(pid);
  if (process === undefined) {
    throw new Fault('unknown_pid', `Cannot register "${name}" for process ${pid}: it does not exist`, { details: { pid } });
  }
  if (process.state !== 'DEAD') return;
  throw new Fault('illegal_transition', `Cannot register "${name}" for process ${pid}: it is DEAD`, {
    details: { pid, prev_state: 'DEAD', target_state: null },
  });
}

function unregister(transaction: Transaction, { name, pid }: NameRow, causationId?: number): void {
  transaction.names.delete(name);
  transaction.events.append({ pid, kind: 'kernel.name.unregistered', payload: { name }, causationId });
}

function unregisterAll(transaction: Transaction, pid: number, causationId?: number): number {
  const rows = transaction.names.list({ pid }, { limit: PAGE_MAX, offset: 0 });
  for (const row of rows) unregister(transaction, row, causationId);
  return rows.length;
}

/** A process that ends has no names any more. */
export function endNames(transaction: Transaction, { pid }: ProcessRow, eventId: number): void {
  unregisterAll(transaction, pid, eventId);
}
