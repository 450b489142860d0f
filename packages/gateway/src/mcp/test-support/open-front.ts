/**
 * The conformance suite has no way to send a token. This stands in front of a gateway and adds one to each request; Host and Origin that name it are given as those
 * of the gateway, and any others as they are, so that the gateway judges them itself.
 */
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Front = AsyncDisposable & { readonly url: string };

export async function openFront(gatewayPort: number, token: string): Promise<Front> {
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    const own = (value: string): string =>
      value.replace(new RegExp(`^((?:http://)?(?:localhost|127\\.0\\.0\\.1)):${port}$`), `$1:${gatewayPort}`);
    const headers = { ...request.headers, authorization: `Bearer ${token}` };
    if (headers.host !== undefined) headers.host = own(headers.host);
    if (headers.origin !== undefined) headers.origin = own(headers.origin);
    const { method, url } = request;
    const sent = httpRequest({ host: '127.0.0.1', port: gatewayPort, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // As above.
  return {
    url: `http://localhost:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
