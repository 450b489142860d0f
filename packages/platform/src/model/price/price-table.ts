/**
 * What models take, and what they cost: in US dollars for a million tokens, as their makers published it on the day below. A name that is not here is found by the longest beginning that is, since makers put
 * dates behind names; what is not found at all is guessed, dear rather than cheap, and said to be a guess.
 */
import type { ProviderName } from '../provider/providers.ts';

export const PRICES_OF = '2025-11-30';

/** [context, most output, input, output, read from a cache, written to one]; without the last two, what is cached costs as much as what is not. */
export type PriceRow = readonly [
  contextTokens: number,
  outputTokensMax: number,
  input: number,
  output: number,
  cacheRead?: number,
  cacheWrite?: number,
];

export const PRICES: Readonly<Record<ProviderName, Readonly<Record<string, PriceRow>>>> = {
  anthropic: {
    'claude-opus-4-5': [200_000, 64_000, 5, 25, 0.5, 6.25],
    'claude-opus-4-1': [200_000, 32_000, 15, 75, 1.5, 18.75],
    'claude-opus-4': [200_000, 32_000, 15, 75, 1.5, 18.75],
    'claude-sonnet-4-5': [200_000, 64_000, 3, 15, 0.3, 3.75],
    'claude-sonnet-4': [200_000, 64_000, 3, 15, 0.3, 3.75],
    'claude-haiku-4-5': [200_000, 64_000, 1, 5, 0.1, 1.25],
    'claude-3-5-haiku': [200_000, 8_192, 0.8, 4, 0.08, 1],
    'claude-3-haiku': [200_000, 4_096, 0.25, 1.25, 0.03, 0.3],
  },
  openai: {
    'gpt-5.1': [400_000, 128_000, 1.25, 10, 0.125],
    'gpt-5-pro': [400_000, 128_000, 15, 120],
    'gpt-5-mini': [400_000, 128_000, 0.25, 2, 0.025],
    'gpt-5-nano': [400_000, 128_000, 0.05, 0.4, 0.005],
    'gpt-5': [400_000, 128_000, 1.25, 10, 0.125],
    'gpt-4.1-mini': [1_047_576, 32_768, 0.4, 1.6, 0.1],
    'gpt-4.1-nano': [1_047_576, 32_768, 0.1, 0.4, 0.025],
    'gpt-4.1': [1_047_576, 32_768, 2, 8, 0.5],
    'gpt-4o-mini': [128_000, 16_384, 0.15, 0.6, 0.075],
    'gpt-4o': [128_000, 16_384, 2.5, 10, 1.25],
    'o4-mini': [200_000, 100_000, 1.1, 4.4, 0.275],
    'o3-mini': [200_000, 100_000, 1.1, 4.4, 0.55],
    o3: [200_000, 100_000, 2, 8, 0.5],
  },
  'openai-chat': {},
  google: {
    'gemini-3-pro-preview': [1_048_576, 65_536, 4, 18, 0.4],
    'gemini-2.5-pro': [1_048_576, 65_536, 2.5, 15, 0.25],
    'gemini-2.5-flash-lite': [1_048_576, 65_536, 0.1, 0.4, 0.025],
    'gemini-2.5-flash': [1_048_576, 65_536, 0.3, 2.5, 0.075],
    'gemini-2.0-flash': [1_048_576, 8_192, 0.1, 0.4, 0.025],
  },
  groq: {
    'llama-3.3-70b-versatile': [131_072, 32_768, 0.59, 0.79],
    'llama-3.1-8b-instant': [131_072, 131_072, 0.05, 0.08],
    'openai/gpt-oss-120b': [131_072, 65_536, 0.15, 0.75],
    'openai/gpt-oss-20b': [131_072, 65_536, 0.1, 0.5],
    'moonshotai/kimi-k2-instruct': [262_144, 16_384, 1, 3, 0.5],
    'qwen/qwen3-32b': [131_072, 40_960, 0.29, 0.59],
  },
  cerebras: {
    'gpt-oss-120b': [131_072, 40_960, 0.35, 0.75],
    'llama-3.3-70b': [128_000, 65_536, 0.85, 1.2],
    'llama3.1-8b': [32_768, 8_192, 0.1, 0.1],
    'qwen-3-32b': [131_072, 40_960, 0.4, 0.8],
  },
  mistral: {
    'mistral-large': [128_000, 32_768, 2, 6],
    'mistral-medium': [128_000, 32_768, 0.4, 2],
    'mistral-small': [128_000, 32_768, 0.1, 0.3],
    codestral: [256_000, 32_768, 0.3, 0.9],
    'devstral-medium': [128_000, 32_768, 0.4, 2],
    'magistral-medium': [128_000, 40_960, 2, 5],
  },
  xai: {
    'grok-4-fast': [2_000_000, 30_000, 0.4, 1, 0.05],
    'grok-4': [256_000, 64_000, 3, 15, 0.75],
    'grok-code-fast-1': [256_000, 10_000, 0.2, 1.5, 0.02],
    'grok-3-mini': [131_072, 32_768, 0.3, 0.5, 0.075],
    'grok-3': [131_072, 32_768, 3, 15, 0.75],
  },
  openrouter: {},
  ollama: {},
  compatible: {},
};

/** What runs on a machine of one's own costs nothing that anybody charges. */
export const FREE: ReadonlySet<ProviderName> = new Set<ProviderName>(['ollama']);

/** Of a model that nobody knows. A window that is guessed too small is only compacted early. */
export const UNKNOWN: PriceRow = [128_000, 8_192, 5, 25];
