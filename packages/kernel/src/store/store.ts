/**
 * The store: everything the kernel keeps, behind an asynchronous interface. It knows rows and transactions, and none of the rules.
 *
 * A transaction is a synchronous function of what it reads: no `await`, no clock but `tx.now`, no randomness, no effect but its writes. It
 * may therefore be run more than once, and that is how one implementation shares a flush between callers (a body that fails after it wrote
 * undoes the whole group, and the others run again), and how another may fetch rows over a network and start over. Randomness and
 * effects belong before and after.
 *
 * The promise of a write resolves when it is on disk and survives the death of the process and of the machine. Reads see committed rows
 * only, and every row committed before they began.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { AgentTable, AgentTableReads } from './tables/agent-table.ts';
import type { AlertTable, AlertTableReads } from './tables/alert-table.ts';
import type { ApprovalTable, ApprovalTableReads } from './tables/approval-table.ts';
import type { CallTable, CallTableReads } from './tables/call-table.ts';
import type { CounterTable, CounterTableReads } from './tables/counter-table.ts';
import type { EventRecord, EventTable, EventTableReads } from './tables/event-table.ts';
import type { FileTable, FileTableReads } from './tables/file-table.ts';
import type { GrantTable, GrantTableReads } from './tables/grant-table.ts';
import type { LedgerTable, LedgerTableReads } from './tables/ledger-table.ts';
import type { MailTable, MailTableReads } from './tables/mail-table.ts';
import type { NameTable, NameTableReads } from './tables/name-table.ts';
import type { PersonTable, PersonTableReads } from './tables/person-table.ts';
import type { ProcessTable, ProcessTableReads } from './tables/process-table.ts';
import type { QueueTable, QueueTableReads } from './tables/queue-table.ts';
import type { RunTable, RunTableReads } from './tables/run-table.ts';
import type { SecretBatch, SecretTable, SecretTableReads } from './tables/secret-table.ts';
import type { StateTable, StateTableReads } from './tables/state-table.ts';
import type { TaintTable, TaintTableReads } from './tables/taint-table.ts';
import type { TokenTable, TokenTableReads } from './tables/token-table.ts';
import type { WorkspaceTable, WorkspaceTableReads } from './tables/workspace-table.ts';

/** The rows of one workspace, as they are at one moment. */
export interface ReadTransaction {
  readonly workspace: WorkspaceId;
  /** Kernel time of this transaction, milliseconds. */
  readonly now: number;
  readonly processes: ProcessTableReads;
  readonly events: EventTableReads;
  readonly grants: GrantTableReads;
  readonly ledger: LedgerTableReads;
  readonly queue: QueueTableReads;
  readonly mail: MailTableReads;
  readonly names: NameTableReads;
  readonly files: FileTableReads;
  readonly tokens: TokenTableReads;
  readonly calls: CallTableReads;
  readonly approvals: ApprovalTableReads;
  readonly counters: CounterTableReads;
  readonly taints: TaintTableReads;
  readonly state: StateTableReads;
  readonly alerts: AlertTableReads;
  readonly agents: AgentTableReads;
  readonly secrets: SecretTableReads;
  readonly runs: RunTableReads;
}

/** The same, to change. All of it happens or none. */
export interface Transaction extends ReadTransaction {
  readonly processes: ProcessTable;
  readonly events: EventTable;
  readonly grants: GrantTable;
  readonly ledger: LedgerTable;
  readonly queue: QueueTable;
  readonly mail: MailTable;
  readonly names: NameTable;
  readonly files: FileTable;
  readonly tokens: TokenTable;
  readonly calls: CallTable;
  readonly approvals: ApprovalTable;
  readonly counters: CounterTable;
  readonly taints: TaintTable;
  readonly state: StateTable;
  readonly alerts: AlertTable;
  readonly agents: AgentTable;
  readonly secrets: SecretTable;
  readonly runs: RunTable;
}

/** One tenant's part of the store. A query that could reach another tenant's rows cannot be written with it. */
export interface WorkspaceStore {
  readonly id: WorkspaceId;
  /**
   * Runs `body` in a transaction; the promise resolves once it is on disk. Whatever `body` throws rejects it and nothing is written.
   * Throws `not_found` (no such workspace), `storage_full`, `store_failed`, `busy` (too many writes wait).
   */
  write<T>(body: (transaction: Transaction) => T): Promise<T>;
  read<T>(body: (transaction: ReadTransaction) => T): Promise<T>;
}

/** What belongs to no single workspace: which workspaces there are, who may call, and who signs in. */
export interface SystemTransaction extends SystemReadTransaction {
  readonly workspaces: WorkspaceTable;
  readonly tokens: TokenTable;
  readonly people: PersonTable;
}

export interface SystemReadTransaction {
  readonly now: number;
  readonly workspaces: WorkspaceTableReads;
  readonly tokens: TokenTableReads;
  readonly people: PersonTableReads;
}

export type RowValue = null | number | string | Uint8Array;
/** Rows of one table of one workspace, without the number that stands for the workspace. */
export type RowBatch = { readonly table: string; readonly columns: readonly string[]; readonly rows: readonly (readonly RowValue[])[] };

/** Called after a commit with the events it wrote, in order, and how large their payloads are. Must not throw. */
export type CommitListener = (workspace: WorkspaceId, events: readonly EventRecord[], payloadBytes: number) => void;

export interface Store extends AsyncDisposable {
  /** The number of the newest migration this store has. */
  readonly schemaVersion: number;
  workspace(id: WorkspaceId): WorkspaceStore;
  writeSystem<T>(body: (transaction: SystemTransaction) => T): Promise<T>;
  readSystem<T>(body: (transaction: SystemReadTransaction) => T): Promise<T>;
  onCommit(listener: CommitListener): Disposable;
  /** Copies a consistent picture of the whole store to a new file while others go on writing. Throws `already_exists`. */
  backup(path: string, options?: { readonly onProgress?: (share: number) => void; readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Deletes the rows of workspaces of this id that were retired, overwrites them, and then their last row. Stopped in the middle it goes on where it was when it is called again. In a large store
   * copies of rows that SQLite moved stay in gaps of pages until it is opened again. Faults: `busy` (somebody
   * reads the file from outside, and the log cannot be wiped now).
   */
  eraseRetired(id: WorkspaceId, signal?: AbortSignal): Promise<void>;
  /** The rows of a workspace as they are at one moment, for another store of this version; others write meanwhile. Without what lets somebody in here, and without secrets. Faults: `not_found`. */
  exportRows(id: WorkspaceId, signal?: AbortSignal): AsyncIterable<RowBatch>;
  /** Adds rows to a workspace that was retired as soon as it was made, so that nobody finds it yet. Faults: `invalid_argument` (what no store of this version has). */
  importRows(id: WorkspaceId, batch: RowBatch): Promise<void>;
  /** The same for secrets, whose rows are no others' to write: they are sealed for this vault. Faults: `invalid_argument` (one is there twice). */
  importSecrets(id: WorkspaceId, batch: SecretBatch): Promise<void>;
  /** Looks at every page and every reference. Empty when all is well; else one sentence each. */
  check(): Promise<readonly string[]>;
  /** Bytes on disk, without bodies of files. */
  size(): Promise<number>;
  /** Waits for what was written so far, refuses more, and lets go of the state directory. Disposing does the same. */
  close(): Promise<void>;
}
