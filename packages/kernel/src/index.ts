/** Warren's control plane. `openKernel` is the beginning; everything else hangs off it. */

export type { FileStat, FileVersion } from './agentfs/files.ts';
export type { Alert, AlertSeverity, Alerts } from './alert/alerts.ts';
export type { AllowRule, AlwaysAllow, Approval, ApprovalState, Approvals, Approver } from './approval/approvals.ts';
export type {
  Audit,
  AuditActor,
  AuditEntry,
  AuditProblem,
  AuditQuery,
  AuditReport,
  ConsistencyProof,
  InclusionProof,
  Receipt,
  RecordedEntry,
  TreeHead,
} from './audit/audit.ts';
export type { GrantRecord } from './grant/grants.ts';
export type { Kernel, WorkspaceKernel } from './kernel.ts';
export type { Account, LedgerEntry } from './ledger/ledger.ts';
export { type BridgeMirror, type BridgeMirrorParts, createBridgeMirror } from './mailbox/bridge-mirror.ts';
export type { Letter, Mail, Message } from './mailbox/mail.ts';
export type { ProcessView, Summary } from './observe/observe.ts';
export { type KernelOptions, openKernel } from './open-kernel.ts';
export {
  type Allowance,
  type AskTerms,
  type CallFacts,
  type Condition,
  type CounterRef,
  type Decision,
  LAYERS,
  type Layer,
  type Limit,
  NO_FACTS,
  type Policy,
  type PolicyFile,
  type PolicyRequest,
  type Rule,
  type RuleRef,
  TIERS,
  type Tier,
} from './policy/policy.ts';
export type { CreateProcess, ProcessRecord, RecoveryPolicy } from './process/processes.ts';
export type { NameEntry } from './registry/names.ts';
export { createWorker, type RunResult, type Worker, type WorkerParts } from './schedule/create-worker.ts';
export type { Claim, Enqueue, QueueEntry, QueueState, ScheduledClaim } from './schedule/queue.ts';
export type { SetOptions, State, StateAccess, StateEntry, StateScope, StateVersion } from './state/state.ts';
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
export type {
  ActContext,
  Acted,
  Actor,
  CallError,
  Capability,
  CapabilityTable,
  Effect,
  ParsedInput,
  RecoveryStep,
  Usage,
} from './syscall/capability.ts';
export { type Answer, type CallRequest, GATE_ERRORS, type Gate, type GateErrorType, type Offer } from './syscall/gate.ts';
export type { Principal, TokenRecord } from './token/tokens.ts';
export type { SettingsChange, WorkspaceRecord } from './workspace/workspaces.ts';
