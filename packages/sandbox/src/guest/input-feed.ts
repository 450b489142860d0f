/** Stdin of one channel: what the guest has credit for goes out, the rest waits with its writer. */
import { Fault } from '@warren/protocol';
import { PAYLOAD_BYTES_MAX, STDIN_CREDIT_BYTES } from './frame-types.ts';

/** More credit than a u32 can say makes no sense; a guest that sums up to it is broken or lies. */
const CREDIT_MAX = 0xffff_ffff;
const DONE: Promise<void> = Promise.resolve();

/** The way out. */
export interface InputPort {
  /** Empty: the end. */
  sendInput(bytes: Uint8Array): void;
  /** False while the connection is full; `InputFeed.pump` is called when that is over. */
  hasRoomForInput(): boolean;
}

type Pending = { readonly bytes: Uint8Array; sent: number; readonly resolve: () => void; readonly reject: (fault: Fault) => void };

export class InputFeed {
  readonly #port: InputPort;
  #credit = STDIN_CREDIT_BYTES;
  #pending: Pending[] = [];
  #state: 'open' | 'ending' | 'ended' = 'open';
  /** Why nothing is taken any more. */
  #stopped: Fault | undefined;

  constructor(port: InputPort) {
    this.#port = port;
  }

  /**
   * Sends bytes; resolves when all of them are within the credit, so when the guest has room. They may not change before. Rejects when
   * the reader is gone (`conflict`) or the sandbox is; a caller that does not care may drop the promise.
   */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#stopped !== undefined) return quietly(Promise.reject(this.#stopped));
    if (this.#state !== 'open') return quietly(Promise.reject(new Fault('conflict', 'Cannot write to stdin: it is closed')));
    const sent = this.#pending.length === 0 ? this.#send(bytes, 0) : 0;
    if (sent === bytes.length) return DONE;
    return quietly(
      new Promise<void>((resolve, reject) => {
        this.#pending.push({ bytes, sent, resolve, reject });
      }),
    );
  }

  /** Ends the input after what has been written. Idempotent. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.pump();
  }

  /** Nobody reads any more: what waits is rejected, what comes is refused. */
  stop(reason: Fault): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    const pending = this.#pending;
    this.#pending = [];
    for (const { reject } of pending) reject(reason);
  }

  /** Throws `protocol_error` when the credit grows beyond all reason. */
  receiveCredit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > CREDIT_MAX)
      throw new Fault('protocol_error', `Cannot understand the guest: it has room for ${this.#credit} bytes of stdin`);
    this.pump();
  }

  /** Sends what has become possible. */
  pump(): void {
    while (this.#stopped === undefined) {
      const next = this.#pending[0];
      if (next === undefined) {
        if (this.#state === 'ending') {
          this.#state = 'ended';
          this.#port.sendInput(EMPTY);
        }
        return;
      }
      next.sent = this.#send(next.bytes, next.sent);
      if (next.sent < next.bytes.length) return;
      this.#pending.shift();
      next.resolve();
    }
  }

  /** Sends what credit and connection allow and says how far it came. Never an empty frame, which would be the end. */
  #send(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#credit > 0 && this.#port.hasRoomForInput()) {
      const count = Math.min(bytes.length - at, this.#credit, PAYLOAD_BYTES_MAX);
      this.#credit -= count;
      this.#port.sendInput(bytes.subarray(at, at + count));
      at += count;
    }
    return at;
  }
}

const EMPTY = new Uint8Array(0);

/** A rejection that nobody waits for is no defect of the program. */
export function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => {}); // The one who holds the promise still sees it.
  return promise;
}
