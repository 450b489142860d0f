/**
 * `GET /events`: with `view=supervision` what people who supervise agents follow (`gateway/events`); else the events of a workspace as server-sent events, from where the client left off (`Last-Event-ID`, or `after`, which is also
 * called `since`) and then as they happen; of one process with `pid`, of one kind with `kind`.
 *
 * Events that the client has not seen and that are no longer kept are a gap. What becomes of it the client says in `gaps`: by default it is
 * told, as an event of type `gap`; `refuse` answers 409 instead of a stream; `skip` says nothing.
 *
 * A client that reads slowly is sent the next event when it took the last: nothing is kept for it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventRecord, WorkspaceKernel } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import { authorize, requireAllowed } from '../caller/authorize.ts';
import { familyIn } from '../caller/family.ts';
import { selectWorkspace } from '../caller/select-workspace.ts';
import { readSupervision, streamSupervision } from '../events/stream-supervision.ts';
import { isSupervision } from '../events/supervision-query.ts';
import { toEvent } from '../operations/record/event.ts';
import type { Identity } from './authenticate.ts';
import { type EventQuery, readEventQuery } from './event-query.ts';
import { EventStream } from './event-stream.ts';
import type { Gateway } from './gateway.ts';
import { headerOf } from './header.ts';
import { createWaitSignal } from './wait-signal.ts';

/** The same as that of reading the log. */
const FOLLOWING = { scope: { kind: 'process', pid: 'pid', tree: true }, effect: 'read' } as const;
const GAP = 'gap';

export async function streamEvents(
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
  identity: Identity,
  gateway: Gateway,
): Promise<void> {
  const { kernel, streams } = gateway;
  const search = new URLSearchParams(query);
  if (isSupervision(search)) return await streamSupervision(response, await readSupervision(request, search, identity), gateway);
  const asked = readEventQuery(search, headerOf(request, 'last-event-id'));
  const mine = kernel.workspace(selectWorkspace(identity.principal, asked.workspace ?? headerOf(request, 'warren-workspace')));
  requireAllowed(await authorize(identity.principal, FOLLOWING, { pid: asked.pid }, familyIn(kernel, mine.id)), 'follow these events');
  const start = await findStart(mine, asked);
  using _place = streams.take(identity.principal, 'streams of events');
  await send(response, mine, { asked, start, identity }, gateway);
}

type Start = { readonly after: number; readonly gap: { readonly after: number; readonly oldest: number } | undefined };

async function findStart(mine: WorkspaceKernel, { after, gaps }: EventQuery): Promise<Start> {
  const { firstId, nextId } = await mine.events.extent();
  if (after === undefined || after >= firstId - 1) return { after: after ?? nextId - 1, gap: undefined };
  const gap = { after, oldest: firstId };
  if (gaps === 'refuse') {
    throw new Fault('conflict', `Cannot follow events after ${after}: the oldest that is kept is ${firstId}`, { details: gap });
  }
  return { after: firstId - 1, gap: gaps === 'tell' ? gap : undefined };
}

type Stream = { readonly asked: EventQuery; readonly start: Start; readonly identity: Identity };

async function send(response: ServerResponse, mine: WorkspaceKernel, { asked, start, identity }: Stream, gateway: Gateway): Promise<void> {
  const { stopping } = gateway;
  using stream = new EventStream(response, identity, gateway);
  if (start.gap !== undefined) await stream.write(frame(start.gap.oldest - 1, GAP, start.gap));
  // Says where it begins and is no event, so that a client that is cut off before the first one takes up here.
  else await stream.write(`id: ${start.after}\n\n`);
  const signal = createWaitSignal({ connection: response, isGone: () => response.destroyed, stopping })();
  const events = mine.events.subscribe({ after: start.after, pid: asked.pid, kind: asked.kind, gaps: 'skip' }, signal);
  for await (const event of events) {
    if (!(await stream.isGood())) return;
    await stream.write(frameOf(event));
  }
}

/** The type is the kind; but of kind `gap` are only our own. */
function frameOf(event: EventRecord): string {
  return frame(event.id, event.kind === GAP ? undefined : event.kind, toEvent(event));
}

/** Kinds are words without line ends, and JSON has none. */
function frame(id: number, type: string | undefined, data: object): string {
  return `id: ${id}\n${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(data)}\n\n`;
}
