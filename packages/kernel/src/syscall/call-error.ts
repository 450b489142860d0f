/** Errors as agents read them: what happened, what to do, and capabilities that can be called for it. */
import type { JsonObject } from '../internal/json.ts';
import type { CallError, CapabilityTable, RecoveryStep } from './capability.ts';
import type { GateErrorType } from './gate-errors.ts';
import { ERROR_TEXT_MAX } from './limits.ts';

export type GateError = CallError & { readonly type: GateErrorType };

type Words = {
  readonly message: string;
  readonly agentMessage: string;
  readonly recovery?: readonly RecoveryStep[] | undefined;
  readonly retryable?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly context?: JsonObject | undefined;
};

export function gateError(
  type: GateErrorType,
  { message, agentMessage, recovery = [], retryable = false, retryAfterMs, context }: Words,
): GateError {
  return { type, message, agentMessage, recovery, retryable, retryAfterMs, context };
}

/** A defect of ours or of an implementation. What it was stands in the audit; who asked learns that it was not their doing. */
export function internalError(message: string, agentMessage: string, context?: JsonObject): GateError {
  return gateError('InternalError', { message, agentMessage, context });
}

/** What recovery steps may name: capabilities that exist. */
export function onlyExisting(error: CallError, capabilities: CapabilityTable): CallError {
  if (error.recovery.length === 0) return error;
  const recovery = error.recovery.map((step) =>
    step.capability === undefined || capabilities.find(step.capability) !== undefined
      ? step
      : { action: step.action, description: step.description },
  );
  return { ...error, recovery };
}

/** Every text of an error without secrets and not too long, whoever wrote it. */
export function cleanError(error: CallError, redact: (text: string) => string, clean: (value: JsonObject) => JsonObject): CallError {
  const text = (value: unknown): string => redact(String(value)).slice(0, ERROR_TEXT_MAX).toWellFormed();
  return {
    type: /^[A-Z][A-Za-z0-9]{0,63}$/.test(error.type) ? error.type : 'InternalError',
    message: text(error.message),
    agentMessage: text(error.agentMessage),
    recovery: error.recovery.slice(0, 16).map(({ action, description, capability, input }) => ({
      action: text(action),
      description: text(description),
      ...(capability !== undefined && { capability: text(capability) }),
      ...(input !== undefined && { input: clean(input) }),
    })),
    retryable: error.retryable === true,
    ...(Number.isFinite(error.retryAfterMs) && { retryAfterMs: error.retryAfterMs }),
    ...(error.context !== undefined && { context: clean(error.context) }),
  };
}
