/** What the journal keeps of a call: enough to write its entry of the audit, whoever has to. */
import { writeRule } from '../approval/approval-row.ts';
import type { AuditEntry } from '../audit/audit.ts';
import type { JsonObject } from '../internal/json.ts';
import type { CounterRef, RuleRef, Tier } from '../policy/policy.ts';

export type JournalRecord = {
  readonly agent: string;
  readonly tier: Tier;
  readonly rule?: RuleRef | undefined;
  readonly exception?: RuleRef | undefined;
  readonly policy: string;
  /** As it may be read. */
  readonly input: JsonObject;
  readonly inputHash: string;
  /** Of the call as it was asked for, where review made another one of it: `input` is what was made. */
  readonly askedHash?: string | undefined;
  /** By `recordFacts`. */
  readonly facts?: JsonObject | undefined;
  readonly taint: readonly string[];
  readonly reasoning?: string | undefined;
  readonly deadlineMs: number;
  /** Where what is used is counted when it is known. */
  readonly counters?: readonly CounterRef[] | undefined;
  /** People or time ended it before it began; the approval says how. */
  readonly decided?: { readonly state: string; readonly by: string | null } | undefined;
  /** Who made it in the name of the process, when that was not the process itself. */
  readonly via?: Via | undefined;
};

export type Via = { readonly kind: 'member' | 'operator' | 'schedule'; readonly name: string };

/** How it ended, for the audit. */
export type Ending = {
  readonly outcome: AuditEntry['outcome'];
  readonly error?: { readonly type: string; readonly message: string } | undefined;
  readonly durationMs: number;
  readonly usage?: Readonly<Record<string, number>> | undefined;
  readonly defect?: string | undefined;
  /** Which limit stood in the way. */
  readonly limit?: JsonObject | undefined;
};

export function writeRecord(record: JournalRecord): JsonObject {
  return record as unknown as JsonObject; // Made of JSON; what is undefined is not written.
}

export function readRecord(record: JsonObject): JournalRecord {
  return record as unknown as JournalRecord; // `writeRecord` wrote it.
}

export function writeEnding(ending: Ending): JsonObject {
  return ending as unknown as JsonObject; // As above.
}

export function readEnding(ending: JsonObject | undefined): Ending | undefined {
  return ending as unknown as Ending | undefined; // `writeEnding` wrote it.
}

export type EntryOf = {
  readonly workspace: string;
  readonly pid: number;
  readonly callId: string;
  readonly capability: string;
  readonly approvalId: string | undefined;
};

/** The one entry of a call. */
export function entryOf({ workspace, pid, callId, capability, approvalId }: EntryOf, record: JournalRecord, ending: Ending): AuditEntry {
  return {
    kind: 'syscall',
    workspace,
    actor: { kind: 'process', pid, agent: record.agent },
    action: capability,
    outcome: ending.outcome,
    callId,
    approvalId,
    input: record.input,
    inputHash: record.inputHash,
    decision: { tier: record.tier, rule: record.rule, policy: record.policy },
    taint: record.taint.length === 0 ? undefined : record.taint,
    error: ending.error,
    durationMs: ending.durationMs,
    usage: ending.usage,
    details: detailsOf(record, ending),
  };
}

function detailsOf({ reasoning, exception, via, facts, askedHash }: JournalRecord, { defect, limit }: Ending): JsonObject | undefined {
  if ([reasoning, exception, via, facts, askedHash, defect, limit].every((each) => each === undefined)) return undefined;
  return {
    ...(facts !== undefined && { facts }),
    ...(askedHash !== undefined && { asked_hash: askedHash }),
    ...(reasoning !== undefined && { reasoning }),
    ...(exception !== undefined && { exception: writeRule(exception) }),
    ...(via !== undefined && { via }),
    ...(defect !== undefined && { defect }),
    ...(limit !== undefined && { limit }),
  };
}
