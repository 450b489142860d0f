/**
 * What every WebSocket has, whatever is spoken over it: the bytes of a message that is not whole yet are counted with all that is in memory, who is
 * silent is cut off, and the end of the daemon is heard.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Gateway } from './gateway.ts';
import { Hold } from './hold.ts';

/** Codes of RFC 6455. */
export const GOING_AWAY = 1001;
export const UNSUPPORTED_DATA = 1003;
export const POLICY_VIOLATION = 1008;
export const INTERNAL_ERROR = 1011;
export const TRY_AGAIN_LATER = 1013;

/** `stream`: what carries the socket, to see bytes of messages that are not whole yet. */
export type Carried = { readonly socket: WebSocket; readonly stream: Duplex };

/** What is spoken over it. */
export interface Spoken {
  /** Not after it has begun to finish. */
  take(data: Buffer): void;
  /** At each beat. */
  onBeat?(): void;
  /** The daemon stops. */
  onStop?(): void;
  /** Whether something is still to be answered before the daemon stops; who says so closes the socket when it is. */
  isBusy(): boolean;
  onClose?(): void;
}

export class HeldSocket {
  readonly socket: WebSocket;
  readonly #arriving: Hold;
  readonly #spoken: Spoken;
  #isAlive = true;
  #isFinishing = false;

  constructor({ socket, stream }: Carried, spoken: Spoken, { limits, held, stopping }: Pick<Gateway, 'limits' | 'held' | 'stopping'>) {
    this.socket = socket;
    this.#spoken = spoken;
    this.#arriving = new Hold(held, limits.smallBytes);
    // Before the parser sees it: a message that becomes whole with this piece clears the count.
    stream.prependListener('data', (piece: Buffer) => this.#arrive(piece.length));
    socket.on('message', (data: Buffer) => this.#take(data));
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    // A malformed frame; the parser closes the connection.
    socket.on('error', () => {});
    const heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs);
    heartbeat.unref();
    const stop = (): void => this.#stop();
    stopping.addEventListener('abort', stop, { once: true });
    socket.once('close', () => {
      clearInterval(heartbeat);
      stopping.removeEventListener('abort', stop);
      this.#isFinishing = true;
      this.#arriving.clear();
      spoken.onClose?.();
    });
    // Not before whoever makes this has it.
    if (stopping.aborted) process.nextTick(stop);
  }

  /** Takes no more. */
  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Reads on, to see that the other end agrees; what else it says is ignored. The first reason stands. */
  close(code: number, reason: string): void {
    this.#isFinishing = true;
    this.socket.close(code, reason);
    this.socket.resume();
  }

  /** When what was under way is answered. */
  closeIfFinished(): void {
    if (this.#isFinishing && !this.#spoken.isBusy()) this.close(GOING_AWAY, 'the daemon stops');
  }

  #arrive(bytes: number): void {
    this.#isAlive = true;
    if (this.#arriving.add(bytes)) return;
    if (this.#isFinishing) this.socket.terminate();
    else this.close(TRY_AGAIN_LATER, 'too many large requests are under way');
  }

  #take(data: Buffer): void {
    this.#arriving.clear();
    if (!this.#isFinishing) this.#spoken.take(data);
  }

  /** Who is silent for a whole beat after being asked is gone, unless it is we who do not read. */
  #beat(): void {
    const isStuck = this.socket.bufferedAmount > 0;
    if (!this.#isAlive && (isStuck || !this.socket.isPaused)) this.socket.terminate();
    this.#isAlive = false;
    if (this.isOpen) this.socket.ping();
    this.#spoken.onBeat?.();
  }

  #stop(): void {
    this.#isFinishing = true;
    this.#spoken.onStop?.();
    this.closeIfFinished();
  }
}
