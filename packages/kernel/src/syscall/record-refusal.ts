/** A call with a key that was refused for good: its answer is kept, and the row is open until the audit has it, as that of any call. */
import type { Transaction } from '../store/store.ts';
import { writeAnswer } from './answer.ts';
import type { CallError } from './capability.ts';
import type { Answer } from './gate.ts';
import { type Ending, type JournalRecord, writeEnding, writeRecord } from './journal-record.ts';
import type { NewCall } from './record-intent.ts';

/** The first answer, and how it ends in the audit. */
export type KeptRefusal = { readonly answer: Answer; readonly ending: Ending };

export function recordRefusal({ calls, now }: Transaction, call: NewCall, record: JournalRecord, error: CallError): KeptRefusal {
  const { callId, pid, valid, idempotencyKey } = call;
  const { capability, callHash } = valid;
  const answer: Answer = { callId, capability: capability.name, tier: record.tier, kind: 'failed', error, durationMs: 0 };
  const ending: Ending = { outcome: 'denied', error: { type: error.type, message: error.message }, durationMs: 0 };
  calls.insert({
    id: callId,
    pid,
    capability: capability.name,
    version: capability.version,
    effect: capability.effect,
    state: 'open',
    hash: callHash,
    idempotencyKey,
    approvalId: undefined,
    input: undefined,
    createdAt: now,
    openedAt: undefined,
    attempts: 0,
    reservationId: undefined,
    endedAt: undefined,
    record: writeRecord(record),
    ending: writeEnding(ending),
    answer: writeAnswer(answer),
  });
  return { answer, ending };
}
