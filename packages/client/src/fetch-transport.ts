/** HTTP by `fetch`: of browsers, and of whatever else has what the web has. */
import { Fault } from '@warren/protocol';
import { readAddress } from './read-address.ts';
import { ANSWER_BYTES_MAX, type Transport, type WireAnswer, type WireHead, type WireRequest, type WireStream } from './transport.ts';

export class FetchTransport implements Transport {
  readonly address: string;
  readonly #base: string;
  readonly #credentials: 'omit' | 'same-origin';
  readonly #isClosed = new AbortController();

  /** `hasCookie`: the browser says who calls. Otherwise no cookie goes along, whatever it holds. Throws `invalid_argument` for an address that is none. */
  constructor(url: string, hasCookie: boolean) {
    const { origin, pathname } = readAddress(url);
    this.address = origin;
    this.#base = origin + pathname.replace(/\/$/, '');
    this.#credentials = hasCookie ? 'same-origin' : 'omit';
  }

  async send(request: WireRequest, signal: AbortSignal | undefined): Promise<WireAnswer> {
    const { head, body } = await this.#begin(request, signal);
    let text = '';
    let bytes = 0;
    const count = (length: number): void => {
      bytes += length;
      if (bytes > ANSWER_BYTES_MAX) throw new Fault('too_large', `Cannot read the answer: it is longer than ${ANSWER_BYTES_MAX} bytes`);
    };
    for await (const piece of this.#pieces(body, signal, count)) text += piece;
    return { ...head, body: text };
  }

  async stream(request: WireRequest, signal: AbortSignal): Promise<WireStream> {
    const { head, body } = await this.#begin(request, signal);
    return { ...head, body: this.#pieces(body, signal, () => {}) };
  }

  close(): void {
    this.#isClosed.abort();
  }

  async #begin({ method, path, headers, body }: WireRequest, signal: AbortSignal | undefined): Promise<Begun> {
    const until = signal === undefined ? this.#isClosed.signal : AbortSignal.any([signal, this.#isClosed.signal]);
    try {
      const answer = await fetch(this.#base + path, {
        ...{ method, headers: { ...headers }, body: body ?? null, signal: until, credentials: this.#credentials },
        // A daemon never redirects, and nobody else is to get the token.
        ...{ redirect: 'error', cache: 'no-store', referrerPolicy: 'no-referrer' },
      });
      const header = (name: string): string => answer.headers.get(name) ?? '';
      const head = { status: answer.status, contentType: header('content-type'), retryAfter: header('retry-after') };
      return { head, body: answer.body };
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  async *#pieces(body: Begun['body'], signal: AbortSignal | undefined, onBytes: (length: number) => void): AsyncGenerator<string> {
    if (body === null) return;
    // Not every browser can iterate a stream.
    const reader = body.getReader();
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        onBytes(value.length);
        yield decoder.decode(value, { stream: true });
      }
    } catch (error) {
      throw this.#explain(error, signal);
    } finally {
      reader.cancel().catch(() => {}); // It is over either way.
    }
  }

  /** A browser does not say why, nor how much was sent. */
  #explain(error: unknown, signal: AbortSignal | undefined): Fault {
    if (error instanceof Fault) return error;
    if (signal?.aborted === true) {
      return new Fault('aborted', `Cannot wait for ${this.address}: the caller gave up`, { cause: signal.reason });
    }
    const why = this.#isClosed.signal.aborted ? 'this client was closed' : 'it cannot be reached, or the connection broke';
    return new Fault('unavailable', `Cannot talk to ${this.address}: ${why}`, { cause: error, details: { is_sent: true } });
  }
}

type Begun = { readonly head: WireHead; readonly body: ReadableStream<Uint8Array> | null };
