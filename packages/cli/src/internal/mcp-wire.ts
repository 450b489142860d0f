/** A connection of messages to the daemon: a WebSocket over its unix socket. */
import type { IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { Fault, faultFromError } from '@warren/protocol';
import { WebSocket } from 'ws';

export interface McpWire {
  /** Resolves when the machine has taken it, or never will. */
  send(text: string): Promise<void>;
  /** Stops reading, and goes on: for whoever cannot pass on what comes. */
  pause(): void;
  resume(): void;
  close(): void;
}

export type McpWireEvents = {
  readonly onMessage: (text: string) => void;
  /** Once, when the connection is no more, whoever ended it. */
  readonly onClose: (reason: string) => void;
};

export type OpenMcpWire = (events: McpWireEvents, signal: AbortSignal) => Promise<McpWire>;

const MESSAGE_BYTES_MAX = 64 * 2 ** 20;
const ANSWER_BYTES_MAX = 65_536;

export type McpAddress = { readonly socketPath: string; readonly agent: string; readonly workspace: string };

/** The function it returns rejects with what the daemon answers instead of a connection, and with `unavailable` when there is no daemon. */
export function createMcpWires({ socketPath, agent, workspace }: McpAddress): OpenMcpWire {
  return ({ onMessage, onClose }, signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket('ws://localhost/mcp', ['mcp'], {
        createConnection: () => createConnection(socketPath),
        headers: { 'warren-agent': agent, 'warren-workspace': workspace },
        perMessageDeflate: false,
        maxPayload: MESSAGE_BYTES_MAX,
      });
      const abort = (): void => socket.terminate();
      signal.addEventListener('abort', abort, { once: true });
      socket.on('unexpected-response', (_, answer) => {
        readRefusal(answer).then(reject, reject);
      });
      socket.on('error', (error) => {
        reject(
          new Fault('unavailable', `Cannot reach the daemon at ${socketPath}: ${error.message}`, {
            cause: error,
            details: { is_sent: false },
          }),
        );
      });
      socket.on('message', (data: Buffer) => onMessage(data.toString('utf8')));
      socket.on('open', () =>
        resolve({
          send: (text) => new Promise((sent) => socket.send(text, () => sent())),
          pause: () => socket.pause(),
          resume: () => socket.resume(),
          close: () => socket.close(),
        }),
      );
      socket.on('close', (_, reason) => {
        signal.removeEventListener('abort', abort);
        // Of one that never was nobody is told twice.
        reject(new Fault('unavailable', `Cannot reach the daemon at ${socketPath}: the connection ended`, { details: { is_sent: false } }));
        onClose(reason.toString('utf8'));
      });
    });
}

async function readRefusal(answer: IncomingMessage): Promise<Fault> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) {
    text += String(piece);
    if (text.length > ANSWER_BYTES_MAX) break;
  }
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown }; // Whatever it is, the next line takes it.
    return faultFromError(error);
  } catch {
    return new Fault('unavailable', `Cannot reach the daemon: it answers ${answer.statusCode ?? 0}`, { details: { is_sent: false } });
  }
}
