/** A session over HTTP: many requests, each with a stream of its own if it needs one, and one stream for what is about no request. */
import type { ServerResponse } from 'node:http';
import type { JsonObject } from '@warren/protocol';
import type { Identity } from '../../http/authenticate.ts';
import { McpError, SERVER_ERROR } from '../engine/mcp-error.ts';
import type { McpLimits } from '../engine/mcp-limits.ts';
import { McpSession, type SessionParts } from '../engine/session.ts';
import { EventStream, readEventId } from './event-stream.ts';

/** How soon a client comes back to a stream that broke. */
const RETRY_MS = 1_000;
const GENERAL = '0';

export type HttpSessionParts = Omit<SessionParts, 'sendNotice'> & {
  readonly id: string;
  readonly owner: Identity;
  readonly now: () => number;
};

export class HttpSession implements Disposable {
  readonly id: string;
  readonly owner: Identity;
  readonly session: McpSession;
  readonly #limits: McpLimits;
  readonly #now: () => number;
  readonly #streams = new Map<string, EventStream>();
  readonly #general: EventStream;
  #lastStream = 0;
  #usedAt: number;

  /** Throws `McpError`. */
  constructor(parts: HttpSessionParts, params: JsonObject) {
    this.id = parts.id;
    this.owner = parts.owner;
    this.#limits = parts.limits;
    this.#now = parts.now;
    this.#usedAt = parts.now();
    this.#general = new EventStream(GENERAL, parts.limits);
    this.session = new McpSession(
      { ...parts, sendNotice: (text) => this.#general.isAttached && this.#general.send(text, { mayDrop: true }) },
      params,
    );
  }

  touch(): void {
    this.#usedAt = this.#now();
  }

  get usedAt(): number {
    return this.#usedAt;
  }

  get isInUse(): boolean {
    return this.session.isBusy || this.#general.isAttached || [...this.#streams.values()].some(({ isAttached }) => isAttached);
  }

  /** For the messages about one request, sent in its response. Throws `McpError` when there are too many. */
  openStream(response: ServerResponse): EventStream {
    const open = [...this.#streams.values()].filter(({ hasEnded }) => !hasEnded).length;
    const { streamsPerSessionMax } = this.#limits;
    if (open >= streamsPerSessionMax) {
      throw new McpError(SERVER_ERROR, `Cannot open another stream: ${streamsPerSessionMax} of this session are open, which is the limit`);
    }
    const stream = new EventStream(`${++this.#lastStream}`, this.#limits);
    this.#streams.set(stream.id, stream);
    stream.attach(response, 0);
    this.#prime(stream);
    return stream;
  }

  /** Called when a stream has ended: the last few are kept for who comes back. */
  forgetOld(): void {
    const ended = [...this.#streams.values()].filter(({ hasEnded }) => hasEnded);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - this.#limits.keptStreamsMax))) this.#streams.delete(id);
  }

  /** The stream an event was of, and its number; undefined when it is not kept, or never was. Without one: the general stream, from now on. */
  findStream(lastEventId: string | undefined): { readonly stream: EventStream; readonly after: number } | undefined {
    if (lastEventId === undefined) return { stream: this.#general, after: Number.MAX_SAFE_INTEGER };
    const event = readEventId(lastEventId);
    const stream = event?.stream === GENERAL ? this.#general : this.#streams.get(event?.stream ?? '');
    return event === undefined || stream === undefined ? undefined : { stream, after: event.number };
  }

  attach(stream: EventStream, response: ServerResponse, after: number): void {
    stream.attach(response, after);
    if (stream !== this.#general) return;
    if (after === Number.MAX_SAFE_INTEGER) this.#prime(stream);
    response.on('drain', () => this.session.ready());
    this.session.ready();
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
    this.#general.end();
    for (const stream of this.#streams.values()) stream.end();
    this.#streams.clear();
  }

  /** An event with no data is not understood by clients of older versions. */
  #prime(stream: EventStream): void {
    if (this.session.version === '2025-11-25') stream.prime(RETRY_MS);
  }
}
