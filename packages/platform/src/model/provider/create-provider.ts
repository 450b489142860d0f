/** A provider of the table, or a server like one: models that ask it, with one of its keys after the other. */
import { createTextRedactor } from '@warren/kernel';
import { Fault, isFault } from '@warren/protocol';
import { shortReason } from '../../internal/short-reason.ts';
import { checkRequest } from '../check-request.ts';
import { tokensOfAnswer, tokensOfReasoning, tokensOfRequest } from '../estimate-tokens.ts';
import type { AssistantMessage, ModelPart, ModelProvider, ModelRequest, ModelUsage } from '../model.ts';
import { failureReasonOf, MODEL_FAILURES, modelFault, retryAfterOf } from '../model-failure.ts';
import { costOf } from '../price/cost-of.ts';
import { factsOf } from '../price/facts-of.ts';
import { RestRing } from '../rest-ring.ts';
import { Attempt, MODEL_LIMITS, type ModelFetch, type ModelLimits } from './bounded-fetch.ts';
import { failureOfError } from './failure-of-error.ts';
import { openLibraryModel } from './library.ts';
import { PROVIDERS, type ProviderName, type ProviderRow } from './providers.ts';
import { readStream, type StreamEnd, StreamFailure } from './read-stream.ts';
import { toOptions } from './to-options.ts';

export type ProviderOptions = {
  /** Whose format and quirks. */
  readonly kind: ProviderName;
  /** As it is called in `provider/model`. Default: its kind. */
  readonly name?: string | undefined;
  /** Default: that of its kind; `compatible` has none. */
  readonly url?: string | undefined;
  /** Asked for each request, so that keys may be rotated; each key is tried. They are sent to the provider and told nobody else. Default: none. */
  readonly keysOf?: ((signal: AbortSignal) => Promise<readonly string[]>) | undefined;
  readonly defaultModel?: string | undefined;
  /** Default: Node's. Through the egress guard where an address is not the operator's. */
  readonly fetch?: ModelFetch | undefined;
  readonly limits?: Partial<ModelLimits> | undefined;
  readonly now?: (() => number) | undefined;
};

/** Faults: `invalid_argument` (the address). */
export function createProvider(options: ProviderOptions): ModelProvider {
  const { kind, name = kind, keysOf = async () => [], fetch: send = fetch, now = Date.now, defaultModel } = options;
  const row: ProviderRow = PROVIDERS[kind];
  const baseURL = checkUrl(name, options.url ?? row.url);
  const limits = { ...MODEL_LIMITS, ...options.limits };
  const ring = new RestRing(now);

  /** One request with one key. */
  async function* ask(facts: AskFacts, key: string | undefined, request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const { model, id } = facts;
    const redact = createTextRedactor(key === undefined || key === '' ? [] : [{ name: `${name} key`, value: key }]);
    const clean = (text: string): string => shortReason(redact(text));
    let hasAnswered = false;
    using attempt = new Attempt({ model, fetch: send, limits, now, clean });
    try {
      const library = await openLibraryModel({ provider: name, row, baseURL, model: id, apiKey: key ?? '', fetch: attempt.fetch });
      const outputMax = request.outputTokensMax ?? facts.outputTokensMax;
      const { stream } = await library.doStream(toOptions(row, request, outputMax, signal));
      hasAnswered = true;
      yield { type: 'start', model };
      const end = yield* readStream(stream, row, clean);
      yield finishOf(facts, request, end);
    } catch (error) {
      signal.throwIfAborted();
      throw attempt.failure ?? (isFault(error) ? error : faultOf(model, error, clean, hasAnswered));
    }
  }

  return {
    ...(defaultModel !== undefined && { defaultModel }),
    model(id, { keys: given } = {}) {
      const model = `${name}/${id}`;
      const facts = { ...factsOf(kind, id), model, id, kind };
      return {
        ...{ name: model, contextTokens: facts.contextTokens },
        async *stream(request, signal) {
          signal.throwIfAborted();
          checkRequest(model, request);
          const keys = given ?? (await keysOf(signal));
          if (keys.length === 0 && row.needsKey) throw modelFault({ model, reason: 'key_refused', why: `there is no key for ${name}` });
          const order = keys.length === 0 ? [undefined] : ring.order(keys);
          for (const [tried, key] of order.entries()) {
            let hasBegun = false;
            try {
              for await (const part of ask(facts, key, request, signal)) {
                hasBegun ||= part.type !== 'start';
                yield part;
              }
              return;
            } catch (error) {
              const reason = failureReasonOf(error);
              const otherHelps = reason !== undefined && MODEL_FAILURES[reason].otherKey;
              if (key !== undefined && otherHelps) ring.rest(key, reason, retryAfterOf(error));
              if (hasBegun || !otherHelps || tried === order.length - 1) throw error;
              yield { type: 'retry', model, reason, waitMs: 0 };
            }
          }
        },
      };
    },
  };
}

type AskFacts = ReturnType<typeof factsOf> & { readonly model: string; readonly id: string; readonly kind: ProviderName };

function finishOf({ model, id, kind }: AskFacts, request: ModelRequest, { reason, message, usage, costMicros }: StreamEnd): ModelPart {
  const known = usage ?? estimate(request, message);
  const cost = costMicros !== undefined ? { micros: costMicros, isEstimated: false } : costOf(kind, id, known);
  return { type: 'finish', model, reason, message, usage: known, cost };
}

function estimate(request: ModelRequest, message: AssistantMessage): ModelUsage {
  return {
    ...{ inputTokens: tokensOfRequest(request), cacheReadTokens: 0, cacheWriteTokens: 0 },
    ...{ outputTokens: tokensOfAnswer(message), reasoningTokens: tokensOfReasoning(message), isEstimated: true },
  };
}

/** The error of the library is no cause of it: it holds the request, and the key in it. A connection that breaks once there was an answer cuts it. */
function faultOf(model: string, error: unknown, clean: (text: string) => string, hasAnswered: boolean): Fault {
  const failure = error instanceof StreamFailure ? error.failure : failureOfError(error, clean);
  return modelFault({ model, ...failure, ...(hasAnswered && failure.reason === 'unreachable' && { reason: 'cut' }) });
}

/** A key is not sent in the clear over a network. */
function checkUrl(name: string, url: string | undefined): string {
  const parsed = url === undefined ? null : URL.parse(url);
  const isLocal = parsed !== null && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(parsed.hostname);
  const isFit = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLocal);
  if (parsed === null || !isFit || parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '')
    throw new Fault('invalid_argument', `Cannot use ${name} for models: its address is not https, or http on this machine, and plain`);
  return parsed.href.replace(/\/+$/, '');
}
