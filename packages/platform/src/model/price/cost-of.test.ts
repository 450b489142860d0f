import { describe, expect, it } from 'vitest';
import { costOf } from './cost-of.ts';
import { factsOf } from './facts-of.ts';
import { PRICES, UNKNOWN } from './price-table.ts';

const USAGE = {
  inputTokens: 1_000,
  cacheReadTokens: 10_000,
  cacheWriteTokens: 100,
  outputTokens: 10,
  reasoningTokens: 5,
  isEstimated: false,
};

describe('what an answer costs', () => {
  it('counts what was cached by its own price', () => {
    expect(costOf('anthropic', 'claude-sonnet-4-5', USAGE)).toEqual({
      micros: 1_000 * 3 + 10_000 * 0.3 + 100 * 3.75 + 10 * 15,
      isEstimated: false,
    });
    expect(costOf('groq', 'llama-3.1-8b-instant', { ...USAGE, cacheReadTokens: 0, cacheWriteTokens: 0 })).toEqual({
      micros: 51,
      isEstimated: false,
    });
  });

  it('is a guess where the usage or the model is one, and never nothing', () => {
    expect(costOf('openai', 'gpt-5', { ...USAGE, isEstimated: true }).isEstimated).toBe(true);
    const one = { inputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0, isEstimated: false };
    expect(costOf('compatible', 'whatever', one)).toEqual({ micros: 5, isEstimated: true });
    expect(costOf('openai', 'gpt-5-nano', one)).toEqual({ micros: 1, isEstimated: false });
    expect(costOf('ollama', 'whatever', USAGE)).toEqual({ micros: 0, isEstimated: false });
  });
});

describe('what is known of a model', () => {
  it.each([
    ['anthropic', 'claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['anthropic', 'claude-sonnet-4-20250514', 'claude-sonnet-4'],
    ['openai', 'gpt-4o-2024-08-06', 'gpt-4o'],
    ['openai', 'gpt-4o-mini-2024-07-18', 'gpt-4o-mini'],
    ['mistral', 'mistral-large-latest', 'mistral-large'],
    ['google', 'gemini-2.5-flash-preview-09-2025', 'gemini-2.5-flash'],
  ] as const)('%s/%s is %s', (provider, model, name) => {
    expect(factsOf(provider, model)).toMatchObject({ isKnown: true, price: PRICES[provider][name] });
  });

  it.each([
    ['anthropic', 'claude-sonnet-4-6'],
    ['openai', 'gpt-5.9'],
    ['openai', 'gpt-5-turbo'],
    ['openai', 'toString'],
    ['google', '__proto__'],
    ['compatible', 'gpt-5'],
  ] as const)('%s/%s is unknown: another may cost something else', (provider, model) => {
    expect(factsOf(provider, model)).toMatchObject({ isKnown: false, price: UNKNOWN });
  });

  it('the chat of OpenAI has the same ones', () => {
    expect(factsOf('openai-chat', 'gpt-5')).toEqual(factsOf('openai', 'gpt-5'));
  });
});
