/**
 * The response to one request. It is a single JSON document if nothing has to be said before the answer, and a stream of events from the moment something has, or
 * when the answer takes so long that somebody in between might take the connection for dead.
 */
import type { ServerResponse } from 'node:http';
import { beginStream, sendJson } from '../../http/reply.ts';
import type { MessageStream } from '../engine/message-stream.ts';

export type ReplyStream = MessageStream & { end(): void };

export type HttpReplyParts = {
  readonly response: ServerResponse;
  /** What the client says it takes. */
  readonly takes: { readonly json: boolean; readonly events: boolean };
  /** Called once, when the headers of a stream are out. */
  readonly openStream: () => ReplyStream;
  /** Room for an answer of this size; false when there is none. */
  readonly hold: (bytes: number) => boolean;
  /** Called now and then while the request is under way. */
  readonly onBeat: () => void;
  readonly streamAfterMs: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

export class HttpReply implements MessageStream {
  readonly #parts: HttpReplyParts;
  #stream: ReplyStream | undefined;
  #timer: NodeJS.Timeout;
  #isOver = false;
  #isStuck = false;

  constructor(parts: HttpReplyParts) {
    this.#parts = parts;
    this.#timer = setTimeout(() => this.#beat(), parts.streamAfterMs).unref();
  }

  get isStreaming(): boolean {
    return this.#stream !== undefined;
  }

  send(text: string, options: { readonly mayDrop: boolean }): boolean {
    return !this.#isOver && (this.begin()?.send(text, options) ?? false);
  }

  /** Makes it a stream, if the client takes one. */
  begin(): ReplyStream | undefined {
    const { response, takes, openStream, headers } = this.#parts;
    if (this.#stream === undefined && takes.events && !response.headersSent && !response.destroyed) {
      for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
      response.setHeader('x-accel-buffering', 'no');
      beginStream(response);
      this.#stream = openStream();
    }
    return this.#stream;
  }

  /** `text` undefined: there is no answer to give. */
  finish(text: string | undefined, status: number, tooLarge: () => string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { response, takes, hold, headers } = this.#parts;
    const fits = text === undefined || hold(text.length);
    const answer = fits ? text : tooLarge();
    if (this.#stream !== undefined || !takes.json || answer === undefined) {
      const stream = this.begin();
      if (answer !== undefined) stream?.send(answer, { mayDrop: false });
      stream?.end();
    }
    if (!response.headersSent && !response.destroyed) {
      if (answer === undefined) response.writeHead(202).end();
      else sendJson(response, fits ? status : 503, answer, headers);
    }
    if (!response.writableFinished) this.#destroyWhenStalled();
  }

  #beat(): void {
    const { response, heartbeatMs, onBeat } = this.#parts;
    if (this.#isOver) return;
    this.begin();
    if (this.#isStuck && response.writableNeedDrain) response.destroy();
    this.#isStuck = response.writableNeedDrain;
    if (this.#stream !== undefined && !this.#isStuck && !response.destroyed && !response.writableEnded) response.write(': \n\n');
    onBeat();
    this.#timer = setTimeout(() => this.#beat(), heartbeatMs).unref();
  }

  /** An answer nobody takes must not be kept for ever. */
  #destroyWhenStalled(): void {
    const { response, stallMs } = this.#parts;
    const timer = setTimeout(() => response.destroy(), stallMs).unref();
    response.once('close', () => clearTimeout(timer));
  }
}
