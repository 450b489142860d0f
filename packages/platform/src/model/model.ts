/**
 * Models: who thinks. One small interface stands between the loop and every provider: a request in words of ours goes in, parts come out as the model says them, and what goes wrong is a fault that says
 * whether asking again, another key or another model could help (`model-failure.ts`). The loop owns each turn: nothing here calls a tool, keeps a conversation or spends without saying so.
 *
 * Start at `open-models.ts`: a name leads to a provider of the table (`provider/providers.ts`), which is wrapped in retries, rotation of keys, the guard of the context window and fallbacks, each of them a
 * model again. `scripted/` plays turns that were written before. Types of the library that speaks to providers show nowhere outside of `provider/`.
 *
 * What is said is JSON, in the shape in which sessions keep it.
 */
import type { JsonObject } from '@warren/protocol';

/** What a provider wants to see again, untouched, when this is said to it later: signatures of thoughts, ids. By provider, so that another one is not confused by it. */
type Kept = { readonly metadata?: JsonObject };

export type TextContent = Kept & { readonly type: 'text'; readonly text: string };
/** `data` is base64. */
export type ImageContent = { readonly type: 'image'; readonly mediaType: string; readonly data: string };
export type ReasoningContent = Kept & { readonly type: 'reasoning'; readonly text: string };
export type ToolCallContent = Kept & { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly input: JsonObject };
/** A call whose input is not a JSON object. It has to be answered as any other, so that the model can do better. */
export type MalformedCallContent = Kept & {
  readonly type: 'malformed_call';
  readonly id: string;
  readonly name: string;
  /** As the model wrote it. */
  readonly text: string;
  readonly reason: string;
};
export type ToolResultContent = {
  readonly type: 'tool_result';
  /** Of the call. */
  readonly id: string;
  readonly name: string;
  readonly content: readonly (TextContent | ImageContent)[];
  readonly isError?: boolean;
};

export type UserMessage = { readonly role: 'user'; readonly content: readonly (TextContent | ImageContent)[] };
export type AssistantContent = TextContent | ReasoningContent | ToolCallContent | MalformedCallContent;
export type AssistantMessage = { readonly role: 'assistant'; readonly content: readonly AssistantContent[] };
/** Every call of the message before it is answered, in whatever order. */
export type ToolMessage = { readonly role: 'tool'; readonly content: readonly ToolResultContent[] };
export type ModelMessage = UserMessage | AssistantMessage | ToolMessage;

export type ModelTool = {
  /** 1 to 64 of letters, digits, `_` and `-`. */
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
};

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';

export type ModelRequest = {
  readonly system?: string | undefined;
  /** Oldest first. */
  readonly messages: readonly ModelMessage[];
  readonly tools?: readonly ModelTool[] | undefined;
  /** Default: `auto` where there are tools. */
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly tool: string } | undefined;
  /** Default: what the model is known to take, within bounds. */
  readonly outputTokensMax?: number | undefined;
  readonly temperature?: number | undefined;
  /** How hard to think, for models that can be told. Default: as the provider thinks best. */
  readonly reasoning?: ReasoningEffort | undefined;
  /** The answer is JSON of this schema. Whoever asked holds it to that: not every provider does. */
  readonly answer?: { readonly name: string; readonly schema: JsonObject } | undefined;
  /** The beginning will be said again soon: providers that can may keep it. `key` says which requests begin alike. */
  readonly cache?: { readonly key?: string | undefined; readonly isLong?: boolean | undefined } | undefined;
};

export type ModelUsage = {
  /** Read by the model and neither from a cache nor for one. */
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Thoughts included. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** The provider did not say all of it, so it is counted from what was sent and came. Never zero. */
  readonly isEstimated: boolean;
};

export type ModelCost = {
  /** Millionths of a US dollar. */
  readonly micros: number;
  /** The usage or the price is a guess. */
  readonly isEstimated: boolean;
};

/** Why it stopped. `refused`: the model or its provider will not answer this. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'refused' | 'other';

/** Where the inputs of calls stream, `tool_input_*` come before the call that they make up; not every provider streams them. */
export type ModelPart =
  /** `provider/model` of who answers; again when another one takes over. */
  | { readonly type: 'start'; readonly model: string }
  /** It is asked again, after as long, or somebody else is. Nothing that this request will answer came yet. */
  | { readonly type: 'retry'; readonly model: string; readonly reason: string; readonly waitMs: number }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'tool_input_start'; readonly id: string; readonly name: string }
  | { readonly type: 'tool_input_delta'; readonly id: string; readonly text: string }
  | { readonly type: 'tool_input_end'; readonly id: string }
  | ToolCallContent
  | MalformedCallContent
  /** The last one, always. */
  | ModelFinish;

export type ModelFinish = {
  readonly type: 'finish';
  /** `provider/model`. */
  readonly model: string;
  readonly reason: FinishReason;
  /** All that was said, to be kept and said to it again. */
  readonly message: AssistantMessage;
  readonly usage: ModelUsage;
  readonly cost: ModelCost;
};

export interface Model {
  /** `provider/model`. */
  readonly name: string;
  /** What it can be told and say, together. */
  readonly contextTokens: number;
  /**
   * Asks once somebody reads. Ends with `finish`, or throws: what went wrong, or what `signal` was fired with. Firing it, or leaving the loop, closes the connection, so that the provider stops; what it
   * made until then may be charged all the same. Faults: those of `model-failure.ts`.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart>;
}

/** Models of one maker. */
export interface ModelProvider {
  /** When nobody names one. */
  readonly defaultModel?: string | undefined;
  /** `keys`: in place of those that the provider was made with. */
  model(name: string, options?: { readonly keys?: readonly string[] | undefined }): Model;
}
