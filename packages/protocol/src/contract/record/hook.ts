/** Hooks, on the wire. */
import { z } from 'zod';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { word } from '../value/text.ts';

export const hookPoint = z.enum(['before_tool_call', 'after_tool_call', 'approval_requested', 'approval_decided', 'budget_breached']);

export const hook = z.object({
  name: word,
  on: listOf(hookPoint),
  /** Null: of all. */
  workspaces: listOf(word).nullable(),
  /** Null: all. */
  capabilities: listOf(word).nullable(),
  kind: z.enum(['command', 'webhook']),
  /** Its words; null for a webhook. */
  command: listOf(word).nullable(),
  /** Where it is, without what may be a secret; null for a command. */
  webhook: word.nullable(),
  priority: int,
  timeout_ms: int,
});

export type HookRecord = z.output<typeof hook>;
