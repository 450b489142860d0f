/**
 * What a call was about, as its entry of the audit keeps it: only where that cannot be read again from the arguments as they are recorded, because something of them was left
 * out or shortened. So a recorded call can be decided again under other rules as it was decided then. Texts are those of the redacted arguments; numbers hide nothing.
 */
import type { JsonObject } from '../internal/json.ts';
import { isEqual } from '../policy/condition/is-equal.ts';
import { type CallFacts, NO_FACTS } from '../policy/policy.ts';
import type { Capability } from './capability.ts';
import { copyJson } from './copy-json.ts';
import { RECORDED_BYTES_MAX } from './limits.ts';

type FactsParts = {
  readonly capability: Capability;
  readonly input: JsonObject;
  /** The same as it is recorded. */
  readonly recorded: JsonObject;
  readonly facts: CallFacts;
  readonly redact: (text: string) => string;
};

/** Undefined when the recorded arguments say it all. */
export function recordFacts({ capability, input, recorded, facts, redact }: FactsParts): JsonObject | undefined {
  if (facts === NO_FACTS || isEqual(input, recorded)) return undefined;
  const { contentBytes, estimate } = facts;
  const counted = { ...(contentBytes !== undefined && { content_bytes: contentBytes }), estimate };
  const { paths, hosts, commands } = redactedFacts(capability, input);
  const copied = copyJson({ paths, hosts, commands, ...counted }, { bytesMax: RECORDED_BYTES_MAX, redact });
  return copied.kind === 'copied' ? copied.value : { ...counted, is_cut: true };
}

function redactedFacts(capability: Capability, input: JsonObject): CallFacts {
  try {
    return capability.facts(capability.redact(input));
  } catch {
    return NO_FACTS; // What is left of an argument is none any more: nothing is known of it then.
  }
}

export function readRecordedFacts(details: JsonObject | undefined): CallFacts | undefined {
  const facts = details?.['facts'] as (Partial<CallFacts> & { readonly content_bytes?: number }) | undefined; // `recordFacts` wrote it.
  if (facts === undefined) return undefined;
  const { paths = [], hosts = [], commands = [], content_bytes: contentBytes, estimate = {} } = facts;
  return { paths, hosts, commands, contentBytes, estimate };
}
