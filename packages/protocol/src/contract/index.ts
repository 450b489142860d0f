/**
 * The wire contract: every operation, once, as data. Routes, help, types, documents and pins come from `OPERATIONS`. Runs anywhere, also in
 * browsers; it costs a start more than the rest of this package, so only who speaks to a wire imports it.
 */
export { HTTP_ROUTES, type HttpMethod, type HttpRoute, pathParams, withoutAliases } from './http-routes.ts';
export { type JsonSchema, jsonSchema } from './json-schema.ts';
export { type Effect, leastRole, type Operation, type Scope, type Tier } from './operation.ts';
export { isOperationName, OPERATIONS, type OperationName, type Params, type ParamsInput, type Result } from './operations.ts';
export { parseParams } from './parse-params.ts';
export { type AgentRecord, agentRecord, agentState } from './record/agent.ts';
export { type AlertRecord, alert, alertSeverity } from './record/alert.ts';
export { type AllowRuleRecord, type ApprovalRecord, allowRule, approval, approvalState } from './record/approval.ts';
export { type AuditRecord, auditEntry, auditKind, auditOutcome, treeHead } from './record/audit.ts';
export { type CallAnswer, callAnswer } from './record/call.ts';
export { type CapabilityDescription, type CapabilitySummary, capabilityDescription, capabilitySummary } from './record/capability.ts';
export { type Event, event } from './record/event.ts';
export { type FileContent, type FileObject, type FileVersion, fileContent, fileMode, fileObject, fileVersion } from './record/file.ts';
export { type Grant, grant, pathGrant, pathMode } from './record/grant.ts';
export { type HookRecord, hook, hookPoint } from './record/hook.ts';
export { type Account, type AccountEntry, account, accountEntry, breachPolicy, type LedgerEntry, ledgerEntry } from './record/ledger.ts';
export { type Message, message } from './record/mail.ts';
export { type McpServerRecord, type McpServerSummaryRecord, mcpServer, mcpServerSummary } from './record/mcp-server.ts';
export type { FoundMemory, MemoryRecord } from './record/memory.ts';
export { type NameEntry, nameEntry } from './record/name.ts';
export { type ProcessView, processView, type Summary, summary } from './record/observation.ts';
export { type PersonRecord, personRecord } from './record/person.ts';
export {
  type AgentProcess,
  agentProcess,
  exitKind,
  parentEndPolicy,
  pendingSignal,
  processSignal,
  processState,
} from './record/process.ts';
export { type Claim, type ClaimedEntry, claim, claimedEntry, queueState, type ReadyEntry, readyEntry } from './record/queue.ts';
export { type RuleReference, ruleRef } from './record/rule.ts';
export type { SecretDetailsRecord, SecretRecord, VaultStatusRecord } from './record/secret.ts';
export type { SkillRecord, SkillSummaryRecord, SkillTrialRecord } from './record/skill.ts';
export { type NewToken, newToken, type Principal, principal, type TokenRecord, tokenRecord } from './record/token.ts';
export { type ToolFormat, toolFormat } from './record/tool.ts';
export type { NewTranscriptEntry, TranscriptEntry, TranscriptInfo, TranscriptMatch } from './record/transcript.ts';
export {
  type Retention,
  retention,
  type WorkspaceRecord,
  type WorkspaceSettings,
  type WorkspaceUsage,
  workspaceRecord,
  workspaceSettings,
  workspaceUsage,
} from './record/workspace.ts';
export { RECORDS } from './records.ts';
export { JSON_BYTES_MAX, JSON_DEPTH_MAX, problemWith as problemWithJson } from './value/json-object.ts';
export { WAIT_MS_MAX } from './value/wait.ts';
export { type ContractReport, verifyContract } from './verify-contract.ts';
