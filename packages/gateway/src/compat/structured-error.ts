/** What went wrong with a call, in the words of an earlier system: its long form, and the short names that some of its clients read. */
import type { CallError } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { toCallError } from '../operations/record/call.ts';

export function structuredError(error: CallError): JsonObject {
  const { type, message, agent_message, recovery, retryable, retry_after_ms, context } = toCallError(error);
  const actions = recovery.map(({ input, ...step }) => ({ ...step, ...(input !== undefined && { inputs: input }) })) as JsonObject[]; // Made of JSON.
  return {
    ...{ error_type: type, description: message, agent_description: agent_message, recovery_actions: actions, retryable },
    ...{ retry_after: retry_after_ms === null ? null : Math.ceil(retry_after_ms / 1_000), context },
    ...{ type, message, recovery: actions },
  };
}
