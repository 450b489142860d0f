import type { ActContext, Capability } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';

/** What the gate would hand to a capability. Throws when it refuses the input. */
export function actContext(capability: Capability, input: JsonObject, changes: Partial<ActContext> = {}): ActContext {
  const parsed = capability.parse(input);
  if (parsed.kind === 'invalid') throw new Error(parsed.problems.map(({ field, reason }) => `${field} ${reason}`).join('; '));
  return {
    actor: { workspace: DEFAULT_WORKSPACE, pid: 1, agent: 'ada' },
    callId: 'call_1',
    input: parsed.input,
    taint: [],
    facts: capability.facts(parsed.input),
    signal: new AbortController().signal,
    deadlineAt: Date.now() + 10_000,
    progress: () => {},
    redact: (text) => text,
    ...changes,
  };
}
