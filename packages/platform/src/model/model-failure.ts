/** What can go wrong when a model is asked: a fault for whoever asked, and what could help, for retries, rotation of keys and fallbacks. */
import { Fault, type FaultCode, isFault } from '@warren/protocol';

type Terms = {
  readonly code: FaultCode;
  /** The same request may succeed later. */
  readonly again: boolean;
  /** It may succeed with another key. */
  readonly otherKey: boolean;
  /** It may succeed with another model. */
  readonly otherModel: boolean;
};

export const MODEL_FAILURES = {
  /** Too many requests or tokens in a while. Details: `retry_after_ms`, when the provider says it. */
  rate_limited: { code: 'rate_limited', again: true, otherKey: true, otherModel: true },
  /** It has too much to do, or is down. */
  overloaded: { code: 'unavailable', again: true, otherKey: false, otherModel: true },
  /** Nobody answers there. */
  unreachable: { code: 'unavailable', again: true, otherKey: false, otherModel: true },
  /** It does not begin to answer, or stops in the middle without an end. */
  timeout: { code: 'unavailable', again: true, otherKey: false, otherModel: true },
  /** The stream ended before the answer did. */
  cut: { code: 'unavailable', again: true, otherKey: false, otherModel: true },
  /** What it says cannot be understood. */
  garbled: { code: 'unavailable', again: true, otherKey: false, otherModel: true },
  /** There is no key, or it is not taken. */
  key_refused: { code: 'permission_denied', again: false, otherKey: true, otherModel: true },
  /** The account has nothing left. */
  unpaid: { code: 'permission_denied', again: false, otherKey: true, otherModel: true },
  unknown_model: { code: 'not_found', again: false, otherKey: false, otherModel: true },
  /** More than the model can be told. Details: `input_tokens`, `context_tokens`, where they are known. Less has to be said. */
  context_too_long: { code: 'too_large', again: false, otherKey: false, otherModel: true },
  /** The provider takes no such request. */
  bad_request: { code: 'invalid_argument', again: false, otherKey: false, otherModel: false },
  /** The provider will not have it asked. */
  refused: { code: 'permission_denied', again: false, otherKey: false, otherModel: false },
  /** It says more than anybody waits for. */
  answer_too_large: { code: 'too_large', again: false, otherKey: false, otherModel: false },
  /** The script has no turn left. */
  script_ended: { code: 'unavailable', again: false, otherKey: false, otherModel: false },
} as const satisfies Record<string, Terms>;

export type ModelFailureReason = keyof typeof MODEL_FAILURES;

export type ModelFailure = {
  readonly model: string;
  readonly reason: ModelFailureReason;
  /** Completes the sentence; without any key. */
  readonly why: string;
  readonly retryAfterMs?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
};

export function modelFault({ model, reason, why, retryAfterMs, details, cause }: ModelFailure): Fault {
  return new Fault(MODEL_FAILURES[reason].code, `Cannot ask ${model}: ${why}`, {
    details: { model, reason, ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }), ...details },
    ...(cause !== undefined && { cause }),
  });
}

/** Undefined: it is no failure of a model. */
export function failureReasonOf(error: unknown): ModelFailureReason | undefined {
  const reason = isFault(error) ? (error.details as Readonly<Record<string, unknown>> | undefined)?.['reason'] : undefined; // Details are facts by name.
  return typeof reason === 'string' && Object.hasOwn(MODEL_FAILURES, reason) ? (reason as ModelFailureReason) : undefined; // It is one of them.
}

export function retryAfterOf(error: unknown): number | undefined {
  const ms = isFault(error) ? (error.details as Readonly<Record<string, unknown>> | undefined)?.['retry_after_ms'] : undefined; // As above.
  return typeof ms === 'number' ? ms : undefined;
}
