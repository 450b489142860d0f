/** Feeds what a caller gave as content into the stdin of a channel, no faster than it is taken, and ends it. */
import { Fault } from '@warren/protocol';
import type { InputFeed } from './input-feed.ts';

export type Source = Uint8Array | string | AsyncIterable<Uint8Array>;

export class SourceFeed {
  readonly #input: InputFeed;
  readonly #onError: (error: unknown) => void;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #isStopped = false;

  /** `onError` gets what the source throws, once; nothing is fed after it. */
  constructor(source: Source, input: InputFeed, onError: (error: unknown) => void) {
    this.#input = input;
    this.#onError = onError;
    if (typeof source === 'string' || source instanceof Uint8Array) {
      void input.write(typeof source === 'string' ? Buffer.from(source) : source); // When nobody reads it to its end, nothing is lost.
      input.close();
    } else {
      void this.#feed(source);
    }
  }

  /** Nobody reads any more: releases the source, also one that is waiting for its next bytes if it can be. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    release(this.#iterator);
  }

  async #feed(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      this.#iterator = source[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await this.#iterator.next();
        if (this.#isStopped) return;
        if (done === true) break;
        if (!(value instanceof Uint8Array)) {
          release(this.#iterator);
          throw new Fault('invalid_argument', 'Cannot feed stdin: the source gave something that is not bytes');
        }
        if (!(await isTaken(this.#input.write(value)))) {
          this.stop();
          return;
        }
      }
      this.#input.close();
    } catch (error) {
      if (this.#isStopped) return;
      this.#isStopped = true;
      this.#onError(error);
    }
  }
}

/** False when the reader is gone, which is no fault of the source. */
async function isTaken(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch {
    return false; // Whoever waits for the channel learns why.
  }
}

function release(iterator: AsyncIterator<Uint8Array> | undefined): void {
  try {
    iterator?.return?.()?.then(undefined, () => {}); // Its end is nobody's business any more.
  } catch {
    // As above, for an iterator that throws at once.
  }
}
