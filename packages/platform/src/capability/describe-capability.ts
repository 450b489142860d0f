/** A definition as people and models are shown it: data for the command line, the gateway and the docs. */
import type { JsonObject } from '@warren/protocol';
import type { Definition } from './definition.ts';

export function describeCapability(definition: Definition): JsonObject {
  const { name, version, purpose, whenToUse, whenNotToUse, effect, tier, tags, deadlineMs, concurrencyMax, taints, uses, pack } =
    definition;
  return {
    name,
    version,
    purpose,
    when_to_use: whenToUse,
    ...(whenNotToUse !== undefined && { when_not_to_use: whenNotToUse }),
    effect,
    permission_tier: tier,
    tags,
    deadline_ms: { default: deadlineMs.default, max: deadlineMs.max },
    concurrency: concurrencyMax,
    taints,
    uses,
    pack: pack ?? null,
    input_schema: definition.inputSchema,
    output_schema: definition.outputSchema,
    side_effects: definition.sideEffects,
    common_patterns: definition.patterns,
    errors: definition.errors.map((error) => ({
      type: error.type,
      description: error.description,
      retryable: error.retryable,
      ...(error.retryAfterMs !== undefined && { retry_after_ms: error.retryAfterMs }),
      recovery: error.recovery.map(({ action, description, capability, input }) => ({
        action,
        description,
        ...(capability !== undefined && { capability }),
        ...(input !== undefined && { input }),
      })),
    })),
    examples: definition.examples.map(({ description, input, output, error }) => ({
      description,
      input,
      ...(output !== undefined && { output }),
      ...(error !== undefined && { error }),
    })),
  };
}

/** What a model is told when it is to use the capability: short, since it is told of all at once. */
export function toolDescription({ purpose, whenToUse, whenNotToUse }: Definition): string {
  return [`${purpose}.`, whenToUse, ...(whenNotToUse === undefined ? [] : [whenNotToUse])].join('\n');
}
