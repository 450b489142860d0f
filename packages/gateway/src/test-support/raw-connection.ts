/** A connection of bytes, for what no HTTP client would send. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

export type RawConnection = Disposable & {
  readonly socket: Socket;
  /** Everything that came so far. */
  readonly received: string;
  send(bytes: string | Uint8Array): void;
  /** Resolves with everything that came, when it has this in it. Rejects when the connection ends without. */
  until(text: string | RegExp): Promise<string>;
  /** Resolves with everything that came, when the other end has closed. */
  closed(): Promise<string>;
};

export async function openRaw(place: { readonly path: string } | { readonly port: number }): Promise<RawConnection> {
  const socket = 'path' in place ? createConnection(place.path) : createConnection(place.port, '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  let isClosed = false;
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    wake();
  });
  // Being cut off is what many of these are for.
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
    wake();
  });
  const when = (isThere: () => boolean, orReject: boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isThere() && !isClosed) return;
        watchers.delete(look);
        if (isThere() || !orReject) resolve(received);
        else reject(new Error(`The connection closed after: ${received.slice(0, 500)}`));
      };
      watchers.add(look);
      look();
    });
  return {
    socket,
    get received() {
      return received;
    },
    send: (bytes) => void socket.write(bytes),
    until: (text) => when(() => (typeof text === 'string' ? received.includes(text) : text.test(received)), true),
    closed: () => when(() => isClosed, false),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** A request as it stands on the wire. */
export function requestText(body: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const all = { host: 'localhost', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `POST /rpc HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
