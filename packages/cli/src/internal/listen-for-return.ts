/**
 * A port of this machine, for as long as somebody logs in with a browser: to it the browser is sent back (RFC 8252, 7.3). Only what comes with the right state counts; whatever else
 * knocks is told so and changes nothing.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault } from '@warren/protocol';

export type Returned = { readonly code: string; readonly issuer: string | undefined };

export interface BrowserReturn extends AsyncDisposable {
  /** Where the browser comes back to. */
  readonly address: string;
  /** Faults: `permission_denied`: whoever sits there said no, `deadline`. */
  returned(state: string, signal: AbortSignal): Promise<Returned>;
}

const HEADERS = {
  ...{ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' },
  ...{ 'content-security-policy': "default-src 'none'", 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' },
};

export async function listenForReturn(): Promise<BrowserReturn> {
  // A path that only the authorization server is told.
  const path = `/${randomBytes(16).toString('hex')}`;
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 16_384 });
  server.maxConnections = 16;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  const address = `http://127.0.0.1:${port}${path}`;
  return {
    address,
    async returned(state, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Returned>();
      server.on('request', (request, response) => {
        const said = readReturn(request, path, port, state);
        answer(response, said);
        if (said === undefined) return;
        if (said.code !== undefined) resolve({ code: said.code, issuer: said.issuer });
        else reject(new Fault('permission_denied', `Cannot log in: the authorization server says ${said.error}`));
      });
      const onAbort = (): void => reject(late(signal));
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    async [Symbol.asyncDispose]() {
      // The last answer has left, or nobody waits for it.
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      });
    },
  };
}

type Said = { readonly code: string | undefined; readonly error: string; readonly issuer: string | undefined };

/** Undefined for what is not what we wait for. A page elsewhere can make the browser ask here, and does not know the path or the state. */
function readReturn({ method, url = '', headers }: IncomingMessage, path: string, port: number, state: string): Said | undefined {
  const [found, query = ''] = url.split('?', 2);
  if (method !== 'GET' || found !== path || headers.host !== `127.0.0.1:${port}`) return undefined;
  const params = new URLSearchParams(query);
  if (params.get('state') !== state) return undefined;
  const code = params.get('error') === null ? (params.get('code') ?? undefined) : undefined;
  const error = (params.get('error') ?? 'nothing').slice(0, 64).replace(/[^\w.-]/g, '?');
  return { code, error, issuer: params.get('iss') ?? undefined };
}

function answer(response: ServerResponse, said: Said | undefined): void {
  if (said === undefined) response.writeHead(404, HEADERS).end('There is nothing here.\n');
  else
    response
      .writeHead(200, HEADERS)
      .end(said.code === undefined ? 'Nothing came of it.\n' : 'Done: go back to the terminal, which says what came of it.\n');
}

function late({ reason }: AbortSignal): unknown {
  if (!(reason instanceof DOMException) || reason.name !== 'TimeoutError') return reason;
  return new Fault('deadline', 'Cannot log in: the browser did not come back in time');
}
