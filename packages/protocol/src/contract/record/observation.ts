/** What the kernel says about itself, on the wire. */
import { z } from 'zod';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';
import { event } from './event.ts';
import { grant } from './grant.ts';
import { ledgerEntry } from './ledger.ts';
import { agentProcess } from './process.ts';

const processCounts = { READY: int, RUNNING: int, WAITING: int, SUSPENDED: int, DEAD: int };
const queueCounts = z.object({ queued: int, dispatched: int, completed: int, expired: int, cancelled: int, dead: int });

/** Everything about one process. Always every key. */
export const processView = z.object({
  process: agentProcess.nullable(),
  capability: grant.nullable(),
  ledger: listOf(ledgerEntry),
  mailbox: z.object({ exists: z.boolean(), queue_size: int, pending: int, subscriptions: listOf(word) }),
  scheduler: queueCounts,
  fs: z.object({ object_count: int, total_bytes: int }),
  registry: z.object({ names: listOf(word) }),
  /** The newest, oldest first. */
  recent_events: listOf(event),
});

export const summary = z.object({
  kernel_version: word,
  schema_version: int,
  started_at: seconds,
  uptime_s: seconds,
  agents: z.object({ ...processCounts, total: int }),
  events: z.object({ total: int, max_event_id: int }),
  scheduler: queueCounts,
  mailbox: z.object({ mailboxes: int, pending_messages: int }),
  ledger: z.object({ agents_with_budgets: int, breached: int }),
  fs: z.object({ objects: int, total_bytes: int }),
  registry: z.object({ entries: int }),
});

export type ProcessView = z.output<typeof processView>;
export type Summary = z.output<typeof summary>;
