import type { Definition } from '@warren/platform';
import type { CapabilityDescription, CapabilitySummary } from '@warren/protocol/contract';

export function toCapabilitySummary({ name, version, purpose, tier, effect, tags, pack }: Definition): CapabilitySummary {
  return { name, version, category: name.slice(0, name.indexOf('.')), purpose, tier, effect, tags, pack: pack ?? null };
}

export function toCapabilityDescription(definition: Definition): CapabilityDescription {
  const {
    whenToUse,
    whenNotToUse = null,
    inputSchema,
    outputSchema,
    sideEffects,
    patterns,
    errors,
    deadlineMs,
    concurrencyMax,
    taints,
    uses,
  } = definition;
  return {
    ...toCapabilitySummary(definition),
    ...{ when_to_use: whenToUse, when_not_to_use: whenNotToUse, input_schema: inputSchema, output_schema: outputSchema },
    side_effects: sideEffects,
    common_patterns: patterns,
    errors: errors.map(({ type, description, retryable, retryAfterMs, recovery }) => ({
      ...{ type, description, retryable, retry_after_ms: retryAfterMs ?? null },
      recovery: recovery.map(({ action, description: text, capability, input }) => ({
        action,
        description: text,
        ...(capability === undefined ? {} : { capability }),
        ...(input === undefined ? {} : { input }),
      })),
    })),
    deadline_ms: deadlineMs,
    concurrency: concurrencyMax,
    ...{ taints, uses },
  };
}
