/** The records that operations share, by the names that documents give them. */
import type { z } from 'zod';
import { alert } from './record/alert.ts';
import { allowRule, approval } from './record/approval.ts';
import { auditEntry, treeHead } from './record/audit.ts';
import { callAnswer, callError } from './record/call.ts';
import { capabilityDescription, capabilitySummary } from './record/capability.ts';
import { event } from './record/event.ts';
import { fileContent, fileObject, fileVersion } from './record/file.ts';
import { grant } from './record/grant.ts';
import { hook } from './record/hook.ts';
import { account, accountEntry, ledgerEntry } from './record/ledger.ts';
import { message } from './record/mail.ts';
import { foundMemory, memory, ranking } from './record/memory.ts';
import { nameEntry } from './record/name.ts';
import { processView, summary } from './record/observation.ts';
import { personRecord } from './record/person.ts';
import { agentProcess } from './record/process.ts';
import { claim, claimedEntry, readyEntry } from './record/queue.ts';
import { secret, secretDetails, vaultStatus } from './record/secret.ts';
import { skill, skillSummary, skillTrial } from './record/skill.ts';
import { newToken, principal, tokenRecord } from './record/token.ts';
import { transcriptEntry, transcriptInfo, transcriptMatch } from './record/transcript.ts';
import { workspaceRecord, workspaceSettings, workspaceUsage } from './record/workspace.ts';

export const RECORDS = {
  Account: account,
  AccountEntry: accountEntry,
  Alert: alert,
  AllowRule: allowRule,
  Approval: approval,
  AuditEntry: auditEntry,
  CallAnswer: callAnswer,
  CallError: callError,
  CapabilityDescription: capabilityDescription,
  CapabilitySummary: capabilitySummary,
  Claim: claim,
  ClaimedEntry: claimedEntry,
  Event: event,
  FileContent: fileContent,
  FileObject: fileObject,
  FileVersion: fileVersion,
  FoundMemory: foundMemory,
  Grant: grant,
  Hook: hook,
  LedgerEntry: ledgerEntry,
  Memory: memory,
  MemoryRanking: ranking,
  Message: message,
  NameEntry: nameEntry,
  NewToken: newToken,
  Person: personRecord,
  Principal: principal,
  Process: agentProcess,
  ProcessView: processView,
  ReadyEntry: readyEntry,
  Secret: secret,
  SecretDetails: secretDetails,
  Skill: skill,
  SkillSummary: skillSummary,
  SkillTrial: skillTrial,
  Summary: summary,
  Token: tokenRecord,
  TranscriptEntry: transcriptEntry,
  TranscriptInfo: transcriptInfo,
  TranscriptMatch: transcriptMatch,
  TreeHead: treeHead,
  VaultStatus: vaultStatus,
  Workspace: workspaceRecord,
  WorkspaceSettings: workspaceSettings,
  WorkspaceUsage: workspaceUsage,
} as const satisfies Record<string, z.ZodType>;
