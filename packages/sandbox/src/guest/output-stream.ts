/** An output of a command, or the content of a file, as a stream that its consumer pulls. */
import { Fault } from '@warren/protocol';
import type { OutputName } from './channel.ts';
import { ChunkQueue } from './chunk-queue.ts';

/** Where output goes. */
export interface OutputSink {
  /** Takes bytes (views, see frame.ts) and says how many have been consumed by that; the rest is reported later. */
  push(bytes: Uint8Array): number;
  end(): void;
  fail(fault: Fault): void;
}

/** Told when bytes leave the queue, so that the guest may send more. */
export interface OutputOwner {
  consumed(stream: OutputName, bytes: number): void;
}

type Result = IteratorResult<Uint8Array, undefined>;
type Waiter = { readonly resolve: (result: Result) => void; readonly reject: (fault: Fault) => void };

const END: Result = { done: true, value: undefined };

/**
 * Consumed at most once. What nobody has read waits here, never more than the window. Ending the iteration early throws the rest away as
 * it comes, so that whoever writes it is not stuck.
 */
export class OutputStream implements AsyncIterable<Uint8Array>, OutputSink {
  /** Set by the owner before anything is pushed. */
  owner: OutputOwner | undefined;
  readonly #name: OutputName;
  readonly #queue: ChunkQueue = new ChunkQueue();
  #waiters: Waiter[] = [];
  /** The guest has said all, or the reader has heard enough. */
  #isEnded = false;
  #failure: Fault | undefined;
  #isTaken = false;

  constructor(name: OutputName) {
    this.#name = name;
  }

  /** Throws `invalid_argument` the second time. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#isTaken) throw new Fault('invalid_argument', `Cannot read ${this.#name}: it is being read or has been read already`);
    this.#isTaken = true;
    return { next: () => this.#next(), return: () => this.#return() };
  }

  push(bytes: Uint8Array): number {
    if (this.#isEnded) return bytes.length;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: bytes });
      return bytes.length;
    }
    this.#queue.push(bytes);
    return 0;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const { resolve } of this.#waiters) resolve(END);
    this.#waiters = [];
  }

  /** What is queued can still be read; then the reader gets the fault, once. */
  fail(fault: Fault): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const [first, ...others] = this.#waiters;
    this.#waiters = [];
    if (first === undefined) this.#failure = fault;
    else first.reject(fault);
    for (const { resolve } of others) resolve(END);
  }

  #next(): Promise<Result> {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.owner?.consumed(this.#name, chunk.length);
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#isEnded) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  #return(): Promise<Result> {
    this.end();
    this.#failure = undefined;
    const bytes = this.#queue.clear();
    if (bytes > 0) this.owner?.consumed(this.#name, bytes);
    return Promise.resolve(END);
  }
}
