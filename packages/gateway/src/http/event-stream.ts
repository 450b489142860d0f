/** A response that is a stream of server-sent events, for as long as whoever follows is let in. */
import type { ServerResponse } from 'node:http';
import type { Identity } from './authenticate.ts';
import type { Gateway } from './gateway.ts';
import { LiveIdentity } from './live-identity.ts';
import { beginStream } from './reply.ts';
import { StreamWriter } from './stream-writer.ts';

export class EventStream implements Disposable {
  readonly #response: ServerResponse;
  readonly #live: LiveIdentity;
  readonly #writer: StreamWriter;

  /** Begins it. What is refused has to be refused before. */
  constructor(response: ServerResponse, identity: Identity, { kernel, limits, log }: Gateway) {
    this.#response = response;
    this.#live = new LiveIdentity(identity, kernel.tokens);
    this.#writer = new StreamWriter(response, {
      ...limits,
      onStall: () => log.warn('Events were not taken', { waited_ms: limits.stallMs }),
      onIdle: () => this.#beat(),
    });
    beginStream(response);
  }

  /** Resolves when there is room for more, or nobody to write to. */
  async write(text: string | Uint8Array): Promise<void> {
    await this.#writer.write(text);
  }

  /** Whether it goes on: it was not ended, and the token is still good. */
  async isGood(): Promise<boolean> {
    return !this.#response.writableEnded && (await this.#live.isGood());
  }

  #beat(): void {
    this.#writer.tryWrite(': \n\n');
    this.#live.isGood().then(
      (isGood) => isGood || this.#response.end(),
      () => this.#response.end(),
    ); // The store is gone, and with it the events.
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
    this.#response.end();
  }
}
