/** An entry as bytes and back. Fields have places instead of names: it is half as long and a third of the work. A value that is absent is null. */
import { Fault } from '@warren/protocol';
import { decode } from 'cborg';
import type { JsonObject } from '../internal/json.ts';
import type { RuleRef } from '../policy/policy.ts';
import type { AuditActor, AuditEntry, AuditKind, AuditOutcome } from './audit.ts';
import { copyJson } from './copy-json.ts';
import { encodeCbor } from './encode-cbor.ts';
import { ENTRY_BYTES_MAX, WORD_BYTES_MAX } from './limits.ts';
import { STRICT } from './records.ts';

const KINDS: ReadonlySet<string> = new Set<AuditKind>(['syscall', 'question', 'answer', 'operator', 'policy', 'system']);
const OUTCOMES: ReadonlySet<string> = new Set<AuditOutcome>(['begun', 'success', 'failure', 'denied', 'pending', 'unknown']);

/** Faults: `invalid_argument` (the field), `too_large`. */
export function encodeEntry(entry: AuditEntry): Uint8Array {
  const { kind, outcome, decision, error } = entry;
  if (!KINDS.has(kind)) throw invalid('kind');
  if (!OUTCOMES.has(outcome)) throw invalid('outcome');
  const body = encodeCbor([
    kind,
    word(entry.workspace, 'workspace'),
    actorToList(entry.actor),
    word(entry.action, 'action'),
    outcome,
    maybe(entry.callId, 'call_id', word),
    maybe(entry.approvalId, 'approval_id', word),
    maybe(entry.input, 'input', object),
    maybe(entry.inputHash, 'input_hash', word),
    decision === undefined
      ? null
      : [word(decision.tier, 'decision'), maybe(decision.rule, 'decision', ruleToList), maybe(decision.policy, 'decision', word)],
    maybe(entry.taint, 'taint', (labels, field) => labels.map((label) => word(label, field))),
    error === undefined ? null : [word(error.type, 'error'), copyJson(error.message, 'error')],
    maybe(entry.durationMs, 'duration_ms', copyJson),
    maybe(entry.usage, 'usage', object),
    maybe(entry.details, 'details', object),
  ]);
  if (body.length > ENTRY_BYTES_MAX) throw tooLarge(body.length);
  return body;
}

/** Throws when the bytes are none of `encodeEntry`. */
export function decodeEntry(body: Uint8Array): AuditEntry {
  const list: unknown = decode(body, STRICT);
  if (!Array.isArray(list) || list.length !== 15) throw new Error('An entry of the audit has another form than it was written in');
  const [
    kind,
    workspace,
    actor,
    action,
    outcome,
    callId,
    approvalId,
    input,
    inputHash,
    decision,
    taint,
    error,
    durationMs,
    usage,
    details,
  ] = list.map((value: unknown) => value ?? undefined) as readonly Loose[]; // Signed as it was written; only the form is checked.
  return {
    kind: kind as AuditKind, // As above; so are all below.
    workspace: workspace as string,
    actor: actorFromList(actor as readonly Loose[]),
    action: action as string,
    outcome: outcome as AuditOutcome,
    callId: callId as string | undefined,
    approvalId: approvalId as string | undefined,
    input: input as JsonObject | undefined,
    inputHash: inputHash as string | undefined,
    decision: decision === undefined ? undefined : decisionFromList(decision as readonly Loose[]),
    taint: taint as readonly string[] | undefined,
    error: error === undefined ? undefined : errorFromList(error as readonly Loose[]),
    durationMs: durationMs as number | undefined,
    usage: usage as Readonly<Record<string, number>> | undefined,
    details: details as JsonObject | undefined,
  };
}

type Loose = unknown;

function actorToList(actor: AuditActor): readonly unknown[] {
  switch (actor?.kind) {
    case 'process':
      if (!Number.isSafeInteger(actor.pid)) throw invalid('actor');
      return [actor.kind, actor.pid, typeof actor.agent === 'string' && actor.agent === '' ? '' : word(actor.agent, 'actor')];
    case 'member':
    case 'operator':
      return [actor.kind, word(actor.name, 'actor')];
    case 'system':
      return [actor.kind];
    default:
      throw invalid('actor');
  }
}

function actorFromList([kind, first, second]: readonly Loose[]): AuditActor {
  if (kind === 'process') return { kind, pid: Number(first), agent: String(second) };
  if (kind === 'member' || kind === 'operator') return { kind, name: String(first) };
  return { kind: 'system' };
}

function ruleToList(rule: RuleRef): readonly unknown[] {
  const file = rule.file === '' ? '' : word(rule.file, 'decision'); // What is built in, or what people allowed.
  return [rule.layer, file, rule.line, word(rule.rule, 'decision'), maybe(rule.reason, 'decision', copyJson)];
}

function decisionFromList([tier, rule, policy]: readonly Loose[]): AuditEntry['decision'] {
  const from = rule as readonly Loose[] | null; // Written by ruleToList.
  return {
    tier: tier as NonNullable<AuditEntry['decision']>['tier'], // Written from one.
    rule:
      from === null
        ? undefined
        : {
            layer: from[0] as RuleRef['layer'], // Written by ruleToList.
            file: String(from[1]),
            line: Number(from[2]),
            rule: String(from[3]),
            reason: (from[4] ?? undefined) as string | undefined, // As above.
          },
    policy: (policy ?? undefined) as string | undefined, // As above.
  };
}

function errorFromList([type, message]: readonly Loose[]): AuditEntry['error'] {
  return { type: String(type), message: String(message) };
}

function maybe<T, R>(value: T | undefined, field: string, convert: (value: T, field: string) => R): R | null {
  return value === undefined ? null : convert(value, field);
}

function word(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(field);
  if (value.length > WORD_BYTES_MAX)
    throw new Fault('too_large', `Cannot record in the audit: ${field} is longer than ${WORD_BYTES_MAX}`, { details: { field } });
  return value.toWellFormed();
}

function object(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(field);
  return copyJson(value, field);
}

function invalid(field: string): Fault {
  return new Fault('invalid_argument', `Cannot record in the audit: ${field} is missing or of the wrong type`, { details: { field } });
}

function tooLarge(bytes: number): Fault {
  return new Fault('too_large', `Cannot record in the audit: the entry has ${bytes} bytes, the limit is ${ENTRY_BYTES_MAX}`);
}
