/** A capability as an earlier system lists and describes it. */
import type { Tier } from '@warren/kernel';
import type { Definition } from '@warren/platform';
import type { JsonObject } from '@warren/protocol';
import { toCapabilityDescription } from '../operations/record/capability.ts';

type Field = Definition['inputs'][number];

export function toItem({ name, version, purpose, inputs, outputs }: Definition, tier: Tier): JsonObject {
  return { name, version, purpose, permission_tier: tier, inputs: inputs.map(toField), outputs: outputs.map(toField) };
}

export function toItemDescription(definition: Definition, tier: Tier): JsonObject {
  const { when_to_use, common_patterns, errors, input_schema } = toCapabilityDescription(definition);
  const described = { when_to_use, common_patterns, errors, input_schema } as unknown as JsonObject; // Made of JSON.
  return { ...toItem(definition, tier), ...described };
}

function toField({ name, type, required, description, default: otherwise }: Field): JsonObject {
  return { name, type, required, description, ...(otherwise !== undefined && { default: otherwise }) };
}
