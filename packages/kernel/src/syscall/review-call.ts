/**
 * Between validating a call and deciding about it: whoever opened the gate may have somebody look at it, who may change its arguments or forbid it. The gate knows no
 * more of them than one function, which answers at once where nobody looks. Arguments that were changed are validated like any others, and it is them that
 * policy decides, people approve and the audit records. Fail closed: what goes wrong while somebody looks forbids the call.
 */
import { Fault } from '@warren/protocol';
import type { CallRow } from '../store/tables/call-table.ts';
import { type GateError, gateError } from './call-error.ts';
import { gaveUp } from './gate-faults.ts';
import type { GateShared, PreparedCall } from './gate-parts.ts';
import { readRecord } from './journal-record.ts';
import type { Review, ReviewedCall, Verdict } from './review.ts';
import { type ValidCall, validateInput } from './validate-input.ts';

/** `as`: the call to go on with. */
export type Reviewed =
  | { readonly kind: 'valid'; readonly as: Pick<PreparedCall, 'valid' | 'askedHash'> }
  | { readonly kind: 'refused'; readonly error: GateError };

export type ReviewParts = Pick<GateShared, 'store' | 'life'>;

export function reviewedCall({ workspace, pid, callId, valid }: PreparedCall): ReviewedCall {
  return { workspace, pid, callId, capability: valid.capability.name, input: valid.input };
}

/** Throws `aborted` when the caller gives up, `unavailable` when the gate closes. */
export async function reviewCall(
  { store, life }: ReviewParts,
  { workspace, pid, valid, redact, idempotencyKey }: PreparedCall,
  before: NonNullable<Review['before']>,
  signal: AbortSignal | undefined,
): Promise<Reviewed> {
  const asIs = { kind: 'valid', as: { valid, askedHash: undefined } } as const;
  // Its first answer is given again, whatever would be said about it now.
  const isKnown =
    idempotencyKey !== undefined &&
    (await store.workspace(workspace).read(({ calls }) => calls.findByKey(pid, idempotencyKey))) !== undefined;
  if (isKnown) return asIs;
  const verdict = await look(before, signal === undefined ? life.cut : AbortSignal.any([signal, life.cut])).catch((error: unknown) => {
    if (signal?.aborted === true) throw gaveUp();
    if (life.cut.aborted) throw new Fault('unavailable', 'Cannot make the call: Warren is stopping');
    return { kind: 'vetoed', by: 'review', reason: `it failed: ${error instanceof Error ? error.message : 'with no error'}` } as const;
  });
  const { capability } = valid;
  if (verdict.kind === 'vetoed') return { kind: 'refused', error: vetoed(capability.name, verdict.by, redact(verdict.reason)) };
  if (verdict.input === valid.input) return asIs;
  const validated = validateInput(pid, capability, verdict.input, redact);
  if (validated.kind === 'valid') {
    const askedHash = validated.call.callHash === valid.callHash ? undefined : valid.callHash;
    return { kind: 'valid', as: { valid: validated.call, askedHash } };
  }
  const why = `what it made of the arguments is not valid: ${validated.error.message}`;
  return { kind: 'refused', error: vetoed(capability.name, 'review', why) };
}

async function look(before: NonNullable<Review['before']>, signal: AbortSignal): Promise<Verdict> {
  signal.throwIfAborted();
  return await before(signal);
}

/** The call as it was carried out, and is again, whatever was made of its arguments then. */
export function asBefore(valid: ValidCall, { hash, pid, input }: CallRow, redact: (text: string) => string): ValidCall {
  if (hash === valid.callHash || input === undefined) return valid;
  const validated = validateInput(pid, valid.capability, input, redact);
  return validated.kind === 'valid' ? validated.call : valid; // Its definition is another by now: then it is as it is asked for.
}

/** Whether this row is of the same call, as it was asked for or as it was carried out. */
export function isSameCall(row: CallRow, valid: ValidCall, askedHash: string | undefined): boolean {
  const asked = readRecord(row.record).askedHash ?? row.hash;
  return row.hash === valid.callHash || asked === (askedHash ?? valid.callHash);
}

function vetoed(name: string, by: string, reason: string): GateError {
  return gateError('Vetoed', {
    message: `Cannot call ${name}: ${by} vetoes it: ${reason}`,
    agentMessage: `A check that your operator set up (${by}) does not allow this call of ${name}. Nothing was done. Its reason: ${reason}. Do not try it in another way.`,
    recovery: [{ action: 'request_escalation', description: 'Ask the person you work for, and tell them which check stands in the way' }],
    context: { capability: name, by },
  });
}
