import type { Socket } from 'node:net';

/** The connections of one request and what went over them, both ways. */
export class Traffic {
  readonly #sockets: Socket[] = [];

  add(socket: Socket): void {
    this.#sockets.push(socket);
  }

  get bytes(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0);
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
