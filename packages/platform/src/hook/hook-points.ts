import type { HookName } from './hooks.ts';

/** Points at which something outside of this process can be told. */
export const HOOK_POINTS = [
  'before_tool_call',
  'after_tool_call',
  'approval_requested',
  'approval_decided',
  'budget_breached',
] as const satisfies readonly HookName[];

export type HookPoint = (typeof HOOK_POINTS)[number];
