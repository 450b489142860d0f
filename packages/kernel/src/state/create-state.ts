/** State of one workspace: each change one transaction, the row and its event in it together. */
import { clamp } from '../internal/page.ts';
import type { ReadTransaction, WorkspaceStore } from '../store/store.ts';
import type { StateHead, StateRow } from '../store/tables/state-table.ts';
import { type By, denied, mayRead } from './access.ts';
import { append, deleteValue, setValue } from './change-state.ts';
import { checkBy, checkKey, checkOptions, checkPrefix, checkValue } from './check-state.ts';
import { QUOTAS_DEFAULT, STEP, type StateQuotas, VERSIONS_MAX } from './limits.ts';
import { type CheckedScope, checkScope, isOpenTo, isOver, requireOpen } from './scope.ts';
import type { State, StateEntry } from './state.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

export type StateParts = { readonly store: WorkspaceStore; readonly quotas?: StateQuotas | undefined };

export function createState({ store, quotas = QUOTAS_DEFAULT }: StateParts): State {
  return {
    async get(scope, key, options = {}) {
      const where = checkScope(scope, quotas);
      checkKey(key);
      checkBy(options.by);
      return await store.read((transaction) => getEntry(transaction, where, key, options));
    },

    async set(scope, key, value, options = {}) {
      const where = checkScope(scope, quotas);
      const setting = {
        scope: where,
        key: checkKey(key),
        options: checkOptions(options, where.isShared),
        value: checkValue(value),
        by: checkBy(options.by),
      };
      return await store.write((transaction) => setValue(transaction, setting));
    },

    async delete(scope, key, { expectedVersion, by } = {}) {
      const where = checkScope(scope, quotas);
      checkOptions({ expectedVersion }, where.isShared);
      const deleting = { scope: where, key: checkKey(key), expectedVersion, by: checkBy(by) };
      return await store.write((transaction) => deleteValue(transaction, deleting));
    },

    async list(scope, { prefix = '', after, limit, by } = {}) {
      const where = checkScope(scope, quotas);
      checkBy(by);
      checkPrefix(prefix, 'prefix');
      if (after !== undefined) checkPrefix(after, 'after');
      const page = { prefix, after, limit: clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX) };
      return await store.read((transaction) => {
        requireOpen(transaction, where, by);
        if (isOver(transaction, where)) return { entries: [], next: undefined, totalBytes: 0, count: 0 };
        const isFiltered = where.isShared && by !== undefined;
        const accepts = isFiltered ? (head: StateHead) => mayRead(head, by) : undefined;
        const { rows, isWhole } = transaction.state.list(where.name, { ...page, accepts });
        const entries = rows.map(toEntry);
        const size = isFiltered ? sizeOf(entries) : transaction.state.size(where.name);
        return { entries, next: isWhole ? undefined : rows.at(-1)?.key, totalBytes: size.bytes, count: size.keys };
      });
    },

    async history(scope, key, limit) {
      const where = checkScope(scope, quotas);
      checkKey(key);
      const most = clamp(limit, VERSIONS_MAX, 1, VERSIONS_MAX);
      return await store.read((transaction) => {
        if (isOver(transaction, where)) return [];
        return transaction.state
          .versions(where.name, key, most)
          .map(({ version, value, at, writer, labels }) => ({ version, value, isDeletion: value === undefined, at, by: writer, labels }));
      });
    },

    async clear(scope, { by } = {}) {
      const where = checkScope(scope, quotas);
      checkBy(by);
      if (where.isShared && by !== undefined) throw denied(`clear shared state as "${by}"`, 'only operators do');
      let cleared = 0;
      for (let after: string | undefined; ; ) {
        const { keys, last } = await store.write((transaction) => {
          requireOpen(transaction, where, by);
          if (isOver(transaction, where)) return { keys: 0, last: undefined };
          const step = transaction.state.clear(where.name, STEP, after);
          if (step.keys > 0) append(transaction, where, 'kernel.state.cleared', { keys: step.keys, by: by ?? null });
          return step;
        });
        cleared += keys;
        if (last === undefined) return cleared;
        after = last;
      }
    },

    async quota(scope) {
      const where = checkScope(scope, quotas);
      return await store.read((transaction) => {
        const { bytes, keys } = isOver(transaction, where) ? { bytes: 0, keys: 0 } : transaction.state.size(where.name);
        return { usedBytes: bytes, limitBytes: where.bytesMax, keys };
      });
    },
  };
}

/** Of these alone: what one may not see leaves no trace in sums either. */
function sizeOf(entries: readonly StateEntry[]): { readonly bytes: number; readonly keys: number } {
  return { bytes: entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), keys: entries.length };
}

function getEntry(
  transaction: ReadTransaction,
  scope: CheckedScope,
  key: string,
  { version, by }: { readonly version?: number | undefined; readonly by?: By },
): StateEntry | undefined {
  if (!isOpenTo(transaction, scope, by) || isOver(transaction, scope)) return undefined;
  const row = transaction.state.find(scope.name, key);
  if (row !== undefined && !mayRead(row, by)) return undefined;
  if (version === undefined || version === row?.version) return row === undefined ? undefined : toEntry(row);
  if (!Number.isSafeInteger(version)) return undefined;
  const then = transaction.state.version(scope.name, key, version);
  if (then?.value === undefined) return undefined;
  return {
    ...{ key, value: then.value, version, sizeBytes: then.sizeBytes, createdAt: row?.createdAt ?? then.at, updatedAt: then.at },
    ...{ expiresAt: undefined, owner: row?.owner ?? then.writer, access: undefined, labels: then.labels },
  };
}

function toEntry({
  key,
  value,
  version,
  sizeBytes,
  createdAt,
  updatedAt,
  expiresAt,
  owner,
  readers,
  writers,
  labels,
}: StateRow): StateEntry {
  const access = readers === undefined || writers === undefined ? undefined : { read: readers, write: writers };
  return { key, value, version, sizeBytes, createdAt, updatedAt, expiresAt, owner, access, labels };
}
