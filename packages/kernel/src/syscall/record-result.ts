/** Step 11, the second transaction of a call: what it used, what its result taints, how it ended, and the event that says so. */

import type { JsonObject } from '../internal/json.ts';
import type { BreachParts } from '../ledger/answer-breach.ts';
import type { Transaction } from '../store/store.ts';
import { addLabels } from '../taint/process-labels.ts';
import type { Usage } from './capability.ts';
import { countUsage } from './count-call.ts';
import { type Ending, type JournalRecord, writeEnding } from './journal-record.ts';
import { settleUsage } from './settle-usage.ts';

export type EndCall = {
  readonly callId: string;
  readonly pid: number;
  readonly capability: string;
  readonly approvalId: string | undefined;
  readonly reservationId: number | undefined;
  readonly usage: Usage;
  /** Labels the result carries. */
  readonly taint: readonly string[];
  readonly record: JournalRecord;
  readonly ending: Ending;
  /** For calls with a key or an approval. */
  readonly answer: JsonObject | undefined;
};

export function recordResult(transaction: Transaction, budget: BreachParts, end: EndCall): void {
  const { callId, pid, capability, approvalId, record, ending } = end;
  const { calls, events } = transaction;
  settleUsage(transaction, budget, pid, end.reservationId, end.usage);
  if (record.counters !== undefined) countUsage(transaction, record.counters, end.usage);
  // It stays `open` until the audit has it too; then the row is deleted, or done if somebody may ask again.
  calls.update(callId, { ending: writeEnding(ending), ...(end.answer !== undefined && { input: undefined, answer: end.answer }) });
  const payload = {
    call_id: callId,
    agent: record.agent,
    capability,
    outcome: ending.outcome,
    error: ending.error?.type ?? null,
    duration_ms: ending.durationMs,
    tier: record.tier,
    ...(approvalId !== undefined && { approval_id: approvalId }),
  };
  const eventId = events.append({ pid, kind: 'kernel.call.ended', payload });
  addLabels(transaction, pid, end.taint, { callId, causationId: eventId });
  if (record.tier === 'notify') tellPeople(transaction, end, eventId);
}

/** The tier `notify`: it is done, and people hear of it. */
function tellPeople({ events }: Transaction, { pid, callId, capability, record, ending }: EndCall, causationId: number): void {
  const payload = {
    call_id: callId,
    agent: record.agent,
    capability,
    outcome: ending.outcome,
    input: record.input,
    rule: record.rule === undefined ? null : { file: record.rule.file, line: record.rule.line, id: record.rule.rule },
    reason: record.rule?.reason ?? null,
  };
  events.append({ pid, kind: 'kernel.call.notified', payload, causationId });
}
