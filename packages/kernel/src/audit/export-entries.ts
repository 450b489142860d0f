/** Entries as text for other programs, a line at a time. */
import type { RuleRef } from '../policy/policy.ts';
import type { AuditActor, AuditOutcome, RecordedEntry } from './audit.ts';

export type ExportFormat = 'jsonl' | 'csv' | 'ocsf';

const COLUMNS = [
  'seq',
  'at',
  'kind',
  'workspace',
  'actor',
  'agent',
  'pid',
  'action',
  'outcome',
  'tier',
  'rule',
  'call_id',
  'approval_id',
  'duration_ms',
  'error',
  'input',
  'details',
  'hash',
] as const;

const OCSF_VERSION = '1.3.0';

/** Lines, each with its end. `ocsf`: events of the class API Activity, one on a line. */
export async function* exportEntries(
  entries: AsyncIterable<RecordedEntry> | Iterable<RecordedEntry>,
  format: ExportFormat,
): AsyncGenerator<string, void> {
  if (format === 'csv') yield `${COLUMNS.join(',')}\r\n`;
  for await (const entry of entries) {
    switch (format) {
      case 'jsonl':
        yield `${JSON.stringify(entry)}\n`;
        break;
      case 'csv':
        yield toCsv(entry);
        break;
      case 'ocsf':
        yield `${JSON.stringify(toOcsf(entry))}\n`;
        break;
      default:
        format satisfies never;
    }
  }
}

function toCsv(entry: RecordedEntry): string {
  const { actor, decision, error } = entry;
  const values: Record<(typeof COLUMNS)[number], unknown> = {
    seq: entry.seq,
    at: new Date(entry.at).toISOString(),
    kind: entry.kind,
    workspace: entry.workspace,
    actor: actor.kind === 'process' || actor.kind === 'system' ? actor.kind : `${actor.kind}:${actor.name}`,
    agent: actor.kind === 'process' ? actor.agent : undefined,
    pid: actor.kind === 'process' ? actor.pid : undefined,
    action: entry.action,
    outcome: entry.outcome,
    tier: decision?.tier,
    rule: decision?.rule === undefined ? undefined : ruleText(decision.rule),
    call_id: entry.callId,
    approval_id: entry.approvalId,
    duration_ms: entry.durationMs,
    error: error === undefined ? undefined : `${error.type}: ${error.message}`,
    input: entry.input === undefined ? undefined : JSON.stringify(entry.input),
    details: entry.details === undefined ? undefined : JSON.stringify(entry.details),
    hash: entry.hash,
  };
  return `${COLUMNS.map((column) => toCell(values[column])).join(',')}\r\n`;
}

function ruleText({ layer, file, line, rule }: RuleRef): string {
  return file === '' ? `${layer}: ${rule}` : `${file}:${line} ${rule}`;
}

/** A spreadsheet takes a text that begins with one of these for a formula; with a quote before it, it is a text. */
function toCell(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = String(value);
  const safe = /^[\s\u00a0\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n';]/.test(safe) || safe !== text ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** OCSF 1.x, API Activity (6003). The activity says nothing, because what an action does is not for its record to judge. */
function toOcsf(entry: RecordedEntry): object {
  const activityId = 99;
  const status = STATUS[entry.outcome];
  return {
    activity_id: activityId,
    activity_name: entry.kind,
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: 6003,
    class_name: 'API Activity',
    type_uid: 6003 * 100 + activityId,
    type_name: 'API Activity: Other',
    time: entry.at,
    severity_id: entry.outcome === 'denied' ? 3 : 1,
    severity: entry.outcome === 'denied' ? 'Medium' : 'Informational',
    status_id: status.id,
    status: status.name,
    status_code: entry.error?.type,
    status_detail: entry.error?.message ?? entry.outcome,
    duration: entry.durationMs === undefined ? undefined : Math.round(entry.durationMs),
    actor: toOcsfActor(entry.actor),
    api: {
      operation: entry.action,
      service: { name: 'warren' },
      request: { uid: entry.callId ?? String(entry.seq), data: entry.input },
    },
    // Required by the class; calls come from processes of this machine.
    src_endpoint: { name: 'localhost', ip: '127.0.0.1' },
    metadata: {
      version: OCSF_VERSION,
      uid: entry.hash,
      sequence: entry.seq,
      tenant_uid: entry.workspace,
      log_name: 'audit',
      product: { name: 'Warren', vendor_name: 'Warren' },
    },
    unmapped: {
      kind: entry.kind,
      outcome: entry.outcome,
      approval_id: entry.approvalId,
      input_hash: entry.inputHash,
      decision: entry.decision,
      taint: entry.taint,
      usage: entry.usage,
      details: entry.details,
    },
  };
}

const STATUS: Readonly<Record<AuditOutcome, { readonly id: number; readonly name: string }>> = {
  begun: { id: 99, name: 'Other' },
  success: { id: 1, name: 'Success' },
  failure: { id: 2, name: 'Failure' },
  denied: { id: 2, name: 'Failure' },
  pending: { id: 99, name: 'Other' },
  unknown: { id: 0, name: 'Unknown' },
};

function toOcsfActor(actor: AuditActor): object {
  switch (actor.kind) {
    case 'process':
      return { app_name: actor.agent === '' ? 'process' : actor.agent, process: { pid: actor.pid, name: actor.agent } };
    case 'member':
      return { user: { name: actor.name, type_id: 1, type: 'User' } };
    case 'operator':
      return { user: { name: actor.name, type_id: 2, type: 'Admin' } };
    case 'system':
      return { app_name: 'warren' };
    default:
      return actor satisfies never;
  }
}
