/** What happens to files inside a transaction: the rows, the charge and the event together. */
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import { type BodyRow, type FileMode, type FileRow, type PastVersionRow, SHARED_BYTES_MIN } from '../store/tables/file-table.ts';

/** What it is charged to. */
const WRITE_DIM = 'fs_w_bytes';
/** Past versions deleted along with a write. There are more only after the limit was lowered. */
const PURGE_STEP = 50;

/** What files need of other parts. */
export type FileRules = {
  /** Whether this process may change this path. */
  readonly mayWrite: (transaction: ReadTransaction, pid: number, path: string) => boolean;
  /** The budget so many more would exceed. Undefined: they fit, or there is none. */
  readonly wouldExceed: (
    transaction: ReadTransaction,
    pid: number,
    dim: string,
    amount: number,
  ) => { readonly used: number; readonly granted: number } | undefined;
  readonly chargeInside: (transaction: Transaction, pid: number, amounts: Readonly<Record<string, number>>, causationId: number) => unknown;
};

export type FileLimits = {
  /** Of all bodies of the workspace. */
  readonly bytesMax: number;
  /** Of one path. */
  readonly versionsMax: number;
};

export type WriteRequest = {
  readonly pid: number;
  readonly path: string;
  /** Undefined: as it is, or `rw`. */
  readonly mode: FileMode | undefined;
  readonly metadata: JsonObject;
  readonly ifAbsent: boolean;
  readonly expectedVersion: number | undefined;
};

/** What is to be linked: in memory, in chunks that are on disk already, or of another version. */
export type Content = { readonly size: number; readonly hash: string } & (
  | { readonly kind: 'small'; readonly data: Uint8Array }
  | { readonly kind: 'large'; readonly body: number }
  | { readonly kind: 'kept'; readonly body: number }
);

/** `purged` counts past versions that went; their bodies may be waiting to be swept. */
export type Changed<T> = { readonly value: T; readonly purged: number };

export interface FileChanges {
  /** Throws unless this could be written now; so many bytes, or at least as many. Returns what it would replace. */
  admit(transaction: ReadTransaction, request: WriteRequest, bytes: number): FileRow | undefined;
  write(transaction: Transaction, request: WriteRequest, content: Content, limits: FileLimits): Changed<FileRow>;
  restore(transaction: Transaction, pid: number, path: string, version: number, limits: FileLimits): Changed<FileRow>;
  delete(
    transaction: Transaction,
    path: string,
    options: { readonly writer: number | undefined; readonly expectedVersion: number | undefined },
    limits: FileLimits,
  ): Changed<boolean>;
  /** Whatever rules and modes say. */
  deleteRow(transaction: Transaction, before: FileRow, writer: number | undefined, limits: FileLimits): number;
  setMode(transaction: Transaction, path: string, mode: FileMode): FileRow;
}

export function createFileChanges(rules: FileRules): FileChanges {
  const changes: FileChanges = {
    admit(transaction, request, bytes) {
      checkWriter(transaction, rules, request.pid, request.path);
      const before = transaction.files.find(request.path);
      checkTarget(request, before);
      checkBudget(transaction, rules, request.pid, bytes);
      return before;
    },

    write(transaction, request, content, limits) {
      const before = changes.admit(transaction, request, content.size);
      const { row, purged } = put(transaction, before, { ...request, owner: request.pid }, content, limits);
      const { pid, path, version, size, hash, mode } = { ...row, pid: request.pid };
      const eventId = transaction.events.append({ pid, kind: 'kernel.file.written', payload: { path, version, size, hash, mode } });
      rules.chargeInside(transaction, pid, { [WRITE_DIM]: size }, eventId);
      return { value: row, purged };
    },

    restore(transaction, pid, path, version, limits) {
      const { content: past, metadata, owner } = requireVersion(transaction, path, version);
      const request: WriteRequest = { pid, path, metadata, mode: undefined, ifAbsent: false, expectedVersion: undefined };
      const before = changes.admit(transaction, request, past.size);
      const { row, purged } = put(transaction, before, { ...request, owner }, { kind: 'kept', ...past }, limits);
      const payload = { path, version: row.version, restored_version: version, size: row.size, hash: row.hash, mode: row.mode };
      const eventId = transaction.events.append({ pid, kind: 'kernel.file.restored', payload });
      rules.chargeInside(transaction, pid, { [WRITE_DIM]: row.size }, eventId);
      return { value: row, purged };
    },

    delete(transaction, path, { writer, expectedVersion }, limits) {
      if (writer !== undefined) checkWriter(transaction, rules, writer, path);
      const before = transaction.files.find(path);
      checkVersion(path, before, expectedVersion);
      if (before === undefined) return { value: false, purged: 0 };
      return { value: true, purged: changes.deleteRow(transaction, before, writer, limits) };
    },

    deleteRow(transaction, before, writer, limits) {
      const { now, files } = transaction;
      const { path, owner, createdAt } = before;
      const version = before.version + 1;
      files.remove(path);
      files.insertPast(toPast(before, now));
      files.insertPast({ path, version, owner, writer, content: undefined, metadata: {}, createdAt, writtenAt: now, supersededAt: now });
      transaction.events.append({ pid: writer, kind: 'kernel.file.deleted', payload: { path, version } });
      return purgeOldest(transaction, path, version, limits);
    },

    setMode(transaction, path, mode) {
      const before = requireFile(transaction, path);
      if (before.mode === mode) return before;
      const after = { ...before, mode, updatedAt: transaction.now };
      transaction.files.update(after);
      transaction.events.append({ pid: undefined, kind: 'kernel.file.mode_set', payload: { path, mode } });
      return after;
    },
  };
  return changes;
}

export function requireFile(transaction: ReadTransaction, path: string): FileRow {
  return transaction.files.find(path) ?? absent(path);
}

/** One version of a file, whether it is past or not, that is no deletion. */
export function requireVersion(
  transaction: ReadTransaction,
  path: string,
  version: number,
): PastVersionRow & { readonly content: BodyRow } {
  const current = transaction.files.find(path);
  const found = current?.version === version ? toPast(current, transaction.now) : transaction.files.findPast(path, version);
  const content = found?.content ?? absent(path, version);
  return { ...(found ?? absent(path, version)), content };
}

function absent(path: string, version?: number): never {
  const what = version === undefined ? `file ${path}` : `version ${version} of file ${path}`;
  throw new Fault('file_not_found', `Cannot find ${what}: it does not exist`, { details: { path, version } });
}

function checkWriter(transaction: ReadTransaction, rules: FileRules, pid: number, path: string): void {
  if (!transaction.processes.exists(pid)) {
    throw new Fault('unknown_pid', `Cannot write ${path} as process ${pid}: it does not exist`, { details: { pid } });
  }
  if (!rules.mayWrite(transaction, pid, path)) {
    throw new Fault('permission_denied', `Cannot write ${path} as process ${pid}: it may not`, { details: { pid, path } });
  }
}

function checkTarget({ path, ifAbsent, expectedVersion }: WriteRequest, before: FileRow | undefined): void {
  if (ifAbsent && before !== undefined) {
    throw new Fault('file_exists', `Cannot create ${path}: it exists`, { details: { path } });
  }
  checkVersion(path, before, expectedVersion);
  if (before?.mode === 'ro') {
    throw new Fault('file_read_only', `Cannot write ${path}: its mode is ro`, { details: { path } });
  }
}

function checkVersion(path: string, before: FileRow | undefined, expected: number | undefined): void {
  const version = before?.version ?? 0;
  if (expected === undefined || expected === version) return;
  throw new Fault('conflict', `Cannot change ${path}: it is at version ${version}, not ${expected}`, { details: { path, version } });
}

function checkBudget(transaction: ReadTransaction, rules: FileRules, pid: number, bytes: number): void {
  const exceeded = rules.wouldExceed(transaction, pid, WRITE_DIM, bytes);
  if (exceeded !== undefined) throw overQuota(pid, WRITE_DIM, bytes, exceeded.used, exceeded.granted);
}

export function checkWorkspaceBytes(transaction: ReadTransaction, pid: number, bytes: number, bytesMax: number): void {
  const used = transaction.files.usedBytes();
  if (used + bytes > bytesMax) throw overQuota(pid, 'workspace_bytes', bytes, used, bytesMax);
}

function overQuota(pid: number, dim: string, bytes: number, used: number, limit: number): Fault {
  return new Fault('quota_exceeded', `Cannot write ${bytes} bytes: ${used} of ${dim} are used, the limit is ${limit}`, {
    details: { pid, dim, used, hard_limit: limit },
  });
}

/** The new version, in place of the one before or as a new file of this owner. */
function put(
  transaction: Transaction,
  before: FileRow | undefined,
  { pid, path, owner, mode, metadata }: WriteRequest & { readonly owner: number },
  content: Content,
  limits: FileLimits,
): { readonly row: FileRow; readonly purged: number } {
  const { now, files } = transaction;
  const row: FileRow = {
    ...link(transaction, pid, content, limits),
    path,
    owner: before?.owner ?? owner,
    writer: pid,
    mode: mode ?? before?.mode ?? 'rw',
    version: (before?.version ?? files.newestPast(path)) + 1,
    metadata,
    createdAt: before?.createdAt ?? now,
    writtenAt: now,
    updatedAt: now,
    accessedAt: before?.accessedAt,
  };
  if (before === undefined) files.insert(row);
  else {
    files.insertPast(toPast(before, now));
    files.update(row);
  }
  return { row, purged: purgeOldest(transaction, path, row.version, limits) };
}

/** Names a body once more: one with the same content if the workspace has it, else the one handed in. */
function link(transaction: Transaction, pid: number, content: Content, { bytesMax }: FileLimits): BodyRow {
  const { files } = transaction;
  const { size, hash } = content;
  const known = content.kind === 'kept' ? content : size < SHARED_BYTES_MIN ? undefined : files.findBody(hash);
  if (known !== undefined) {
    files.retain(known.body);
    return { body: known.body, size, hash };
  }
  checkWorkspaceBytes(transaction, pid, size, bytesMax);
  if (content.kind === 'small') return { body: files.insertSmall(content), size, hash };
  const row = { body: content.body, size, hash };
  files.finishLarge(row);
  return row;
}

function purgeOldest(transaction: Transaction, path: string, version: number, { versionsMax }: FileLimits): number {
  return version <= versionsMax ? 0 : transaction.files.deletePast(path, version - versionsMax, PURGE_STEP);
}

function toPast(row: FileRow, supersededAt: number): PastVersionRow {
  const { path, version, owner, writer, body, size, hash, metadata, createdAt, writtenAt } = row;
  return { path, version, owner, writer, content: { body, size, hash }, metadata, createdAt, writtenAt, supersededAt };
}
