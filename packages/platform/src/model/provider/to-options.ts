/** A request in the words of the library. */
import type { JsonObject } from '@warren/protocol';
import type { AssistantContent, ImageContent, ModelMessage, ModelRequest, TextContent, ToolResultContent } from '../model.ts';
import { LIBRARY_NAMES, type LibraryOptions, type LibraryPrompt } from './library.ts';
import type { ProviderRow } from './providers.ts';

type Message = LibraryPrompt[number];
type Said = Extract<Message, { role: 'assistant' }>['content'][number];
type Result = Extract<Message, { role: 'tool' }>['content'][number];
type Meta = NonNullable<Message['providerOptions']>;

export function toOptions(row: ProviderRow, request: ModelRequest, outputTokensMax: number, signal: AbortSignal): LibraryOptions {
  const { tools = [], toolChoice, temperature, reasoning, answer, cache } = request;
  const effort = reasoning === undefined ? undefined : row.effort === undefined ? reasoning : row.effort(reasoning);
  return {
    ...{ prompt: promptOf(row, request), maxOutputTokens: outputTokensMax, abortSignal: signal, includeRawChunks: true },
    ...(temperature !== undefined && { temperature }),
    ...(effort !== undefined && { reasoning: effort as NonNullable<LibraryOptions['reasoning']> }), // Of its words, whichever the row chose.
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, inputSchema }, index) => ({
        ...{ type: 'function' as const, name, description, inputSchema },
        ...(cache !== undefined && index === tools.length - 1 && breakpoint(row, cache)),
      })),
      toolChoice: choiceOf(toolChoice),
    }),
    ...(answer !== undefined && { responseFormat: { type: 'json' as const, name: answer.name, schema: answer.schema } }),
    providerOptions: ownOptions(row, request),
  };
}

function choiceOf(choice: ModelRequest['toolChoice'] = 'auto'): NonNullable<LibraryOptions['toolChoice']> {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: choice.tool };
}

/** Nothing is kept at a provider: what it wants to see again travels with what was said. */
function ownOptions({ wire }: ProviderRow, { cache, reasoning }: ModelRequest): Meta {
  const key = cache?.key === undefined ? {} : { promptCacheKey: cache.key.slice(0, 64) };
  if (wire === 'openai-responses')
    return {
      openai: {
        store: false,
        include: ['reasoning.encrypted_content'],
        ...key,
        ...(reasoning !== undefined && reasoning !== 'none' && { reasoningSummary: 'auto' }),
      },
    };
  if (wire === 'openai-chat') return { openai: { store: false, ...key } };
  if (wire === 'google' && reasoning !== undefined && reasoning !== 'none')
    return { google: { thinkingConfig: { includeThoughts: true } } };
  return {};
}

/** Up to here the beginning may be kept. Only one provider is told; others see for themselves. */
function breakpoint({ wire }: ProviderRow, cache: NonNullable<ModelRequest['cache']>): { readonly providerOptions?: Meta } {
  if (wire !== 'anthropic') return {};
  return { providerOptions: { anthropic: { cacheControl: { type: 'ephemeral', ...(cache.isLong === true && { ttl: '1h' }) } } } };
}

function promptOf(row: ProviderRow, { system, messages, cache }: ModelRequest): LibraryPrompt {
  const at = (here: boolean): { readonly providerOptions?: Meta } => (here && cache !== undefined ? breakpoint(row, cache) : {});
  const prompt: Message[] = system === undefined || system === '' ? [] : [{ role: 'system', content: system, ...at(true) }];
  for (const [index, message] of messages.entries()) prompt.push({ ...messageOf(row, message), ...at(index === messages.length - 1) });
  return prompt;
}

function messageOf(row: ProviderRow, message: ModelMessage): Message {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: message.content.map(shownOf) };
    case 'assistant':
      return { role: 'assistant', content: message.content.flatMap((part) => saidOf(row, part)) };
    case 'tool':
      return { role: 'tool', content: message.content.map((part) => resultOf(row, part)) };
    default:
      return message satisfies never;
  }
}

function shownOf(part: TextContent | ImageContent) {
  if (part.type === 'text') return { type: 'text' as const, text: part.text };
  return { type: 'file' as const, mediaType: part.mediaType, data: { type: 'data' as const, data: part.data } };
}

/** What a provider kept of its own goes back to it, and to no other. Thoughts of others are left out: nobody takes them. */
function saidOf({ wire, callId = (id) => id }: ProviderRow, part: AssistantContent): readonly Said[] {
  const kept = keptOf(part.metadata, LIBRARY_NAMES[wire]);
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, ...kept }];
    case 'reasoning':
      return kept.providerOptions === undefined ? [] : [{ type: 'reasoning', text: part.text, ...kept }];
    case 'tool_call':
      return [{ type: 'tool-call', toolCallId: callId(part.id), toolName: part.name, input: part.input, ...kept }];
    case 'malformed_call':
      return [{ type: 'tool-call', toolCallId: callId(part.id), toolName: part.name, input: {}, ...kept }];
    default:
      return part satisfies never;
  }
}

function keptOf(metadata: JsonObject | undefined, name: string): { readonly providerOptions?: Meta } {
  const own = metadata?.[name];
  return own === undefined ? {} : { providerOptions: { [name]: own } as Meta }; // As it came.
}

function resultOf({ callId = (id) => id }: ProviderRow, { id, name, content, isError }: ToolResultContent): Result {
  const about = { type: 'tool-result' as const, toolCallId: callId(id), toolName: name };
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  if (isError === true) return { ...about, output: { type: 'error-text', value: text } };
  if (content.every(({ type }) => type === 'text')) return { ...about, output: { type: 'text', value: text } };
  return { ...about, output: { type: 'content', value: content.map(shownOf) } };
}
