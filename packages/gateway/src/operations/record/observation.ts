import type { Summary as KernelSummary, ProcessView as View } from '@warren/kernel';
import type { ProcessView, Summary } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';
import { toEvent } from './event.ts';
import { toGrant } from './grant.ts';
import { toProcessEntries } from './ledger.ts';
import { toProcess } from './process.ts';

export function toProcessView({ process, grants, ledger, mailbox, queue, files, names, recentEvents }: View): ProcessView {
  return {
    process: process === undefined ? null : toProcess(process),
    capability: grants === undefined ? null : toGrant(grants),
    ledger: toProcessEntries(ledger),
    mailbox: {
      exists: mailbox.exists,
      queue_size: mailbox.capacity,
      pending: mailbox.pending,
      subscriptions: mailbox.subscriptions,
    },
    scheduler: { ...queue },
    fs: { object_count: files.count, total_bytes: files.bytes },
    registry: { names },
    recent_events: recentEvents.map(toEvent),
  };
}

export function toSummary(summary: KernelSummary, version: string): Summary {
  const { processes, events, queue, mail, ledger, files } = summary;
  return {
    kernel_version: version,
    schema_version: summary.schemaVersion,
    started_at: toSeconds(summary.startedAt),
    uptime_s: toSeconds(summary.uptimeMs),
    agents: { ...processes, total: Object.values(processes).reduce((sum, count) => sum + count, 0) },
    events: { total: events.count, max_event_id: events.lastId },
    scheduler: { ...queue },
    mailbox: { mailboxes: mail.boxes, pending_messages: mail.pending },
    ledger: { agents_with_budgets: ledger.budgeted, breached: ledger.breached },
    fs: { objects: files.count, total_bytes: files.bytes },
    registry: { entries: summary.names },
  };
}
