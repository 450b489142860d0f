/** Warren's control plane. `openKernel` is the beginning; everything else hangs off it. */

export { checkAgentName } from './agent/agent-name.ts';
export type { AgentRecord, AgentState, Agents, AgentTerms } from './agent/agents.ts';
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
export type { AuditIndex, OpenAuditIndex } from './audit/audit-index.ts';
export { type AnchorStatus, type Anchors, type AnchorTarget, createAnchors } from './audit/create-anchors.ts';
export { type ExportFormat, exportEntries } from './audit/export-entries.ts';
export { type HeadDocument, readHeads, toHeadDocument } from './audit/head-document.ts';
export { type AuditOptions, openAudit } from './audit/open-audit.ts';
export { createRedactor, type RedactOptions, redactInput } from './audit/redact-input.ts';
export { type RememberedAudit, recallAudit, rememberAudit, whyNotRemembered } from './audit/remembered-audit.ts';
export { type VerifyAuditOptions, verifyAudit } from './audit/verify-audit.ts';
export { verifyConsistency, verifyInclusion } from './audit/verify-proof.ts';
export { parseGrantSet } from './grant/grant-set.ts';
export type { GrantRecord } from './grant/grants.ts';
export { canonicalHost } from './grant/host-name.ts';
export { isAllowed, type Question } from './grant/question.ts';
export type { Kernel, WorkspaceKernel } from './kernel.ts';
export { checkGrants as checkLedgerGrants } from './ledger/amounts.ts';
export { type Account, DIMENSIONS, type LedgerEntry } from './ledger/ledger.ts';
export { type BridgeMirror, type BridgeMirrorParts, createBridgeMirror } from './mailbox/bridge-mirror.ts';
export type { Letter, Mail, Message } from './mailbox/mail.ts';
export { isOwnChannel, ownChannel } from './mailbox/own-channel.ts';
export type { ProcessView, Summary } from './observe/observe.ts';
export { type KernelOptions, openKernel } from './open-kernel.ts';
export type { People, PersonRecord, PersonTerms } from './person/people.ts';
export type { Sessions } from './person/sessions.ts';
export { problemsOfCondition } from './policy/check/check-condition.ts';
export { checkPolicy } from './policy/check/check-policy.ts';
export { findOverruled, type Overruled } from './policy/check/find-overruled.ts';
export { createPolicy } from './policy/create-policy.ts';
export { HARD_BLOCKS } from './policy/hard-blocks/hard-blocks.ts';
export type { PolicyOptions, PolicyProblem, ReadCounter } from './policy/policy.ts';
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
export type { RedactStream } from './redact/redact-stream.ts';
export { createTextRedactor, withoutForms } from './redact/redact-text.ts';
export type { KnownSecret } from './redact/secret-needles.ts';
export { createSecretRedactor, type SecretRedactor } from './redact/secret-redactor.ts';
export type { NameEntry } from './registry/names.ts';
export {
  type CreateRun,
  type Park,
  RUN_OUTCOMES,
  RUN_STATES,
  type RunFilter,
  type RunLease,
  type RunOutcome,
  type RunRecord,
  type RunState,
  type RunStep,
  type RunSummary,
  type Runs,
  STEP_KINDS,
  type Step,
  type StepKind,
  type Used,
} from './run/runs.ts';
export { createWorker, type RunResult, type Worker, type WorkerParts } from './schedule/create-worker.ts';
export { checkCron, nextRun } from './schedule/cron.ts';
export type { Claim, Enqueue, QueueEntry, QueueState, ScheduledClaim } from './schedule/queue.ts';
export type {
  DataKeyRecord,
  SealedSecret,
  SealedSecrets,
  SealedVersion,
  SecretBindings,
  SecretChange,
  SecretChangeKind,
  SecretRecord,
} from './secret/sealed-secrets.ts';
export type { SetOptions, State, StateAccess, StateEntry, StateScope, StateVersion } from './state/state.ts';
export { openAuditIndex } from './store/sqlite/audit-index.ts';
export { addBackupFiles, type BackupFile } from './store/sqlite/backup-files.ts';
export { type Restored, type RestoreOptions, restoreStore } from './store/sqlite/restore-store.ts';
export type { RowBatch, RowValue, Store } from './store/store.ts';
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
export type { SecretBatch } from './store/tables/secret-table.ts';
export type { TaintRow } from './store/tables/taint-table.ts';
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
export { closeLostOperations } from './syscall/close-lost-operations.ts';
export type { CallQuestion } from './syscall/explain-call.ts';
export {
  type Answer,
  type CallRequest,
  GATE_ERRORS,
  type Gate,
  type GateErrorType,
  type Offer,
  type Recovered,
  type UnfinishedCall,
} from './syscall/gate.ts';
export type { CallDefect, GateOptions } from './syscall/gate-parts.ts';
export { type OperationEntry, OperationJournal } from './syscall/operation-journal.ts';
export type { Permit, PermitQuestion, PermitRefusal, Permits } from './syscall/permits.ts';
export { readRecordedFacts } from './syscall/recorded-facts.ts';
export { type Redact, redactOwnTokens } from './syscall/redact.ts';
export type { Review, ReviewCall, ReviewedCall, Verdict } from './syscall/review.ts';
export { mergeLabels } from './taint/labels.ts';
export type { FileLabel, Taints } from './taint/taints.ts';
export type { Principal, TokenRecord } from './token/tokens.ts';
export type { ImportTarget, SettingsChange, WorkspaceKeeper, WorkspaceRecord } from './workspace/workspaces.ts';
