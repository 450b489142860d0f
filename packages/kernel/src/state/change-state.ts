/** One value set or deleted, inside a transaction: the row and its event together. */
import { Fault } from '@warren/protocol';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { StateRow } from '../store/tables/state-table.ts';
import { mergeLabels } from '../taint/labels.ts';
import { type By, denied, isOwner, mayRead, mayWrite } from './access.ts';
import type { CheckedOptions, CheckedValue } from './check-state.ts';
import { type CheckedScope, requireOpen } from './scope.ts';
import type { WasSet } from './state.ts';

export type Setting = {
  readonly scope: CheckedScope;
  readonly key: string;
  readonly value: CheckedValue;
  readonly options: CheckedOptions;
  readonly by: By;
};

type Previous = Pick<WasSet, 'previous' | 'previousLabels'>;

export function setValue(transaction: Transaction, { scope, key, value, options, by }: Setting): WasSet {
  requireLive(transaction, scope);
  const found = requireChange(transaction, { scope, key, by, expectedVersion: options.expectedVersion });
  const keep = requireRoom(transaction, scope, key, found, value.bytes);
  const version = transaction.state.lastVersion(scope.name, key) + 1;
  const expiresAt = options.ttlMs === undefined ? undefined : transaction.now + options.ttlMs;
  transaction.state.put(
    {
      ...{ scope: scope.name, key, value: value.value, version, sizeBytes: value.bytes, expiresAt, writer: by ?? '' },
      ...{ createdAt: found?.createdAt ?? transaction.now, updatedAt: transaction.now },
      ...accessOf(found, options, by, key),
      labels: mergeLabels(options.labels),
    },
    keep,
  );
  append(transaction, scope, 'kernel.state.set', { key, version, size_bytes: value.bytes, expires_at: expiresAt ?? null, by: by ?? null });
  return { version, previousVersion: found?.version ?? 0, ...readable(found, by) };
}

export type Deleting = {
  readonly scope: CheckedScope;
  readonly key: string;
  readonly expectedVersion: number | undefined;
  readonly by: By;
};

export function deleteValue(transaction: Transaction, deleting: Deleting): { readonly isDeleted: boolean } & Previous {
  const { scope, key, by } = deleting;
  requireLive(transaction, scope);
  const found = requireChange(transaction, deleting);
  if (found === undefined) return { isDeleted: false, previous: undefined };
  const version = found.version + 1;
  transaction.state.delete(scope.name, key, { version, at: transaction.now, writer: by ?? '' }, scope.keep);
  append(transaction, scope, 'kernel.state.deleted', { key, version, size_bytes: found.sizeBytes, by: by ?? null });
  return { isDeleted: true, ...readable(found, by) };
}

export function append(
  transaction: Transaction,
  { name, pid }: Pick<CheckedScope, 'name' | 'pid'>,
  kind: string,
  payload: Record<string, string | number | null>,
): void {
  transaction.events.append({ pid, kind, payload: { scope: name, ...payload } });
}

function requireLive({ processes }: ReadTransaction, { pid }: CheckedScope): void {
  if (pid === undefined) return;
  const process = processes.find(pid);
  if (process === undefined)
    throw new Fault('unknown_pid', `Cannot change the state of process ${pid}: it does not exist`, { details: { pid } });
  if (process.state !== 'DEAD') return;
  throw new Fault('illegal_transition', `Cannot change the state of process ${pid}: it is DEAD`, {
    details: { pid, prev_state: 'DEAD', target_state: null },
  });
}

/** Who may not write is told nothing of what is there. Returns what is. */
function requireChange(transaction: ReadTransaction, { scope, key, expectedVersion, by }: Deleting): StateRow | undefined {
  requireOpen(transaction, scope, by);
  const found = transaction.state.find(scope.name, key);
  if (found !== undefined && !mayWrite(found, by))
    throw denied(`change "${key}" as "${by}"`, `it is of "${found.owner}", who does not let them`);
  const actual = found?.version ?? 0;
  if (expectedVersion === undefined || expectedVersion === actual) return found;
  throw new Fault('conflict', `Cannot change "${key}": it has version ${actual}, expected was ${expectedVersion}`, {
    details: { key, expected_version: expectedVersion, actual_version: actual },
  });
}

/** Returns how many earlier versions there is room for: where room is short, values come before the history of the key that is set. */
function requireRoom({ state }: ReadTransaction, scope: CheckedScope, key: string, found: StateRow | undefined, bytes: number): number {
  const size = state.size(scope.name);
  if (found === undefined && size.keys >= scope.keysMax) throw exceeded(scope, key, 'state_keys', size.keys, scope.keysMax);
  if (size.bytes + bytes <= scope.bytesMax) return scope.keep;
  const earlier = state.versionSizes(scope.name, key);
  let used = size.bytes - earlier.reduce((sum, each) => sum + each, 0) + bytes;
  if (used > scope.bytesMax) throw exceeded(scope, key, 'state_bytes', size.bytes, scope.bytesMax);
  let keep = 0;
  for (const each of earlier) {
    used += each;
    if (keep === scope.keep || used > scope.bytesMax) break;
    keep++;
  }
  return keep;
}

function exceeded({ name, pid }: CheckedScope, key: string, dim: string, used: number, limit: number): Fault {
  return new Fault('quota_exceeded', `Cannot set "${key}": ${name} has ${used} of ${limit} ${dim === 'state_keys' ? 'keys' : 'bytes'}`, {
    details: { pid: pid ?? null, dim, used, hard_limit: limit },
  });
}

function accessOf(
  found: StateRow | undefined,
  { access }: CheckedOptions,
  by: By,
  key: string,
): Pick<StateRow, 'owner' | 'readers' | 'writers'> {
  const owner = found?.owner ?? by ?? '';
  if (access === undefined) return { owner, readers: found?.readers, writers: found?.writers };
  if (found !== undefined && !isOwner(owner, by)) throw denied(`change who may use "${key}" as "${by}"`, `it is of "${owner}"`);
  return { owner, readers: access.read, writers: access.write };
}

/** Who may write need not be one who may read. */
function readable(found: StateRow | undefined, by: By): Previous {
  if (found === undefined || !mayRead(found, by)) return { previous: undefined };
  return { previous: found.value, ...(found.labels !== undefined && { previousLabels: found.labels }) };
}
