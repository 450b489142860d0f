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
  const newestId = await store.read(({ events }) => events.nextId() - 1);
  if (after !== undefined && after > newestId && gaps === 'refuse') throw ahead(after, newestId);
  let cursor = Math.min(after ?? newestId, newestId);
  while (!signal.aborted) {
    if (recent.isEnded) throw gone(store.id);
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
    const page = await store.read(({ events }) => ({
      events: events.after(cursor, filter, PAGE),
      firstId: events.firstId(),
      lastId: events.nextId() - 1,
    }));
    if (gaps === 'refuse') checkGap(cursor, page.firstId);
    for (const event of page.events) {
      if (signal.aborted) return;
      yield event;
    }
    // Nothing matched up to the moment of the read; else there may be more after the last.
    cursor = page.events.at(-1)?.id ?? Math.max(cursor, page.lastId);
    if (page.events.length === 0 && recent.after(cursor, 1) === undefined) await waiting;
  }
}

/** Events were purged before they were read: before the first look, or because the reader is slow. */
function checkGap(cursor: number, oldest: number): void {
  if (cursor >= oldest - 1) return;
  throw new Fault('conflict', `Cannot follow events after ${cursor}: the oldest that is kept is ${oldest}`, { details: { oldest } });
}

/** As after a backup was restored: what happens from now on has ids the reader believes it has seen. */
function ahead(cursor: number, newest: number): Fault {
  return new Fault('conflict', `Cannot follow events after ${cursor}: the newest is ${newest}`, { details: { newest } });
}

function gone(id: string): Fault {
  return new Fault('not_found', `Cannot follow workspace "${id}": it was deleted`, { details: { workspace: id } });
}

function matches(event: EventRecord, { pid, kind }: EventFilter): boolean {
  return (pid === undefined || event.pid === pid) && (kind === undefined || event.kind === kind);
}
