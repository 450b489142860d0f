/** Processes on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const processState = z.enum(['READY', 'RUNNING', 'WAITING', 'SUSPENDED', 'DEAD']);
export const exitKind = z.enum(['completed', 'cancelled', 'failed', 'crashed']);
export const parentEndPolicy = z.enum(['end', 'orphan', 'detach']);
export const processSignal = z.enum(['stop', 'continue', 'interrupt', 'terminate', 'kill']);
export const pendingSignal = z.enum(['interrupt', 'terminate']);

export const agentProcess = z.object({
  pid: int,
  parent_pid: int.nullable(),
  name: word,
  template: word,
  /** The agent this is a run of. */
  agent: word.nullable(),
  state: processState,
  state_reason: z.string().nullable(),
  /** What becomes of it when its parent ends. */
  on_parent_end: parentEndPolicy,
  /** Asked for and not yet answered by whoever runs it. */
  pending_signal: pendingSignal.nullable(),
  created_at: seconds,
  updated_at: seconds,
  started_at: seconds.nullable(),
  ended_at: seconds.nullable(),
  exit_kind: exitKind.nullable(),
  exit_detail: jsonObject.nullable(),
  metadata: jsonObject,
  /** Its newest event; 0 once that was purged. */
  last_event_id: int,
});

export type AgentProcess = z.output<typeof agentProcess>;
