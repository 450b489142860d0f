/** The library that knows the wire formats, and nothing else of it: one function that streams. Loaded when a model is first asked, each package by itself. */
import type { OpenAICompatibleProvider } from '@ai-sdk/openai-compatible';
import type { ModelFetch } from './bounded-fetch.ts';
import type { ProviderRow, Wire } from './providers.ts';

export type LibraryModel = ReturnType<OpenAICompatibleProvider['languageModel']>;
export type LibraryOptions = Parameters<LibraryModel['doStream']>[0];
export type LibraryPrompt = LibraryOptions['prompt'];
export type LibraryPart = Awaited<ReturnType<LibraryModel['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never;

export type LibrarySettings = {
  /** As the provider is called here. */
  readonly provider: string;
  readonly row: ProviderRow;
  readonly baseURL: string;
  readonly model: string;
  /** Empty: there is none. */
  readonly apiKey: string;
  readonly fetch: ModelFetch;
};

type Shared = { readonly baseURL: string; readonly apiKey: string; readonly fetch: typeof fetch };
type Open = (shared: Shared, settings: LibrarySettings) => Promise<LibraryModel>;

const OPEN: Readonly<Record<Wire, Open>> = {
  anthropic: async (shared, { model }) => (await import('@ai-sdk/anthropic')).createAnthropic(shared).languageModel(model),
  'openai-responses': async (shared, { model }) => (await import('@ai-sdk/openai')).createOpenAI(shared).responses(model),
  'openai-chat': async (shared, { model }) => (await import('@ai-sdk/openai')).createOpenAI(shared).chat(model),
  google: async (shared, { model }) => (await import('@ai-sdk/google')).createGoogle(shared).languageModel(model),
  chat: async ({ apiKey, ...shared }, { model, row }) => {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const { isUsageAsked: includeUsage = true, hasSchemas: supportsStructuredOutputs = true, body } = row;
    return createOpenAICompatible({
      ...{ ...shared, name: 'chat', includeUsage, supportsStructuredOutputs },
      ...(apiKey !== '' && { apiKey }),
      ...(body !== undefined && { transformRequestBody: body }),
    }).chatModel(model);
  },
};

export async function openLibraryModel(settings: LibrarySettings): Promise<LibraryModel> {
  const { row, baseURL, apiKey, fetch } = settings;
  return await OPEN[row.wire]({ baseURL, apiKey, fetch: fetch as typeof globalThis.fetch }, settings); // Nothing else of it is used.
}

/** Under which name each keeps what it wants to see again, and reads what only it understands. */
export const LIBRARY_NAMES: Readonly<Record<Wire, string>> = {
  anthropic: 'anthropic',
  'openai-responses': 'openai',
  'openai-chat': 'openai',
  google: 'google',
  chat: 'chat',
};

/** Whether a chunk, as it came, is the last word of an answer; where none is, the finish itself says so. */
export const IS_END: Readonly<Record<Wire, (type: unknown) => boolean>> = {
  anthropic: (type) => type === 'message_stop',
  'openai-responses': (type) => type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed',
  'openai-chat': () => false,
  google: () => false,
  chat: () => false,
};
