/** A server that answers with all it was sent, in its headers and its body, and keeps it for a test to read. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createPlain } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Certificate } from '../ssrf/certificates.ts';

export type Received = { readonly method: string; readonly url: string; readonly headers: readonly string[]; readonly body: string };

export type ReflectingServer = AsyncDisposable & { readonly port: number; readonly received: readonly Received[] };

const ENCODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync };

/** `/encoded/br` answers in that encoding, `/split` a byte at a time, and anything else as it is. */
export async function startReflecting(tls?: Certificate): Promise<ReflectingServer> {
  const received: Received[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    request.setEncoding('latin1');
    try {
      for await (const chunk of request) body += chunk;
    } catch {
      return; // It broke off: it was not sent.
    }
    const { method = '', url = '', rawHeaders } = request;
    received.push({ method, url, headers: rawHeaders, body });
    const seen = Buffer.from(`${method} ${url}\n${rawHeaders.join('\n')}\n\n${body}`, 'latin1');
    response.setHeader('x-reflected', request.headers.authorization ?? '');
    const encoding = /^\/encoded\/(\w+)/.exec(url)?.[1];
    if (encoding !== undefined) response.setHeader('content-encoding', encoding).end(ENCODERS[encoding]?.(seen) ?? seen);
    else if (url.startsWith('/split')) {
      for (const byte of seen) await new Promise((resolve) => response.write(Buffer.from([byte]), resolve));
      response.end();
    } else response.end(seen);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
  const server = tls === undefined ? createPlain(listener) : createServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
