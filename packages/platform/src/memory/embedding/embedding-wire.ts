/** How each provider of embeddings is asked, and how it answers, as data: what is not here is the same for all. */
import type { JsonObject } from '@warren/protocol';
import type { EmbeddingUse } from '../embedder.ts';

export type EmbeddingProvider = keyof typeof EMBEDDING_WIRES;

export type EmbeddingWire = {
  /** Undefined: the operator says. */
  readonly model: string | undefined;
  readonly url: string | undefined;
  readonly needsKey: boolean;
  /** Of one text. */
  readonly tokensMax: number;
  /** Of one request. */
  readonly textsMax: number;
  readonly requestTokensMax: number;
  path(model: string): string;
  headers(key: string): Readonly<Record<string, string>>;
  body(model: string, texts: readonly string[], use: EmbeddingUse): JsonObject;
  /** What should be the vectors, in the order of the texts; undefined when it is no answer at all. */
  read(answer: unknown): readonly unknown[] | undefined;
};

const bearer = (key: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${key}` });

const LIKE_OPENAI = {
  path: () => '/embeddings',
  headers: bearer,
  body: (model: string, texts: readonly string[]): JsonObject => ({ model, input: [...texts], encoding_format: 'float' }),
  read: readNumbered,
};

export const EMBEDDING_WIRES = {
  openai: {
    ...{ model: 'text-embedding-3-small', url: 'https://api.openai.com/v1', needsKey: true },
    ...{ tokensMax: 8_192, textsMax: 2_048, requestTokensMax: 250_000 },
    ...LIKE_OPENAI,
  },
  gemini: {
    ...{ model: 'gemini-embedding-001', url: 'https://generativelanguage.googleapis.com/v1beta', needsKey: true },
    ...{ tokensMax: 2_048, textsMax: 100, requestTokensMax: 20_000 },
    path: (model) => `/models/${encodeURIComponent(model)}:batchEmbedContents`,
    headers: (key) => ({ 'x-goog-api-key': key }),
    body: (model, texts, use) => ({
      requests: texts.map((text) => ({
        model: `models/${model}`,
        content: { parts: [{ text }] },
        taskType: use === 'query' ? 'RETRIEVAL_QUERY' : 'RETRIEVAL_DOCUMENT',
      })),
    }),
    read: (answer) => listIn(answer, 'embeddings')?.map((each) => fieldOf(each, 'values')),
  },
  voyage: {
    ...{ model: 'voyage-3-lite', url: 'https://api.voyageai.com/v1', needsKey: true },
    ...{ tokensMax: 32_000, textsMax: 1_000, requestTokensMax: 100_000 },
    ...LIKE_OPENAI,
    body: (model, texts, use) => ({ model, input: [...texts], input_type: use, truncation: false }),
  },
  mistral: {
    ...{ model: 'mistral-embed', url: 'https://api.mistral.ai/v1', needsKey: true },
    ...{ tokensMax: 8_192, textsMax: 512, requestTokensMax: 14_000 },
    ...LIKE_OPENAI,
    body: (model, texts) => ({ model, input: [...texts] }),
  },
  ollama: {
    ...{ model: 'nomic-embed-text', url: 'http://127.0.0.1:11434', needsKey: false },
    ...{ tokensMax: 2_048, textsMax: 128, requestTokensMax: 50_000 },
    path: () => '/api/embed',
    headers: bearer,
    body: (model, texts) => ({ model, input: [...texts], truncate: false }),
    read: (answer) => listIn(answer, 'embeddings'),
  },
  /** Any other that speaks as OpenAI does. Nothing is asked of it that a small server may not know. */
  compatible: {
    ...{ model: undefined, url: undefined, needsKey: false },
    ...{ tokensMax: 8_192, textsMax: 128, requestTokensMax: 50_000 },
    ...LIKE_OPENAI,
    body: (model, texts) => ({ model, input: [...texts] }),
  },
} as const satisfies Record<string, EmbeddingWire>;

/** Each says which text it belongs to, and no two the same. */
function readNumbered(answer: unknown): readonly unknown[] | undefined {
  const data = listIn(answer, 'data');
  const vectors = new Map(data?.map((each, place) => [fieldOf(each, 'index') ?? place, fieldOf(each, 'embedding')]));
  if (data === undefined || vectors.size !== data.length) return undefined;
  return data.map((_, index) => vectors.get(index));
}

function listIn(answer: unknown, field: string): readonly unknown[] | undefined {
  const list = fieldOf(answer, field);
  return Array.isArray(list) ? list : undefined;
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : undefined; // It is an object.
}
