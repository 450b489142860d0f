/** What is wrong with a request itself is a fault; what is wrong with its arguments is an answer. */
import { Fault } from '@warren/protocol';
import { checkWord } from '../internal/payload.ts';
import type { CallRequest } from './gate.ts';
import { KEY_LENGTH_MAX, LABELS_MAX, REASONING_BYTES_MAX, WAIT_MS_DEFAULT, WAIT_MS_MAX } from './limits.ts';

export type CheckedRequest = CallRequest & {
  readonly waitMs: number;
  readonly onAsk: 'wait' | 'return';
  readonly taint: readonly string[];
};

/** Throws `invalid_argument` with the field. */
export function checkRequest(request: CallRequest): CheckedRequest {
  const { pid, capability, idempotencyKey, reasoning, taint = [], onAsk = 'return', waitMs = WAIT_MS_DEFAULT, deadlineMs, via } = request;
  if (!Number.isSafeInteger(pid) || pid < 0) throw invalid('pid', 'it is no process number');
  checkWord(capability, 'capability', 'invalid_argument');
  if (idempotencyKey !== undefined) {
    checkWord(idempotencyKey, 'idempotency_key', 'invalid_argument', 4 * KEY_LENGTH_MAX);
    if (idempotencyKey.length > KEY_LENGTH_MAX) throw invalid('idempotency_key', `it is longer than ${KEY_LENGTH_MAX} characters`);
  }
  if (reasoning !== undefined && (typeof reasoning !== 'string' || Buffer.byteLength(reasoning) > REASONING_BYTES_MAX)) {
    throw invalid('reasoning', `it is no text of at most ${REASONING_BYTES_MAX} bytes`);
  }
  if (!Array.isArray(taint) || taint.length > LABELS_MAX) throw invalid('taint', `it is no list of at most ${LABELS_MAX} labels`);
  for (const label of taint) checkWord(label, 'taint', 'invalid_argument', 64);
  if (via !== undefined) checkWord(via.name, 'via', 'invalid_argument');
  if (onAsk !== 'wait' && onAsk !== 'return') throw invalid('on_ask', 'it is neither wait nor return');
  checkMs(waitMs, 'wait_ms', 0, WAIT_MS_MAX);
  if (deadlineMs !== undefined) checkMs(deadlineMs, 'deadline_ms', 1, Number.MAX_SAFE_INTEGER);
  return { ...request, taint, onAsk, waitMs };
}

export function checkMs(value: number, field: string, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw invalid(field, `it is no whole number from ${least} to ${most}`);
}

function invalid(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot make the call: ${field} is not valid: ${why}`, { details: { field } });
}
