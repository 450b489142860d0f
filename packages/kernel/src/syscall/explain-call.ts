/** What would be decided about a call, for people who ask. Nothing is carried out, counted or recorded. */
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { Decision, Policy } from '../policy/policy.ts';
import type { ReadTransaction } from '../store/store.ts';
import type { CapabilityTable } from './capability.ts';
import { decideCall } from './decide-call.ts';
import { resolveCall } from './resolve-call.ts';
import { validateInput } from './validate-input.ts';

export type CallQuestion = {
  readonly agent: string;
  readonly capability: string;
  readonly input: JsonObject;
  readonly taint: readonly string[];
  /** Milliseconds since 1970; default now. */
  readonly at: number | undefined;
};

/** Faults: `not_found` (the capability), `invalid_argument` (its arguments). */
export function explainCall(transaction: ReadTransaction, capabilities: CapabilityTable, policy: Policy, question: CallQuestion): Decision {
  const { agent, input, taint, at } = question;
  const resolved = resolveCall(capabilities, question.capability);
  if (resolved.kind === 'refused') throw new Fault('not_found', reworded(resolved.error.message));
  const validated = validateInput(0, resolved.capability, input, (text) => text);
  if (validated.kind === 'refused') throw new Fault('invalid_argument', reworded(validated.error.message));
  return decideCall(transaction, policy, validated.call, { pid: 0, agent, taint }, false, at).decision;
}

/** Nobody wanted to call it. */
function reworded(message: string): string {
  return message.replace(/^Cannot call /, 'Cannot explain a call of ');
}
