/** Capabilities as tools. */
import type { Effect, Tier } from '@warren/kernel';
import { type Definition, toolDescription, toolName } from '@warren/platform';
import type { JsonObject } from '@warren/protocol';
import type { Tool } from './tool-formats.ts';

/** What a call costs in questions, in the words of whoever is going to make it. */
const TIERS: Readonly<Record<Exclude<Tier, 'blocked'>, string>> = {
  autonomous: 'Runs at once.',
  notify: 'Runs at once; people are told.',
  approval_required: 'A person has to approve each call before it runs.',
};

/** `tier`: what a call without surprises gets. */
export function toolOf(definition: Definition, tier: Tier): Tool {
  const { name, purpose, inputSchema, outputSchema } = definition;
  const cost = tier === 'blocked' ? '' : `\n${TIERS[tier]}`;
  return {
    name: toolName(name),
    title: purpose,
    description: `${toolDescription(definition)}${cost}`,
    inputSchema,
    outputSchema,
    annotations: annotationsOf(definition),
    _meta: { 'warren/capability': name, 'warren/tier': tier },
  };
}

function annotationsOf({ effect, sideEffects, tags, inputs, taints, name }: Definition): JsonObject {
  const reaches = taints.includes('web') || name.startsWith('network.') || inputs.some(({ type }) => type === 'URL' || type === 'Host');
  return {
    readOnlyHint: effect === 'read',
    ...(effect !== 'read' && {
      destructiveHint: tags.includes('destructive') || sideEffects.some(({ reversible }) => !reversible),
      idempotentHint: isIdempotent(effect),
    }),
    openWorldHint: reaches,
  };
}

function isIdempotent(effect: Effect): boolean {
  return effect === 'idempotent';
}
