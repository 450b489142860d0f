/** The event log: appending, reading, following and tracing. */
import { Fault } from '@warren/protocol';
import { clamp, PAGE_DEFAULT, PAGE_MAX } from '../internal/page.ts';
import { checkPayload, checkWord } from '../internal/payload.ts';
import type { ReadTransaction, WorkspaceStore } from '../store/store.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { AppendEvent, Events } from './events.ts';
import { followEvents } from './follow-events.ts';
import type { RecentEvents } from './recent-events.ts';

const KERNEL_PREFIX = 'kernel.';
const TRACE_DEPTH_DEFAULT = 10;
const TRACE_DEPTH_MAX = 100;

export type EventParts = { readonly store: WorkspaceStore; readonly recent: RecentEvents };

export function createEvents({ store, recent }: EventParts): Events {
  return {
    async append(event) {
      const checked = checkEvent(event);
      return await store.write((transaction) => {
        if (!transaction.processes.exists(checked.pid)) {
          throw new Fault('unknown_pid', `Cannot append an event of process ${checked.pid}: it does not exist`, {
            details: { pid: checked.pid },
          });
        }
        return transaction.events.append(checked);
      });
    },

    async tail({ since = 0, limit, ...filter }) {
      const events = await store.read((transaction) => transaction.events.after(since, filter, clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX)));
      return { events, nextCursor: events.at(-1)?.id ?? since };
    },

    newest: ({ limit, ...filter }) =>
      store.read((transaction) => transaction.events.newest(filter, clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX))),

    subscribe: (request, signal) => followEvents(store, recent, request, signal),

    trace: (eventId, depth) => store.read((transaction) => trace(transaction, eventId, readDepth(depth))),

    extent: () =>
      store.read(({ events }) => {
        const [firstId, nextId] = [events.firstId(), events.nextId()];
        return { firstId, nextId, count: nextId - firstId };
      }),
  };
}

function checkEvent(event: AppendEvent): AppendEvent {
  checkWord(event.kind, 'kind', 'invalid_payload');
  if (event.kind.startsWith(KERNEL_PREFIX)) {
    throw new Fault('invalid_payload', `Cannot append an event of kind ${event.kind}: ${KERNEL_PREFIX}… is for the kernel`, {
      details: { field: 'kind' },
    });
  }
  if (event.correlationId !== undefined) checkWord(event.correlationId, 'correlation_id', 'invalid_payload');
  checkPayload(event.payload, 'payload', 'invalid_payload');
  return event;
}

function readDepth(depth: number | undefined): number {
  return depth === undefined || depth < 1 ? TRACE_DEPTH_DEFAULT : clamp(depth, TRACE_DEPTH_DEFAULT, 1, TRACE_DEPTH_MAX);
}

function trace(transaction: ReadTransaction, eventId: number, depth: number) {
  const events: EventRecord[] = [];
  let next: number | undefined = eventId;
  while (next !== undefined && events.length < depth) {
    const event: EventRecord | undefined = transaction.events.find(next);
    if (event === undefined) break;
    events.push(event);
    next = event.causationId;
  }
  return { events, depth, truncated: next !== undefined };
}
