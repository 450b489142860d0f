/** Servers of MCP that are mounted, on the wire. What they say of themselves is cleaned, and is data. */
import { z } from 'zod';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

export const mcpServerSummary = z.object({
  name: word,
  kind: z.enum(['program', 'http']),
  /** `unapproved`: nobody has approved its tools. `changed`: they are not those that were approved, and none of them is used. */
  state: z.enum(['unapproved', 'ready', 'changed']),
  /** SHA-256 of the list of tools that was approved. */
  pinned: word.nullable(),
  approved_at: seconds.nullable(),
  /** How many it stands for. */
  capabilities: int,
  connections: int,
  /** Why it could not be used last. */
  problem: prose.nullable(),
});

export const mcpServer = mcpServerSummary.extend({
  /** SHA-256 of the list it had when it was last looked at: what is approved by naming it. */
  seen: word.nullable(),
  tools: listOf(
    z.object({
      tool: prose,
      /** Null: it cannot be used; `reason` says why. */
      capability: word.nullable(),
      reason: prose.nullable(),
      description: prose,
      read: z.boolean(),
    }),
  ),
  /** From what was approved to what it has. */
  changes: listOf(
    z.object({
      tool: prose,
      kind: z.enum(['added', 'removed', 'changed']),
      fields: listOf(z.object({ field: prose, before: prose, now: prose })),
    }),
  ),
});

export type McpServerRecord = z.output<typeof mcpServer>;
export type McpServerSummaryRecord = z.output<typeof mcpServerSummary>;
