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
import type { Gateway } from '../http/gateway.ts';
import { headerOf } from '../http/header.ts';
import { LiveIdentity } from '../http/live-identity.ts';
import { beginStream } from '../http/reply.ts';
import { StreamWriter } from '../http/stream-writer.ts';
import { createWaitSignal } from '../http/wait-signal.ts';
import { formatCursor } from './cursor.ts';
import { readSupervisionQuery, type SupervisionQuery } from './supervision-query.ts';

const SUPERVISING = { scope: { kind: 'member' }, effect: 'read' } as const;
const NO_FAMILY = { isBelow: async () => false, isOf: async () => false };
const GOING_AWAY = 1_001;
const UNSUPPORTED_DATA = 1_003;
const POLICY_VIOLATION = 1_008;
const TRY_AGAIN_LATER = 1_013;

export type Supervision = { readonly query: SupervisionQuery; readonly workspace: WorkspaceId; readonly identity: Identity };

/** Throws `invalid_argument` and `permission_denied`. */
export async function readSupervision(request: IncomingMessage, search: URLSearchParams, identity: Identity): Promise<Supervision> {
  const query = readSupervisionQuery(search, headerOf(request, 'last-event-id'));
  const workspace = selectWorkspace(identity.principal, query.workspace ?? headerOf(request, 'warren-workspace'));
  requireAllowed(await authorize(identity.principal, SUPERVISING, {}, NO_FAMILY), 'follow what agents do');
  return { query, workspace, identity };
}

export async function streamSupervision(response: ServerResponse, asked: Supervision, gateway: Gateway): Promise<void> {
  const { kernel, limits, log, stopping, streams, feeds } = gateway;
  using _place = streams.take(asked.identity.principal, 'streams of events');
  const live = new LiveIdentity(asked.identity, kernel.tokens);
  const signal = createWaitSignal({ connection: response, isGone: () => response.destroyed, stopping })();
  const events = feeds.follow(asked.workspace, asked.query.after, signal);
  // What is refused is refused before there is a stream.
  const first = await events.next();
  using writer = new StreamWriter(response, {
    ...limits,
    onStall: () => log.warn('Events were not taken', { waited_ms: limits.stallMs }),
    onIdle: () => {
      writer.tryWrite(': \n\n');
      live.isGood().then(
        (isGood) => isGood || response.end(),
        () => response.end(),
      ); // The store is gone, and with it the events.
    },
  });
  beginStream(response);
  if (!first.done && 'begin' in first.value) await writer.write(`id: ${formatCursor(first.value.begin)}\n\n`);
  try {
    for await (const told of events) {
      if (response.writableEnded || !(await live.isGood())) return;
      if ('event' in told && asked.query.wants(told.event)) await writer.write(told.frame);
    }
  } catch (error) {
    if (!isFault(error, 'busy') && !signal.aborted) throw error;
  } finally {
    response.end();
  }
}

/** Each message is an event with its `id`. Nothing is read. */
export async function sendSupervision(socket: WebSocket, asked: Supervision, gateway: Gateway): Promise<void> {
  const { kernel, limits, stopping, feeds } = gateway;
  const live = new LiveIdentity(asked.identity, kernel.tokens);
  const signal = createWaitSignal({ connection: socket, isGone: () => socket.readyState === socket.CLOSED, stopping })();
  let isAlive = true;
  socket.on('error', () => {}); // A malformed frame; the parser closes the connection.
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('message', () => socket.close(UNSUPPORTED_DATA, 'nothing is read here'));
  const beat = (): void => {
    if (!isAlive) socket.terminate();
    isAlive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
    live.isGood().then(
      (isGood) => isGood || socket.close(POLICY_VIOLATION, 'the token is no longer good'),
      () => socket.terminate(),
    ); // The store is gone, and with it the events.
  };
  const heartbeat = setInterval(beat, limits.heartbeatMs);
  heartbeat.unref();
  try {
    for await (const told of feeds.follow(asked.workspace, asked.query.after, signal)) {
      if (socket.readyState !== socket.OPEN) return;
      if (!(await live.isGood())) return socket.close(POLICY_VIOLATION, 'the token is no longer good');
      if ('event' in told && asked.query.wants(told.event)) await sendMessage(socket, told.message, limits.stallMs);
    }
  } catch (error) {
    if (isFault(error, 'busy')) socket.close(TRY_AGAIN_LATER, 'what was told was not taken');
    else if (signal.aborted) socket.close(GOING_AWAY, 'the daemon stops');
    else throw error;
  } finally {
    clearInterval(heartbeat);
  }
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
