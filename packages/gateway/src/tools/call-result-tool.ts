/** The one tool that is no capability: it asks what became of a call. It carries nothing out, so it does not pass the gate. */
import { Fault, type JsonObject } from '@warren/protocol';
import type { Tool } from './tool-formats.ts';

export const CALL_RESULT = 'warren__call_result';
const WAIT_MS_MAX = 600_000;

export const CALL_RESULT_TOOL: Tool = {
  name: CALL_RESULT,
  title: 'Result of an earlier call',
  description:
    'Answers what became of a call that waited for approval, or was made with an idempotency key: its result, its error, or that it still waits.\nTo use after ApprovalPending, with the call_id it gave. It runs nothing.',
  inputSchema: {
    type: 'object',
    properties: {
      call_id: { type: 'string', minLength: 1, maxLength: 64, description: 'What ApprovalPending gave' },
      wait_ms: { type: 'integer', minimum: 0, maximum: WAIT_MS_MAX, default: 0, description: 'How long to wait for it, in milliseconds' },
    },
    required: ['call_id'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
  _meta: { 'warren/tier': 'autonomous' },
};

/** Throws `invalid_argument`. */
export function readCallResult({ call_id, wait_ms = 0 }: JsonObject): { readonly callId: string; readonly waitMs: number } {
  if (typeof call_id !== 'string' || call_id === '') throw invalid('call_id is no text');
  if (typeof wait_ms !== 'number' || !Number.isInteger(wait_ms) || wait_ms < 0 || wait_ms > WAIT_MS_MAX) {
    throw invalid(`wait_ms is no whole number from 0 to ${WAIT_MS_MAX}`);
  }
  return { callId: call_id, waitMs: wait_ms };
}

function invalid(why: string): Fault {
  return new Fault('invalid_argument', `Cannot call ${CALL_RESULT}: ${why}`, { details: { field: 'arguments' } });
}
