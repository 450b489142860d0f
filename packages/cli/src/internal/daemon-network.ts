/**
 * The way out of a sandbox of ours whose proxy is in the daemon, where the secrets are: connections of commands are passed on as they are, a WebSocket each, and no value ever is
 * in this process or in the sandbox.
 */
import type { IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault, faultFromError } from '@warren/protocol';
import type { RelayedNetwork } from '@warren/sandbox';
import { joinConnections, MessageStream } from '@warren/sandbox/egress';
import { WebSocket } from 'ws';
import type { DaemonNetwork, OpenDaemonNetwork } from './run-network.ts';

const NOTHING = new Uint8Array(0);
const MESSAGE_BYTES_MAX = 4 * 2 ** 20;
const REFUSAL_BYTES_MAX = 65_536;

type Opened = { readonly id: string; readonly pid: number; readonly certificate: string; readonly env: Readonly<Record<string, string>> };

export const openDaemonNetwork: OpenDaemonNetwork = async ({ socketPath, workspace, request, onLost }, signal) => {
  const open = (query: string): WebSocket =>
    new WebSocket(`ws://localhost/run-network${query}`, {
      createConnection: () => createConnection(socketPath),
      headers: { 'warren-workspace': workspace },
      perMessageDeflate: false,
      maxPayload: MESSAGE_BYTES_MAX,
    });
  const control = open('');
  const abort = (): void => control.terminate();
  signal.addEventListener('abort', abort, { once: true });
  let isEnded = false;
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  control.once('open', () => control.send(JSON.stringify(request)));
  control.once('unexpected-response', (_, answer) => void readRefusal(answer).then(reject, reject));
  control.once('message', (data: Buffer) => {
    const answer = JSON.parse(data.toString('utf8')) as Opened | { readonly error: unknown }; // Of the daemon, which is ours.
    if ('error' in answer) reject(faultFromError(answer.error));
    else resolve(answer);
  });
  control.on('error', (error) => reject(unreachable(socketPath, error.message)));
  control.on('close', () => {
    signal.removeEventListener('abort', abort);
    reject(unreachable(socketPath, 'the connection ended'));
    if (!isEnded) onLost();
  });
  try {
    const { id, pid, certificate, env } = await promise;
    const serve = (connection: Duplex): void => passOn(connection, open(`?id=${encodeURIComponent(id)}`));
    return {
      network: { kind: 'relayed', certificate, serve } satisfies RelayedNetwork,
      env,
      pid,
      [Symbol.dispose]() {
        isEnded = true;
        control.close();
      },
    } satisfies DaemonNetwork;
  } catch (error) {
    isEnded = true;
    control.terminate();
    throw signal.aborted ? signal.reason : error;
  }
};

/** What breaks the one breaks the other: the command finds its connection closed, as by a host. */
function passOn(connection: Duplex, socket: WebSocket): void {
  const giveUp = (): void => void connection.destroy();
  connection.on('error', () => {}); // Its end says all.
  connection.once('close', () => socket.readyState === WebSocket.CONNECTING && socket.terminate());
  socket.once('error', giveUp);
  socket.once('close', giveUp);
  socket.once('open', () => {
    socket.off('close', giveUp); // From here on what is still to be read is read first.
    joinConnections(connection, new MessageStream(socket), NOTHING);
  });
}

async function readRefusal(answer: IncomingMessage): Promise<Fault> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) {
    text += String(piece);
    if (text.length > REFUSAL_BYTES_MAX) break;
  }
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown }; // Whatever it is, the next line takes it.
    return faultFromError(error);
  } catch {
    return new Fault('unavailable', `Cannot open a network for the run: the daemon answers ${answer.statusCode ?? 0}`);
  }
}

function unreachable(socketPath: string, why: string): Fault {
  return new Fault('unavailable', `Cannot reach the daemon at ${socketPath}: ${why}`, { details: { is_sent: false } });
}
