/** A connection that is told of events: server-sent, or a WebSocket. It counts what it is told and does nothing else. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';

export type SubscriberTarget = { readonly port: number; readonly path: string; readonly token?: string | undefined };

export type Subscriber = { close(): void };

/** Of the last event of the one type that is asked for. */
const EVENT = 'event: capability_result';

export async function subscribeToStream({ port, path, token }: SubscriberTarget, onEvent: () => void): Promise<Subscriber> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  const authorization = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${authorization}accept: text/event-stream\r\n\r\n`);
  await head(socket);
  socket.on('data', (chunk: Buffer) => {
    if (chunk.includes(EVENT)) onEvent();
  });
  return { close: () => socket.destroy() };
}

async function head(socket: Socket): Promise<void> {
  const [chunk] = (await once(socket, 'data')) as [Buffer]; // What a socket gives.
  const status = chunk.toString('latin1', 0, 15);
  if (!status.startsWith('HTTP/1.1 200')) throw new Error(`There is no stream: ${chunk.toString()}`);
}

export async function subscribeToSocket({ port, path, token }: SubscriberTarget, onEvent: () => void): Promise<Subscriber> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers, perMessageDeflate: false });
  await once(socket, 'open');
  socket.on('message', onEvent);
  return { close: () => socket.terminate() };
}
