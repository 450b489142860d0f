/** Step 9: what an implementation brought becomes an answer: JSON within bounds, without secrets, and an error that says what happened. */
import { isFault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { ActEnd } from './act.ts';
import { cleanError, gateError, internalError, onlyExisting } from './call-error.ts';
import type { Stop } from './call-watch.ts';
import type { Acted, CallError, Capability, CapabilityTable, Usage } from './capability.ts';
import { copyJson } from './copy-json.ts';
import { ERROR_TEXT_MAX, KEPT_MS, OUTPUT_BYTES_MAX } from './limits.ts';
import type { Redact } from './redact.ts';

export type Outcome = {
  readonly result: { readonly kind: 'done'; readonly output: JsonObject } | { readonly kind: 'failed'; readonly error: CallError };
  readonly usage: Usage;
  readonly taint: readonly string[];
  /** What an implementation threw, for the audit alone: it may name what agents must not see. */
  readonly defect?: string | undefined;
};

export type AnswerParts = { readonly capability: Capability; readonly capabilities: CapabilityTable; readonly redact: Redact };

const CONTEXT_BYTES_MAX = 65_536;
const LABELS_MAX = 32;
const DIMENSIONS_MAX = 32;

/** `stop`: why it was told to end, when it was. What it finished all the same counts as done. */
export function redactAnswer(end: ActEnd, stop: Stop | undefined, parts: AnswerParts): Outcome {
  const { capability } = parts;
  switch (end.kind) {
    case 'acted': {
      const outcome = fromActed(end.acted, parts);
      if (stop === undefined || outcome.result.kind === 'done') return outcome;
      return { ...failed(stoppedError(capability, stop, 'ended'), parts), usage: outcome.usage, defect: outcome.result.error.message };
    }
    case 'threw': {
      const error = stop === undefined ? thrown(capability.name, end.error) : stoppedError(capability, stop, 'ended');
      return { ...failed(error, parts), defect: describeDefect(end.error, parts.redact) };
    }
    case 'abandoned':
      return failed(stoppedError(capability, end.stop, 'abandoned'), parts);
    case 'never_began':
      return failed(stoppedError(capability, end.stop, 'never_began'), parts, []);
    default:
      end satisfies never;
      throw new Error('A call ended in no known way');
  }
}

/** It comes from an implementation: every part of it may be anything. */
function fromActed(acted: Acted, parts: AnswerParts): Outcome {
  const { capability, redact } = parts;
  try {
    const usage = readUsage(acted.usage);
    if (acted.kind === 'failed') return { ...failed(acted.error, parts), usage };
    if (acted.kind !== 'done') return { ...failed(notJson(capability.name, 'it returned neither a result nor an error'), parts), usage };
    const copied = copyJson(acted.output, { bytesMax: OUTPUT_BYTES_MAX, redact });
    if (copied.kind === 'copied') {
      return { result: { kind: 'done', output: copied.value }, usage, taint: readTaint(capability, acted.taint) };
    }
    const error =
      copied.kind === 'too_large' ? tooLarge(capability.name, copied.reason) : notJson(capability.name, copied.reason, copied.field);
    return { ...failed(error, parts), usage };
  } catch {
    return failed(notJson(capability.name, 'what it returned cannot be read'), parts); // An accessor of theirs threw; what is of no interest.
  }
}

function failed(error: CallError, parts: AnswerParts, taint: readonly string[] = parts.capability.taints): Outcome {
  return { result: { kind: 'failed', error: cleaned(error, parts) }, usage: NOTHING, taint };
}

function cleaned(error: CallError, { capabilities, redact }: Omit<AnswerParts, 'capability'>): CallError {
  const clean = (value: JsonObject): JsonObject => {
    const copied = copyJson(value, { bytesMax: CONTEXT_BYTES_MAX, redact });
    return copied.kind === 'copied' ? copied.value : {};
  };
  return onlyExisting(cleanError(error, redact, clean), capabilities);
}

/** An error of the gate itself, as it leaves. */
export function cleanGateError(error: CallError, parts: Omit<AnswerParts, 'capability'>): CallError {
  return cleaned(error, parts);
}

function readTaint({ taints }: Capability, more: unknown): readonly string[] {
  if (!Array.isArray(more) || more.length === 0) return taints;
  const labels = more.filter((label): label is string => typeof label === 'string' && /^[\w.:-]{1,64}$/.test(label));
  return [...new Set([...taints, ...labels])].slice(0, LABELS_MAX);
}

function readUsage(usage: unknown): Usage {
  if (typeof usage !== 'object' || usage === null) return NOTHING;
  const measured = Object.entries(usage)
    .filter(([dim, amount]) => /^[a-z][a-z0-9_]{0,63}$/.test(dim) && typeof amount === 'number' && amount >= 0 && dim !== 'tool_calls')
    .slice(0, DIMENSIONS_MAX)
    .map(([dim, amount]) => [dim, Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(amount))] as const);
  return Object.fromEntries(measured);
}

const NOTHING: Usage = {};

function thrown(capability: string, error: unknown): CallError {
  const code = isFault(error) ? error.code : 'internal';
  return internalError(
    `Cannot finish ${capability}: its implementation failed: ${code}`,
    `${capability} failed because of a defect of its own. It is not known whether it had an effect; look before you repeat it.`,
    { capability, fault: code },
  );
}

function describeDefect(error: unknown, redact: Redact): string {
  try {
    return redact(error instanceof Error ? `${error.name}: ${error.message}` : `it threw a ${typeof error}`).slice(0, ERROR_TEXT_MAX);
  } catch {
    return 'it threw what cannot be read';
  }
}

function notJson(capability: string, reason: string, field = ''): CallError {
  return internalError(
    `Cannot answer the call of ${capability}: its result is not valid: ${field === '' ? '' : `${field}: `}${reason}`,
    `${capability} was carried out, but its result cannot be read because of a defect of its own. Its effect happened; do not repeat it before you looked.`,
    { capability, effect: 'happened' },
  );
}

function tooLarge(capability: string, reason: string): CallError {
  return gateError('OutputTooLarge', {
    message: `Cannot answer the call of ${capability}: its result is too large: ${reason}`,
    agentMessage: `${capability} was carried out, but its result is larger than ${OUTPUT_BYTES_MAX} bytes and cannot be shown. Its effect happened. Ask for less at a time.`,
    recovery: [{ action: 'ask_for_less', description: 'Ask for a part: a range, a limit, a narrower path', capability }],
    context: { capability, limit_bytes: OUTPUT_BYTES_MAX, effect: 'happened' },
  });
}

/** `never_began`: certainly nothing happened. `ended`, `abandoned`: it began, and how far it came is not known. */
export function stoppedError({ name, effect }: Capability, stop: Stop, how: 'never_began' | 'ended' | 'abandoned'): CallError {
  const happened =
    how === 'never_began'
      ? 'Nothing was done.'
      : effect === 'read'
        ? 'It changes nothing.'
        : 'It is not known how far it came; look before you repeat it.';
  const context = { capability: name, effect: how === 'never_began' ? 'none' : effect === 'read' ? 'none' : 'unknown' };
  switch (stop.kind) {
    case 'deadline':
      return gateError('Timeout', {
        message: `Cannot finish ${name}: its deadline of ${stop.deadlineMs} ms passed${how === 'abandoned' ? ' and it did not end when told to' : ''}`,
        agentMessage: `${name} took longer than ${stop.deadlineMs / 1_000} seconds and was stopped. ${happened}`,
        recovery: [{ action: 'increase_timeout', description: 'Call again with a longer deadline, or ask for less', capability: name }],
        retryable: effect !== 'once' || how === 'never_began',
        context: { ...context, operation: name, timeout_seconds: stop.deadlineMs / 1_000 },
      });
    case 'grant_lost':
      return { ...stop.error, context: { ...stop.error.context, ...context } };
    case 'process_ended':
      return gateError('Cancelled', {
        message: `Cannot finish ${name}: its process ended`,
        agentMessage: `The process that called ${name} ended. ${happened}`,
        context,
      });
    case 'closing':
      return gateError('Cancelled', {
        message: `Cannot finish ${name}: Warren is stopping`,
        agentMessage: `Warren was stopped while ${name} was under way. ${happened}`,
        retryable: effect !== 'once' || how === 'never_began',
        context,
      });
    case 'caller':
    case 'cancelled':
      return gateError('Cancelled', {
        message: `Cannot finish ${name}: it was cancelled`,
        agentMessage: `The call of ${name} was cancelled. ${happened}`,
        retryable: effect !== 'once' || how === 'never_began',
        context,
      });
    default:
      stop satisfies never;
      throw new Error('A call was stopped for no known reason');
  }
}

export function outcomeUnknown(capability: string, effect: Capability['effect']): CallError {
  const isRepeatable = effect !== 'once';
  return gateError('OutcomeUnknown', {
    message: `Cannot tell how the call of ${capability} ended: Warren stopped while it was under way`,
    agentMessage: isRepeatable
      ? `Warren stopped while ${capability} was under way. Repeating it does no harm: call again, with the same key if it had one.`
      : `Warren stopped while ${capability} was under way, and it may have had its effect. Find out whether it did before you do it again.`,
    recovery: [
      isRepeatable
        ? { action: 'retry', description: 'Make the same call again', capability }
        : { action: 'check_effect', description: 'Look whether it happened; ask an operator if you cannot tell' },
    ],
    retryable: isRepeatable,
    context: { capability, effect: 'unknown', kept_seconds: KEPT_MS / 1_000 },
  });
}
