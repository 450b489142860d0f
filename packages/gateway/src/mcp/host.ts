/**
 * What stands behind the protocol for one caller: tools, resources, prompts. A host knows nothing of versions, sessions and transports; who
 * speaks the protocol knows nothing of Warren.
 *
 * A host never waits for the client. Where it needs something of it, it answers what it asks (`ask`) and is called again with the answers and with the
 * state it gave: in the versions with sessions the engine sends the questions itself, in those without the client makes the request anew. So a host
 * keeps nothing between the two.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';

export interface McpHost {
  readonly server: ServerInfo;
  /** For the model: what this server is, and how to use it well. */
  readonly instructions?: string | undefined;
  /** Whether it ever calls `log`. */
  readonly logs: boolean;
  readonly tools: McpTools;
  readonly resources?: McpResources | undefined;
  readonly prompts?: McpPrompts | undefined;
  /** Completes an argument. `params` as the protocol has them. */
  readonly complete?: ((params: JsonObject, signal: AbortSignal) => Promise<JsonObject>) | undefined;
  /** Calls back after each change of what it offers, until disposed of. */
  onChanged(listener: (change: HostChange) => void): Disposable;
}

export type ServerInfo = { readonly name: string; readonly version: string; readonly title?: string | undefined };

export interface McpTools {
  list(cursor: string | undefined, signal: AbortSignal): Promise<Page>;
  call(name: string, args: JsonObject, request: HostRequest): Promise<Outcome>;
  /** The schema of a tool's arguments, if parameters of it may stand in headers (`x-mcp-header`). */
  readonly headersOf?: ((name: string) => JsonObject | undefined) | undefined;
}

export interface McpResources {
  /** Whether it tells of changes of single resources, to who subscribed, and of changes of the list. */
  readonly canSubscribe: boolean;
  readonly tellsOfList: boolean;
  list(cursor: string | undefined, signal: AbortSignal): Promise<Page>;
  listTemplates(cursor: string | undefined, signal: AbortSignal): Promise<Page>;
  read(uri: string, request: HostRequest): Promise<Outcome>;
}

export interface McpPrompts {
  list(cursor: string | undefined, signal: AbortSignal): Promise<Page>;
  get(name: string, args: JsonObject, request: HostRequest): Promise<Outcome>;
}

/** Cursors are the host's own. One it does not know is an `McpError` with `INVALID_PARAMS`. */
export type Page = { readonly items: readonly JsonObject[]; readonly nextCursor?: string | undefined };

export type Outcome =
  | { readonly kind: 'done'; readonly result: JsonObject }
  | {
      readonly kind: 'ask';
      /** By names of the host's own. Only what the client says it can do. */
      readonly questions: Readonly<Record<string, Question>>;
      /** Comes back with the answers, as it was; nobody else can read, make or change one. */
      readonly state?: JsonValue | undefined;
      /** Where the engine itself asks: resolves when the answers are not needed any more. Then the host is called again without them. */
      readonly until?: ((signal: AbortSignal) => Promise<void>) | undefined;
    };

/** A request to the client: `elicitation/create`, `sampling/createMessage` or `roots/list`. */
export type Question = { readonly method: string; readonly params: JsonObject };

/** One request, as the host sees it. */
export type HostRequest = {
  /** Fires when the client cancels or is gone for good. */
  readonly signal: AbortSignal;
  /** `_meta` of the request. */
  readonly meta: JsonObject;
  /** What the client says it can do. */
  readonly client: JsonObject;
  /** What it answered to what was asked the last time; undefined the first time. */
  readonly answers: JsonObject | undefined;
  readonly state: JsonValue | undefined;
  /** How far it is. Dropped when nobody asked for it, takes it, or when it does not grow. */
  progress(progress: number, total?: number, message?: string): void;
  /** Dropped when nobody asked for it, or takes it. */
  log(level: LogLevel, data: JsonValue, logger?: string): void;
};

export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type HostChange = { readonly kind: 'tools' | 'prompts' | 'resources' } | { readonly kind: 'resource'; readonly uri: string };
