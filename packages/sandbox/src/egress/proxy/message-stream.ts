/** Bytes both ways over a connection of messages, each way with an end of its own, which a WebSocket has not: binary messages are bytes, an empty text is the end. */
import { Duplex } from 'node:stream';

/** Of a WebSocket what is needed, as `ws` has it. */
export interface MessageSocket {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
  send(data: Uint8Array | string, options: { readonly binary: boolean }, done: (error?: Error) => void): void;
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
}

/** Owns the socket, which is open. What breaks it destroys the stream. */
export class MessageStream extends Duplex {
  readonly #socket: MessageSocket;

  constructor(socket: MessageSocket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      if (this.readableEnded || this.destroyed) return;
      if (!isBinary) this.push(null);
      else if (!this.push(data)) socket.pause();
    });
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#socket.send(chunk, { binary: true }, done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#socket.send('', { binary: false }, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error === null && this.readableEnded && this.writableFinished) this.#socket.close();
    else this.#socket.terminate();
    done(error);
  }
}
