/** The least a server can do that tells many of one event: no tokens, no log, no queues. Whoever posts to `/event` is answered when it is written to all. Ends with its input. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

const DATA = JSON.stringify({
  type: 'capability_result',
  data: { call_id: 'call_0', capability: 'system.echo', success: true, duration_ms: 1 },
});
const FRAME = Buffer.from(`id: 1\nevent: capability_result\ndata: ${DATA}\n\n`);

const streams = new Set<ServerResponse>();
const sockets = new Set<WebSocket>();
const server = createServer((request, response) => {
  if (request.url === '/event') {
    for (const stream of streams) stream.write(FRAME);
    for (const socket of sockets) socket.send(DATA);
    response.end();
    return;
  }
  streams.add(response);
  response.once('close', () => streams.delete(response));
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
});
const upgrades = new WebSocketServer({ server, perMessageDeflate: false });
upgrades.on('connection', (socket) => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);
process.stdin.resume().on('end', () => process.exit(0));
