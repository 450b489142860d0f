/**
 * `GET /events?view=supervision`: what agents do, as people who supervise them read it, as server-sent events or over a WebSocket; from where the client left
 * off (`Last-Event-ID`, or `after`) or from now on.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WorkspaceId } from '@warren/protocol';
import { isFault } from '@warren/protocol';
import type { WebSocket } from 'ws';
import { authorize, requireAllowed } from '../caller/authorize.ts';
import { selectWorkspace } from '../caller/select-workspace.ts';
import type { Identity } from '../http/authenticate.ts';
import { EventStream } from '../http/event-stream.ts';
import type { Gateway } from '../http/gateway.ts';
import { headerOf } from '../http/header.ts';
import { type Carried, HeldSocket, POLICY_VIOLATION, TRY_AGAIN_LATER, UNSUPPORTED_DATA } from '../http/held-socket.ts';
import { LiveIdentity } from '../http/live-identity.ts';
import { createWaitSignal } from '../http/wait-signal.ts';
import { type Cursor, formatCursor } from './cursor.ts';
import { Gap } from './gap.ts';
import { readSupervisionQuery, type SupervisionQuery } from './supervision-query.ts';
import type { Told } from './told.ts';

const SUPERVISING = { scope: { kind: 'member' }, effect: 'read' } as const;
const NO_FAMILY = { isBelow: async () => false, isOf: async () => false };
export type Supervision = { readonly query: SupervisionQuery; readonly workspace: WorkspaceId; readonly identity: Identity };

/** Throws `invalid_argument` and `permission_denied`. */
export async function readSupervision(request: IncomingMessage, search: URLSearchParams, identity: Identity): Promise<Supervision> {
  const query = readSupervisionQuery(search, headerOf(request, 'last-event-id'));
  const workspace = selectWorkspace(identity.principal, query.workspace ?? headerOf(request, 'warren-workspace'));
  requireAllowed(await authorize(identity.principal, SUPERVISING, {}, NO_FAMILY), 'follow what agents do');
  return { query, workspace, identity };
}

export async function streamSupervision(response: ServerResponse, asked: Supervision, gateway: Gateway): Promise<void> {
  const { stopping, streams, feeds } = gateway;
  using _place = streams.take(asked.identity.principal, 'streams of events');
  const signal = createWaitSignal({ connection: response, isGone: () => response.destroyed, stopping })();
  const events = feeds.follow(asked.workspace, asked.query.after, signal);
  // What is refused is refused before there is a stream.
  const first = await events.next();
  using stream = new EventStream(response, asked.identity, gateway);
  if (!first.done && 'begin' in first.value) await stream.write(`id: ${formatCursor(first.value.begin)}\n\n`);
  try {
    for await (const told of events) {
      if (!(await stream.isGood())) return;
      if (isWanted(told, asked)) await stream.write(told.frame);
    }
  } catch (error) {
    if (!isFault(error, 'busy') && !signal.aborted) throw error;
  }
}

/** Each message is an event with its `id`. Nothing is read. */
export async function sendSupervision(carried: Carried, asked: Supervision, gateway: Gateway): Promise<void> {
  const { kernel, limits, stopping, feeds } = gateway;
  const { socket } = carried;
  const live = new LiveIdentity(asked.identity, kernel.tokens);
  const signal = createWaitSignal({ connection: socket, isGone: () => socket.readyState === socket.CLOSED, stopping })();
  const held = new HeldSocket(
    carried,
    {
      take: () => held.close(UNSUPPORTED_DATA, 'nothing is read here'),
      onBeat: () => {
        live.isGood().then(
          (isGood) => isGood || held.close(POLICY_VIOLATION, 'the token is no longer good'),
          () => socket.terminate(),
        ); // The store is gone, and with it the events.
      },
      isBusy: () => false,
    },
    gateway,
  );
  try {
    for await (const told of feeds.follow(asked.workspace, asked.query.after, signal)) {
      if (!held.isOpen) return;
      if (!(await live.isGood())) return held.close(POLICY_VIOLATION, 'the token is no longer good');
      if (isWanted(told, asked)) await sendMessage(socket, told.message, limits.stallMs);
    }
  } catch (error) {
    if (isFault(error, 'busy')) held.close(TRY_AGAIN_LATER, 'what was told was not taken');
    else if (!signal.aborted) throw error;
  }
}

type Following = Told | Gap | { readonly begin: Cursor };

function isWanted(told: Following, { query }: Supervision): told is Told | Gap {
  return told instanceof Gap || ('event' in told && query.wants(told.event));
}

/** Resolves when the machine has taken it, or never will. Who takes nothing for so long is cut off. */
function sendMessage(socket: WebSocket, message: Buffer, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => socket.terminate(), stallMs);
    stalled.unref();
    socket.send(message, { binary: false }, () => {
      clearTimeout(stalled);
      resolve();
    });
  });
}
