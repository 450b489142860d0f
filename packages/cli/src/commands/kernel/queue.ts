/** Scheduled work: what there is, and with `--follow` what becomes of it. */
import type { EventMessage } from '@warren/client';
import { formatDuration, isFault } from '@warren/protocol';
import type { ReadyEntry } from '@warren/protocol/contract';
import { type Color, painter } from '../../internal/color.ts';
import type { Operations } from '../../internal/operations.ts';
import { safeText } from '../../internal/safe-text.ts';
import { StreamedTable } from '../../internal/table.ts';
import type { QueueFlags } from '../../program/kernel-commands.ts';
import { followChanges } from './follow-changes.ts';
import { type KernelContext, printJson, printJsonLine, widthOf } from './kernel-context.ts';
import { tellTotal } from './tell-total.ts';

/** What is looked through for the work of a process that ended. */
const ENTRIES_MAX = 10_000;

const STATE_COLORS: Readonly<Record<ReadyEntry['state'], Color>> = {
  queued: 'cyan',
  dispatched: 'green',
  completed: 'dim',
  expired: 'yellow',
  cancelled: 'dim',
  dead: 'red',
};

export async function queue(flags: QueueFlags, context: KernelContext): Promise<number> {
  const { operations, host } = context;
  const { inState, pid, limit, json, follow } = flags;
  const paint = painter(host, host.stdout);
  let shown: readonly ReadyEntry[] = [];
  const table = new StreamedTable(
    [
      { title: 'SCHED', align: 'right' },
      { title: 'PID', align: 'right' },
      { title: 'PRI', align: 'right' },
      { title: 'STATE', paint: (cell, row) => paint(STATE_COLORS[shown[row]?.state ?? 'queued'], cell) },
      { title: 'TRIES', align: 'right' },
      { title: 'RUNS', align: 'right' },
      { title: 'TRIGGER' },
      { title: 'ERROR' },
    ],
    widthOf(host),
  );
  const print = async (entries: readonly ReadyEntry[]): Promise<void> => {
    shown = entries;
    await host.stdout.write(table.format(entries.map((entry) => row(entry, host.now()))));
  };
  const list = (): Promise<{ readonly entries: readonly ReadyEntry[]; readonly total: number }> =>
    operations.call('kernel.sched.list', { limit, ...(inState !== undefined && { state: inState }), ...(pid !== undefined && { pid }) });

  if (follow !== true) {
    const found = await list();
    if (json === true) return await printJson(host, found);
    if (found.entries.length > 0) await print(found.entries);
    await tellTotal(host, found.entries.length, found.total, 'entries');
    return 0;
  }
  return await followChanges(context, {
    begin: async () => {
      const found = await list();
      if (json !== true) await print(found.entries);
      else for (const one of found.entries) await printJsonLine(host, one);
    },
    show: async (event) => {
      const changed = (await changedEntries(event, operations)).filter(
        (one) => (inState === undefined || one.state === inState) && (pid === undefined || one.pid === pid),
      );
      if (json !== true) await print(changed);
      else for (const one of changed) await printJsonLine(host, one);
    },
  });
}

async function changedEntries(event: EventMessage, operations: Operations): Promise<readonly ReadyEntry[]> {
  const { kind, payload, pid, ts } = event;
  if (!kind.startsWith('kernel.queue.')) return [];
  const { sched_id } = payload;
  try {
    if (typeof sched_id === 'number') return [await operations.call('kernel.sched.get', { sched_id })];
  } catch (error) {
    if (isFault(error, 'queue_entry_not_found')) return []; // Purged since.
    throw error;
  }
  if (kind !== 'kernel.queue.cancelled' || pid === null) return [];
  // A process ended, and all its work at once.
  const { entries } = await operations.call('kernel.sched.list', { state: 'cancelled', pid, limit: ENTRIES_MAX });
  return entries.filter(({ completed_at }) => completed_at !== null && completed_at >= ts);
}

function row(entry: ReadyEntry, nowMs: number): readonly string[] {
  const waitMs = entry.runnable_at * 1_000 - nowMs;
  return [
    `${entry.sched_id}`,
    `${entry.pid}`,
    `${entry.priority}`,
    entry.state,
    `${entry.attempts}/${entry.attempts_max}`,
    entry.state === 'queued' && waitMs > 0 ? `in ${formatDuration(waitMs)}` : '-',
    safeText(entry.cron === null ? entry.trigger : `${entry.trigger} (${entry.cron.pattern})`),
    entry.error === null ? '' : safeText(entry.error),
  ];
}
