/** Summaries of workspaces as metrics. The names are those of an earlier system, whose dashboards read them. */
import { PROCESS_STATES } from '../store/tables/process-table.ts';
import { QUEUE_STATES } from '../store/tables/queue-table.ts';
import type { Metric } from './exposition.ts';
import type { Summary } from './observe.ts';

const PREFIX = 'cheetahclaws_kernel';

/** All of them added up. Without any: nothing but zeros. */
export function metricsOf(
  summaries: readonly Summary[],
  { schemaVersion, uptimeMs }: { readonly schemaVersion: number; readonly uptimeMs: number },
): readonly Metric[] {
  const sum = (read: (summary: Summary) => number): number => summaries.reduce((total, summary) => total + read(summary), 0);
  const one = (name: string, type: Metric['type'], help: string, value: number): Metric => ({
    name: `${PREFIX}_${name}`,
    type,
    help,
    samples: [{ value }],
  });
  const byState = (name: string, help: string, samples: Metric['samples']): Metric => ({
    name: `${PREFIX}_${name}`,
    type: 'gauge',
    help,
    samples,
  });
  return [
    one('schema_version', 'gauge', 'Version of the store', schemaVersion),
    one('uptime_seconds', 'counter', 'Seconds since the kernel was opened', uptimeMs / 1_000),
    byState(
      'agents',
      'Processes by state',
      PROCESS_STATES.map((state) => ({ labels: { state }, value: sum(({ processes }) => processes[state]) })),
    ),
    one(
      'events_total',
      'counter',
      'Events ever written',
      sum(({ events }) => events.lastId),
    ),
    byState(
      'scheduler_queue',
      'Queue entries by state',
      QUEUE_STATES.map((state) => ({ labels: { state }, value: sum(({ queue }) => queue[state]) })),
    ),
    one(
      'ledger_breached',
      'gauge',
      'Budgets that are overspent',
      sum(({ ledger }) => ledger.breached),
    ),
    one(
      'mailbox_pending',
      'gauge',
      'Messages that were not handed out yet',
      sum(({ mail }) => mail.pending),
    ),
    one(
      'fs_objects',
      'gauge',
      'Files',
      sum(({ files }) => files.count),
    ),
    one(
      'fs_bytes',
      'gauge',
      'Bytes of files, newest versions',
      sum(({ files }) => files.bytes),
    ),
    one(
      'registry_entries',
      'gauge',
      'Registered names',
      sum(({ names }) => names),
    ),
  ];
}
