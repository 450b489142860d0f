/** Step 4, when the tier says so: the call is kept with its exact arguments, and people are asked about exactly these. */
import { ask, type Crowded, findCrowd } from '../approval/ask.ts';
import type { Decision } from '../policy/policy.ts';
import type { Transaction } from '../store/store.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import { type GateError, gateError } from './call-error.ts';
import { type JournalRecord, writeRecord } from './journal-record.ts';
import type { NewCall } from './record-intent.ts';

export type Asked = { readonly kind: 'asked'; readonly approval: ApprovalRow } | { readonly kind: 'refused'; readonly error: GateError };

export function askPeople(transaction: Transaction, call: NewCall, record: JournalRecord, decision: Decision): Asked {
  const { callId, approvalId, pid, valid, idempotencyKey, reasoning } = call;
  const { capability, callHash, input, recorded } = valid;
  const crowded = findCrowd(transaction, pid, record.agent);
  if (crowded !== undefined) return { kind: 'refused', error: tooManyQuestions(capability.name, crowded) };
  transaction.calls.insert({
    id: callId,
    pid,
    capability: capability.name,
    version: capability.version,
    effect: capability.effect,
    state: 'asked',
    hash: callHash,
    idempotencyKey,
    approvalId,
    input,
    createdAt: transaction.now,
    openedAt: undefined,
    attempts: 0,
    reservationId: undefined,
    endedAt: undefined,
    record: writeRecord(record),
    ending: undefined,
    answer: undefined,
  });
  const { agent } = record;
  const { rule, ask: terms } = decision;
  const question = { id: approvalId, callId, pid, agent, capability: capability.name, callHash, input: recorded, reasoning, rule, terms };
  return { kind: 'asked', approval: ask(transaction, question) };
}

function tooManyQuestions(capability: string, { whose, pending, limit }: Crowded): GateError {
  const mine = whose === 'workspace' ? 'calls of this workspace' : 'of your calls';
  return gateError('TooManyCalls', {
    message: `Cannot ask about ${capability}: ${pending} questions of this ${whose} wait for an answer, the limit is ${limit}`,
    agentMessage: `This call of ${capability} needs approval, and ${pending} ${mine} wait for one already. Nothing was done. Ask what became of those that are pending, or cancel what is not needed any more; do not call again before.`,
    recovery: [
      { action: 'poll', description: 'Ask for the results of the calls that are pending, by their call_id (call.result)' },
      { action: 'cancel', description: 'Cancel those that are not needed any more (call.cancel)' },
      { action: 'wait_and_retry', description: 'Wait until people have decided what waits, then call again', capability },
    ],
    retryable: true,
    context: { capability, pending, limit, of: whose },
  });
}
