/**
 * Embeddings from a provider. Texts go in requests as large as it takes, one after the other; what may pass by itself is tried again, after as long as the provider asks for. What a provider says of an error is passed on
 * short, and without anything that looks like a key.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTextRedactor } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import { backoffMs, retryAfterMs } from '../../internal/retry-after.ts';
import { shortReason } from '../../internal/short-reason.ts';
import type { Embedder, EmbeddingUse } from '../embedder.ts';
import { batchesOf, tokensOf } from './batches.ts';
import { EMBEDDING_WIRES, type EmbeddingProvider, type EmbeddingWire } from './embedding-wire.ts';
import { AnswerTooLarge, type JsonAnswer, postJson } from './post-json.ts';
import { readVectors } from './read-vectors.ts';

export type EmbedderOptions = {
  readonly provider: EmbeddingProvider;
  /** Needed for `compatible`, else the provider's usual one. */
  readonly model?: string | undefined;
  readonly url?: string | undefined;
  /** Asked for each request, so that it may be rotated. Undefined: there is none. */
  readonly keyOf?: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  /** Of the vectors; default: those of the first answer. */
  readonly dimensions?: number | undefined;
  readonly now?: (() => number) | undefined;
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  readonly random?: (() => number) | undefined;
  /** Of one request. */
  readonly requestMs?: number | undefined;
  readonly answerBytesMax?: number | undefined;
};

const ATTEMPTS_MAX = 4;
const REQUEST_MS = 30_000;
/** What asks for a longer wait is left alone for now. */
const WAIT_MS_MAX = 60_000;
/** Of 2,048 vectors of 3,072 dimensions as text there are 70 MB; requests of ours ask for less. */
const ANSWER_BYTES_MAX = 100_000_000;

/** Faults: `invalid_argument` (what was configured). */
export function createEmbedder(options: EmbedderOptions): Embedder {
  const { provider, keyOf = async () => undefined, now = Date.now, pause = defaultPause, random = Math.random } = options;
  const { requestMs = REQUEST_MS, answerBytesMax = ANSWER_BYTES_MAX } = options;
  const wire: EmbeddingWire = EMBEDDING_WIRES[provider];
  const model = options.model ?? wire.model;
  if (model === undefined) throw new Fault('invalid_argument', `Cannot use ${provider} for embeddings: it needs the name of a model`);
  const address = `${checkUrl(provider, options.url ?? wire.url)}${wire.path(model)}`;
  let { dimensions } = options;

  const ask = async (texts: readonly string[], use: EmbeddingUse, signal: AbortSignal): Promise<readonly Float32Array[] | Failure> => {
    const key = await keyOf(signal);
    if (key === undefined && wire.needsKey) return { code: 'permission_denied', why: 'there is no key for it', isLasting: true };
    const redact = createTextRedactor(key === undefined ? [] : [{ name: `${provider} key`, value: key }]);
    const deadline = AbortSignal.timeout(requestMs);
    let answer: JsonAnswer;
    try {
      const headers = key === undefined ? {} : wire.headers(key);
      answer = await postJson(address, wire.body(model, texts, use), { headers, answerBytesMax }, AbortSignal.any([signal, deadline]));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AnswerTooLarge) return { code: 'unavailable', why: error.message, isLasting: true };
      if (deadline.aborted) return { code: 'unavailable', why: `it does not answer within ${requestMs} ms` };
      return { code: 'unavailable', why: `the connection fails: ${shortReason(redact(reasonOf(error)))}` };
    }
    if (answer.status !== 200) return failureOf(answer, shortReason(redact(answer.text)), now());
    if (answer.json === undefined) return { code: 'unavailable', why: 'its answer is no JSON' };
    const vectors = readVectors(wire.read(answer.json), { count: texts.length, dimensions });
    if (typeof vectors === 'string') return { code: 'unavailable', why: `its answer cannot be used: ${vectors}`, isLasting: true };
    dimensions ??= vectors[0]?.length;
    return vectors;
  };

  const askAgain = async (texts: readonly string[], use: EmbeddingUse, signal: AbortSignal): Promise<readonly Float32Array[]> => {
    for (let attempt = 0; ; attempt++) {
      const result = await ask(texts, use, signal);
      if (!('code' in result)) return result;
      const waitMs = result.waitMs ?? backoffMs(attempt, random());
      if (result.isLasting === true || attempt + 1 >= ATTEMPTS_MAX || waitMs > WAIT_MS_MAX) {
        const details = result.waitMs === undefined ? {} : { details: { retry_after_ms: result.waitMs } };
        throw new Fault(result.code, `Cannot embed with ${provider}: ${result.why}`, details);
      }
      await pause(waitMs, signal);
      signal.throwIfAborted();
    }
  };

  return {
    name: `${provider}/${model}`,
    async embed(texts, signal, use = 'document') {
      for (const text of texts) {
        if (tokensOf(text) > wire.tokensMax)
          throw new Fault('invalid_argument', `Cannot embed a text of about ${tokensOf(text)} tokens: ${provider} takes ${wire.tokensMax}`);
      }
      const vectors: Float32Array[] = [];
      for (const batch of batchesOf(texts, wire)) {
        signal.throwIfAborted();
        vectors.push(...(await askAgain(batch, use, signal)));
      }
      return vectors;
    },
  };
}

type Failure = {
  readonly code: 'unavailable' | 'rate_limited' | 'permission_denied' | 'invalid_argument';
  readonly why: string;
  readonly waitMs?: number | undefined;
  /** Asked again it would say the same. */
  readonly isLasting?: boolean | undefined;
};

function failureOf({ status, retryAfter }: JsonAnswer, said: string, now: number): Failure {
  const why = `it answers ${status}${said === '' ? '' : `: ${said}`}`;
  const waitMs = retryAfterMs(retryAfter, now);
  if (status === 429) return { code: 'rate_limited', why, waitMs };
  if (status >= 500 || status === 408 || status === 425) return { code: 'unavailable', why, waitMs };
  if (status === 401 || status === 403) return { code: 'permission_denied', why, isLasting: true };
  // Anything else that is wrong is wrong with what was asked for, or with the address: nothing that one text could help.
  return { code: status === 400 || status === 413 || status === 422 ? 'invalid_argument' : 'unavailable', why, isLasting: true };
}

/** A key is not sent in the clear over a network. */
function checkUrl(provider: string, url: string | undefined): string {
  const parsed = url === undefined ? null : URL.parse(url);
  const isLocal = parsed !== null && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(parsed.hostname);
  const isFit = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLocal);
  if (parsed === null || !isFit || parsed.username !== '' || parsed.search !== '' || parsed.hash !== '')
    throw new Fault(
      'invalid_argument',
      `Cannot use ${provider} for embeddings: its address is not https, or http on this machine, and plain`,
    );
  return parsed.href.replace(/\/+$/, '');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function defaultPause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false });
}
