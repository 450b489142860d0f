/**
 * A stream of events of a session, which outlives the response it is sent in: who lost the connection says which event it saw last and gets what came after it.
 * What is kept is bounded: the last events, in number and bytes. A stream that has ended is kept for a while, too.
 */
import type { ServerResponse } from 'node:http';
import type { McpLimits } from '../engine/mcp-limits.ts';
import type { MessageStream } from '../engine/message-stream.ts';

type Kept = { readonly number: number; readonly frame: string };

export class EventStream implements MessageStream {
  readonly id: string;
  readonly #limits: Pick<McpLimits, 'keptEventsMax' | 'keptBytesMax'>;
  readonly #kept: Kept[] = [];
  #keptBytes = 0;
  #last = 0;
  #response: ServerResponse | undefined;
  #hasEnded = false;

  constructor(id: string, limits: Pick<McpLimits, 'keptEventsMax' | 'keptBytesMax'>) {
    this.id = id;
    this.#limits = limits;
  }

  get isAttached(): boolean {
    return this.#response !== undefined;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  send(text: string, { mayDrop }: { readonly mayDrop: boolean }): boolean {
    if (this.#hasEnded || (mayDrop && this.#response?.writableNeedDrain === true)) return false;
    const number = ++this.#last;
    const frame = `id: ${this.id}-${number}\ndata: ${text}\n\n`;
    this.#keep({ number, frame });
    this.#response?.write(frame);
    return true;
  }

  /** An event without a message, so that a client that loses the connection before the first one can come back. Only clients of the newest version understand it. */
  prime(retryMs: number): void {
    this.#response?.write(`id: ${this.id}-0\nretry: ${retryMs}\ndata: \n\n`);
  }

  /** Sends what came after event `after`, and from now on what comes. Whoever was sent it before is not any more. */
  attach(response: ServerResponse, after: number): void {
    this.#response?.end();
    this.#response = response;
    response.once('close', () => {
      if (this.#response === response) this.#response = undefined;
    });
    for (const { number, frame } of this.#kept) if (number > after) response.write(frame);
    if (this.#hasEnded) response.end();
  }

  end(): void {
    this.#hasEnded = true;
    this.#response?.end();
  }

  #keep(event: Kept): void {
    this.#kept.push(event);
    this.#keptBytes += event.frame.length;
    while (this.#kept.length > this.#limits.keptEventsMax || this.#keptBytes > this.#limits.keptBytesMax) {
      this.#keptBytes -= this.#kept.shift()?.frame.length ?? 0;
    }
  }
}

/** From the id of an event to its stream and its number. */
export function readEventId(id: string): { readonly stream: string; readonly number: number } | undefined {
  const found = /^([A-Za-z0-9]{1,32})-(\d{1,15})$/.exec(id);
  return found?.[1] === undefined ? undefined : { stream: found[1], number: Number(found[2]) };
}
