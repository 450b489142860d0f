/** Puts together what a definition says and a handler does: what the gate calls. */
import { posix } from 'node:path';
import type { ActContext, CallError, Capability, RecoveryStep } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';
import { compileFacts } from './compile-facts.ts';
import { isObject } from './compile-field.ts';
import { compileInput } from './compile-input.ts';
import { compileRedaction, compileWholeRedaction } from './compile-redaction.ts';
import type { Definition, ErrorDefinition, Field } from './definition.ts';
import { CapabilityError, type HandlerResult } from './handler.ts';

export type CapabilityParts = {
  readonly definition: Definition;
  readonly sharedErrors: ReadonlyMap<string, ErrorDefinition>;
  readonly act: (context: ActContext) => Promise<HandlerResult>;
  /** The capabilities there are when it is called. */
  readonly find?: ((name: string) => Capability | undefined) | undefined;
};

/** Steps of a recovery, filled in, repeat no text longer than this. */
const FILLED_LENGTH_MAX = 4_096;
const PLACEHOLDER = /^\{([A-Za-z][A-Za-z0-9_-]*)\}$/;

export function createCapability({ definition, sharedErrors, act, find }: CapabilityParts): Capability {
  const { name, version, effect, tier, tags, deadlineMs, concurrencyMax, taints, inputs } = definition;
  const errors = new Map<string, ErrorDefinition>(definition.errors.map((error) => [error.type, error]));
  const secretNames = new Set(inputs.filter(({ isSecret }) => isSecret).map((field: Field) => field.name));
  return {
    name,
    version,
    effect,
    defaultTier: tier,
    tags,
    deadlineMs,
    concurrencyMax,
    taints,
    parse: whenCalled(() => compileInput(inputs)),
    facts: whenCalled(() => compileFacts(inputs)),
    redact: whenCalled(() => compileRedaction(inputs, find)),
    redactWhole: whenCalled(() => compileWholeRedaction(inputs, find)),
    async act(context) {
      try {
        const { output, usage, taint } = await act(context);
        if (!isObject(output)) throw new Error(`The handler of ${name} answers no object`);
        return { kind: 'done', output, usage, taint };
      } catch (error) {
        if (!(error instanceof CapabilityError)) throw error;
        const known = errors.get(error.type) ?? sharedErrors.get(error.type); // What is worded for all is an outcome, also where a definition forgot to name it.
        if (known === undefined)
          throw new Error(`The handler of ${name} answers the error ${error.type}, which its definition does not name`, { cause: error });
        const input = secretNames.size === 0 ? context.input : withoutSecrets(context.input, secretNames);
        return { kind: 'failed', error: toCallError(error, known, input), usage: error.usage };
      }
    },
  };
}

/** Compiled at the first call: most capabilities are never called, and a start makes all of them. */
function whenCalled<Result>(compile: () => (input: JsonObject) => Result): (input: JsonObject) => Result {
  let compiled: ((input: JsonObject) => Result) | undefined;
  return (input) => {
    compiled ??= compile();
    return compiled(input);
  };
}

function toCallError(error: CapabilityError, known: ErrorDefinition, input: JsonObject): CallError {
  const values = fillings(input, error.context);
  const [advice] = known.recovery;
  return {
    type: error.type,
    message: error.message,
    agentMessage: error.agentMessage ?? (advice === undefined ? error.message : `${error.message}. ${advice.description}`),
    recovery: known.recovery.map((step) => fill(step, values)),
    retryable: known.retryable,
    retryAfterMs: error.retryAfterMs ?? known.retryAfterMs,
    context: error.context,
  };
}

/** What the placeholders of recovery steps stand for: what the error says, else what the caller said; `{parent}` is the directory of the path. */
function fillings(input: JsonObject, context: JsonObject | undefined): JsonObject {
  const values: Record<string, JsonValue> = { ...input, ...context };
  if (values['parent'] === undefined && typeof values['path'] === 'string') values['parent'] = posix.dirname(values['path']);
  return values;
}

function fill(step: ErrorDefinition['recovery'][number], values: JsonObject): RecoveryStep {
  const { action, description, capability, input } = step;
  if (input === undefined) return { action, description, capability };
  const filled = Object.entries(input).flatMap(([name, value]) => {
    const placeholder = typeof value === 'string' ? PLACEHOLDER.exec(value)?.[1] : undefined;
    if (placeholder === undefined) return [[name, value] as const];
    const found = Object.hasOwn(values, placeholder) ? values[placeholder] : undefined;
    const isShort =
      typeof found === 'number' || typeof found === 'boolean' || (typeof found === 'string' && found.length <= FILLED_LENGTH_MAX);
    return isShort ? [[name, found] as const] : [];
  });
  return { action, description, capability, input: Object.fromEntries(filled) };
}

function withoutSecrets(input: JsonObject, secretNames: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !secretNames.has(name)));
}
