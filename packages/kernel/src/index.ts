/** Warren's control plane. `openKernel` is the beginning; everything else hangs off it. */

export type { FileStat, FileVersion } from './agentfs/files.ts';
export type { GrantRecord } from './grant/grants.ts';
export type { Kernel, WorkspaceKernel } from './kernel.ts';
export type { Account, LedgerEntry } from './ledger/ledger.ts';
export { type BridgeMirror, type BridgeMirrorParts, createBridgeMirror } from './mailbox/bridge-mirror.ts';
export type { Letter, Mail, Message } from './mailbox/mail.ts';
export type { ProcessView, Summary } from './observe/observe.ts';
export { type KernelOptions, openKernel } from './open-kernel.ts';
export type { CreateProcess, ProcessRecord, RecoveryPolicy } from './process/processes.ts';
export type { NameEntry } from './registry/names.ts';
export { createWorker, type RunResult, type Worker, type WorkerParts } from './schedule/create-worker.ts';
export type { Claim, Enqueue, QueueEntry, QueueState, ScheduledClaim } from './schedule/queue.ts';
export { type Restored, type RestoreOptions, restoreStore } from './store/sqlite/restore-store.ts';
export type { EventFilter, EventRecord } from './store/tables/event-table.ts';
export type { GrantSet } from './store/tables/grant-table.ts';
export {
  EXIT_KINDS,
  type ExitKind,
  PARENT_END_POLICIES,
  type ParentEndPolicy,
  PROCESS_STATES,
  type ProcessSignal,
  type ProcessState,
  SIGNALS,
} from './store/tables/process-table.ts';
export type { Principal, TokenRecord } from './token/tokens.ts';
export type { SettingsChange, WorkspaceRecord } from './workspace/workspaces.ts';
