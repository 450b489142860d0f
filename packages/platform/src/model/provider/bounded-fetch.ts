/**
 * How a provider is reached: one request, to the address that was configured and no other, within bounds of time and size. A status that is no success becomes a failure here, before the library makes
 * its own of it; so all providers fail in the same words.
 */
import { Fault } from '@warren/protocol';
import { type ModelFailure, modelFault } from '../model-failure.ts';
import { failureOfAnswer } from './failure-of-answer.ts';

/** As `fetch` is; or the same through the egress guard. */
export type ModelFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export type ModelLimits = {
  /** Until it begins to answer. */
  readonly answerMs: number;
  /** Between two pieces of an answer: some think for minutes without a word. */
  readonly silenceMs: number;
  readonly answerBytesMax: number;
};

export const MODEL_LIMITS: ModelLimits = { answerMs: 300_000, silenceMs: 300_000, answerBytesMax: 33_554_432 };
/** What is read of an answer that says what is wrong. */
const ERROR_BYTES_MAX = 65_536;

export type AttemptParts = {
  readonly model: string;
  readonly fetch: ModelFetch;
  readonly limits: ModelLimits;
  readonly now: () => number;
  /** Takes keys out of what a provider says, and makes it short. */
  readonly clean: (text: string) => string;
};

/** One request to a model. Whoever makes it closes it. */
export class Attempt implements Disposable {
  readonly #parts: AttemptParts;
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #failure: Fault | undefined;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
  }

  /** What went wrong, where the library would say something else. */
  get failure(): Fault | undefined {
    return this.#failure;
  }

  readonly fetch: ModelFetch = async (url, init = {}) => {
    const { limits, fetch: send } = this.#parts;
    const signal = AbortSignal.any([this.#ending.signal, ...(init.signal == null ? [] : [init.signal])]);
    this.#expect(limits.answerMs, `it does not begin to answer within ${limits.answerMs} ms`);
    const response = await send(url, { ...init, signal, redirect: 'error' });
    this.#expectMore();
    if (!response.ok) {
      const text = await readSome(response);
      throw this.#fail(failureOfAnswer({ status: response.status, headers: response.headers, text }, this.#parts));
    }
    return new Response(response.body?.pipeThrough(this.#bounded()) ?? null, { status: response.status, headers: response.headers });
  };

  /** Closes the connection, if it is still open. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#ending.abort(new Fault('aborted', 'Cannot go on: nobody reads the answer any more'));
  }

  #bounded(): TransformStream<Uint8Array, Uint8Array> {
    const { answerBytesMax } = this.#parts.limits;
    let bytes = 0;
    return new TransformStream({
      transform: (chunk, controller) => {
        this.#expectMore();
        bytes += chunk.byteLength;
        if (bytes > answerBytesMax)
          throw this.#fail({ reason: 'answer_too_large', why: `its answer has more than ${answerBytesMax} bytes` });
        controller.enqueue(chunk);
      },
    });
  }

  #expectMore(): void {
    const { silenceMs } = this.#parts.limits;
    this.#expect(silenceMs, `it stops in the middle of its answer for more than ${silenceMs} ms`);
  }

  #expect(ms: number, why: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ending.abort(this.#fail({ reason: 'timeout', why })), ms);
  }

  #fail(failure: Omit<ModelFailure, 'model'>): Fault {
    this.#failure ??= modelFault({ model: this.#parts.model, ...failure });
    return this.#failure;
  }
}

async function readSome(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= ERROR_BYTES_MAX) break; // Which closes the connection.
    }
  } catch {
    // What came says enough: the status is known.
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BYTES_MAX).toString('utf8');
}
