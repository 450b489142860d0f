/** Step 7: what is about to happen is a row before it happens. */
import type { Transaction } from '../store/store.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import { type JournalRecord, type Via, writeRecord } from './journal-record.ts';
import type { ValidCall } from './validate-input.ts';

export type NewCall = {
  readonly callId: string;
  /** For the question, if there is to be one. */
  readonly approvalId: string;
  readonly pid: number;
  readonly valid: ValidCall;
  readonly idempotencyKey: string | undefined;
  readonly reasoning: string | undefined;
  readonly via: Via | undefined;
};

export function recordIntent(transaction: Transaction, call: NewCall, record: JournalRecord, reservationId: number | undefined): void {
  const { capability, callHash, input } = call.valid;
  const { now } = transaction;
  transaction.calls.insert({
    id: call.callId,
    pid: call.pid,
    capability: capability.name,
    version: capability.version,
    effect: capability.effect,
    state: 'open',
    hash: callHash,
    idempotencyKey: call.idempotencyKey,
    approvalId: undefined,
    input: call.idempotencyKey === undefined ? undefined : input,
    createdAt: now,
    openedAt: now,
    attempts: 1,
    reservationId,
    endedAt: undefined,
    record: writeRecord(record),
    ending: undefined,
    answer: undefined,
  });
}

/** The same row once more: it was approved, or a life that ended left it open and it may be repeated. */
export function recordAgain({ calls, now }: Transaction, row: CallRow, record: JournalRecord, reservationId: number | undefined): void {
  calls.update(row.id, { state: 'open', openedAt: now, attempts: row.attempts + 1, reservationId, record: writeRecord(record) });
}
