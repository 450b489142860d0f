/** What a model can be told. What is too much for certain is not sent; what comes near is told to whoever can say less. */
import { leastTokensOfRequest, tokensOfRequest } from './estimate-tokens.ts';
import type { Model, ModelRequest } from './model.ts';
import { modelFault } from './model-failure.ts';

/** From here on a conversation should be made shorter before it goes on. */
const TIGHT_SHARE = 0.8;
/** An answer needs some room. */
const ANSWER_TOKENS_LEAST = 1_024;

export type ContextFill = {
  /** About. */
  readonly inputTokens: number;
  readonly contextTokens: number;
  readonly isTight: boolean;
};

/** `measuredTokens`: what the last answer said that its request had, which is no guess; what was added since counts on top of it. */
export function contextFill(model: Pick<Model, 'contextTokens'>, request: ModelRequest, measuredTokens = 0): ContextFill {
  const { contextTokens } = model;
  const inputTokens = Math.max(tokensOfRequest(request), measuredTokens);
  return { inputTokens, contextTokens, isTight: inputTokens + ANSWER_TOKENS_LEAST > contextTokens * TIGHT_SHARE };
}

/** Refuses with `context_too_long` what its provider would refuse. */
export function withContextGuard(model: Model): Model {
  const { name, contextTokens } = model;
  return {
    ...{ name, contextTokens },
    async *stream(request, signal) {
      const tokens = leastTokensOfRequest(request);
      if (tokens + ANSWER_TOKENS_LEAST > contextTokens) {
        const details = { input_tokens: tokens, context_tokens: contextTokens };
        const why = `it is told about ${tokens} tokens, and can be told ${contextTokens}, an answer included`;
        throw modelFault({ model: name, reason: 'context_too_long', why, details });
      }
      yield* model.stream(request, signal);
    },
  };
}
