/**
 * What no request can be made of is answered, and then the client is heard out for a moment, unheeded: a connection that is closed with bytes unread is reset, and with that
 * the client loses the answer that says why.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
const HEARD_BYTES_MAX = 2 ** 20;
const HEARD_MS_MAX = 1_000;

export function refuseMalformed(server: Server): void {
  /** Whose answer has begun: what stands behind it would be taken for a part of it. */
  const answering = new WeakMap<object, ServerResponse>();
  const refused = new WeakSet<object>();
  server.on('request', ({ socket }: IncomingMessage, response) => {
    answering.set(socket, response);
    response.once('close', () => answering.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket; // Of TCP, a unix socket or TLS: nothing else is served.
    if (refused.has(socket)) return; // The parser says the same of each piece that still comes.
    if (!socket.writable || error.code === 'ECONNRESET' || answering.get(socket)?.headersSent === true) {
      socket.destroy();
      return;
    }
    refused.add(socket);
    socket.end(`HTTP/1.1 ${STATUS[error.code ?? ''] ?? '400 Bad Request'}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    const until = socket.bytesRead + HEARD_BYTES_MAX;
    socket.on('data', () => {
      if (socket.bytesRead > until) socket.destroy();
    });
    const timer = setTimeout(() => socket.destroy(), HEARD_MS_MAX).unref();
    socket.once('close', () => clearTimeout(timer));
  });
}
