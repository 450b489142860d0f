/** Step 2: arguments become valid ones, and what they are about is read from them. */
import type { JsonObject } from '../internal/json.ts';
import { shortenJson } from '../internal/shorten-json.ts';
import type { CallFacts } from '../policy/policy.ts';
import { type GateError, gateError, internalError } from './call-error.ts';
import type { Capability } from './capability.ts';
import { copyJson } from './copy-json.ts';
import { hashCall, hashInput } from './hash-call.ts';
import { INPUT_BYTES_MAX, RECORDED_BYTES_MAX, SHOWN_BYTES_MAX } from './limits.ts';
import { recordFacts } from './recorded-facts.ts';

/** A call that is understood, whether it may be made or not. */
export type ValidCall = {
  readonly capability: Capability;
  readonly input: JsonObject;
  readonly facts: CallFacts;
  /** As it may be recorded and read by people. */
  readonly recorded: JsonObject;
  /** What of `facts` cannot be read again from `recorded`. */
  readonly recordedFacts: JsonObject | undefined;
  readonly inputHash: string;
  readonly callHash: string;
};

export type Validated = { readonly kind: 'valid'; readonly call: ValidCall } | { readonly kind: 'refused'; readonly error: GateError };

export function validateInput(pid: number, capability: Capability, input: unknown, redact: (text: string) => string): Validated {
  const copied = copyJson(input, { bytesMax: INPUT_BYTES_MAX, isStrict: true });
  if (copied.kind !== 'copied') return invalid(capability, [{ field: copied.field, reason: copied.reason }]);
  try {
    const parsed = capability.parse(copied.value);
    if (parsed.kind === 'invalid') return invalid(capability, parsed.problems);
    const inputHash = hashInput(parsed.input);
    const facts = capability.facts(parsed.input);
    const recorded = recordedInput(capability, parsed.input, redact);
    return {
      kind: 'valid',
      call: {
        capability,
        input: parsed.input,
        facts,
        recorded,
        recordedFacts: recordFacts({ capability, input: parsed.input, recorded, facts, redact }),
        inputHash,
        callHash: hashCall(pid, capability.name, inputHash),
      },
    };
  } catch (error) {
    return {
      kind: 'refused',
      error: internalError(
        `Cannot read the arguments of ${capability.name}: its definition failed: ${redact(String(error))}`,
        `${capability.name} could not read these arguments because of a defect of its own; nothing was done. Other arguments may work.`,
        { capability: capability.name },
      ),
    };
  }
}

function recordedInput(capability: Capability, input: JsonObject, redact: (text: string) => string): JsonObject {
  const copied = copyJson(capability.redact(input), { bytesMax: INPUT_BYTES_MAX, redact });
  return copied.kind === 'copied' ? shortenJson(copied.value, RECORDED_BYTES_MAX) : { unreadable: copied.reason };
}

/** All of them, for those who decide; undefined when they cannot be shown. */
export function wholeInput(capability: Capability, input: JsonObject, redact: (text: string) => string): JsonObject | undefined {
  const copied = copyJson(capability.redactWhole(input), { bytesMax: SHOWN_BYTES_MAX, redact });
  return copied.kind === 'copied' ? copied.value : undefined;
}

const PROBLEMS_MAX = 20;

function invalid(capability: Capability, problems: readonly { readonly field: string; readonly reason: string }[]): Validated {
  const shown = problems.slice(0, PROBLEMS_MAX).map(({ field, reason }) => ({ field: field.slice(0, 200), reason: reason.slice(0, 500) }));
  const list = shown.map(({ field, reason }) => (field === '' ? reason : `${field}: ${reason}`)).join('; ');
  return {
    kind: 'refused',
    error: gateError('InvalidInput', {
      message: `Cannot call ${capability.name}: its arguments are not valid: ${list}`,
      agentMessage: `The arguments of ${capability.name} are not valid: ${list}. Nothing was done. Correct them and call again.`,
      recovery: [
        { action: 'fix_input', description: 'Correct the fields that are named and call again', capability: capability.name },
        { action: 'read_definition', description: 'Read what this capability takes', capability: 'agent.capabilities' },
      ],
      context: { capability: capability.name, field: shown[0]?.field ?? '', reason: shown[0]?.reason ?? '', problems: shown },
    }),
  };
}
