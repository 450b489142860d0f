/** Whoever speaks plain HTTP to a port of TLS is told so, in plain HTTP, instead of being cut off. Nothing of what it says is read: it may be a token. */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/** The first byte of a handshake (RFC 8446, 5.1). */
const HANDSHAKE = 0x16;
const BODY = 'This port speaks TLS: use https://\n';
const ANSWER = [
  ...['HTTP/1.1 400 Bad Request', 'connection: close', 'content-type: text/plain; charset=utf-8'],
  ...[`content-length: ${BODY.length}`, '', BODY],
].join('\r\n');

/** `firstByteMs`: how long a connection may say nothing. */
export function answerPlain(server: Server, firstByteMs: number): void {
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    socket.setTimeout(firstByteMs, () => socket.destroy());
    const broken = (): void => {}; // 'close' follows.
    socket.on('error', broken);
    socket.once('data', (first: Buffer) => {
      socket.setTimeout(0);
      socket.pause();
      if (first[0] !== HANDSHAKE) {
        socket.end(ANSWER, () => socket.destroy());
        return;
      }
      socket.off('error', broken);
      // As if nobody had looked: TLS takes what is there when it takes over.
      socket.unshift(first);
      for (const listener of listeners) Reflect.apply(listener, server, [socket]);
    });
  });
}
