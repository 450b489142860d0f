/** Following the log: the backlog and then what happens, each event once and in order, because both are read by cursor. */
import { Fault } from '@warren/protocol';
import type { WorkspaceStore } from '../store/store.ts';
import type { EventFilter, EventRecord } from '../store/tables/event-table.ts';
import type { RecentEvents } from './recent-events.ts';

/** Events read at a time. */
const PAGE = 500;

type Request = EventFilter & { readonly after?: number | undefined; readonly gaps?: 'refuse' | 'skip' | undefined };

export async function* followEvents(
  store: WorkspaceStore,
  recent: RecentEvents,
  { after, gaps = 'refuse', ...filter }: Request,
  signal: AbortSignal,
): AsyncGenerator<EventRecord, void> {
  const extent = await store.read(({ events }) => ({ firstId: events.firstId(), nextId: events.nextId() }));
  let cursor = after ?? extent.nextId - 1;
  if (cursor < extent.firstId - 1 && gaps === 'refuse' && after !== undefined) {
    throw new Fault('conflict', `Cannot follow events after ${cursor}: the oldest that is kept is ${extent.firstId}`, {
      details: { oldest: extent.firstId },
    });
  }
  while (!signal.aborted) {
    const waiting = recent.next(signal); // Before looking: what is committed after the look wakes us.
    const found = recent.after(cursor, PAGE);
    if (found !== undefined) {
      for (const event of found) {
        if (signal.aborted) return;
        if (matches(event, filter)) yield event;
      }
      cursor = found.at(-1)?.id ?? cursor;
      if (found.length === 0) await waiting;
      continue;
    }
    const page = await store.read(({ events }) => ({ events: events.after(cursor, filter, PAGE), lastId: events.nextId() - 1 }));
    for (const event of page.events) {
      if (signal.aborted) return;
      yield event;
    }
    // A page that is not full has everything up to the moment it was read.
    cursor = page.events.length === PAGE ? (page.events.at(-1)?.id ?? cursor) : Math.max(cursor, page.lastId);
    if (page.events.length === 0 && recent.after(cursor, 1) === undefined) await waiting;
  }
}

function matches(event: EventRecord, { pid, kind }: EventFilter): boolean {
  return (pid === undefined || event.pid === pid) && (kind === undefined || event.kind === kind);
}
