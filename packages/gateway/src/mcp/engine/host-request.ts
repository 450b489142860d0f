/** A request as its host sees it: what it tells goes to the stream of the request, and only what was asked for. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import { type HostRequest, LOG_LEVELS, type LogLevel } from '../host.ts';
import { invalidParams } from './mcp-error.ts';
import type { McpLimits } from './mcp-limits.ts';
import type { MessageStream } from './message-stream.ts';
import { notificationText } from './messages.ts';

export type RequestContext = {
  readonly signal: AbortSignal;
  readonly client: JsonObject;
  readonly stream: MessageStream;
  /** From which level on it wants to be told; undefined for not at all. */
  readonly logLevel: () => LogLevel | undefined;
  readonly answers: JsonObject | undefined;
  readonly state: JsonValue | undefined;
  readonly limits: McpLimits;
};

/** Throws `McpError` for a progress token that is none. */
export function createHostRequest(params: JsonObject, context: RequestContext): HostRequest {
  const { signal, client, stream, answers, state, limits } = context;
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  const token = readProgressToken(meta['progressToken'], limits);
  let last = Number.NEGATIVE_INFINITY;
  return {
    ...{ signal, meta, client, answers, state },
    progress(progress, total, message) {
      if (token === undefined || signal.aborted || !(progress > last)) return;
      const more = { ...(total !== undefined && { total }), ...(message !== undefined && { message }) };
      const text = notificationText('notifications/progress', { progressToken: token, progress, ...more });
      if (stream.send(text, { mayDrop: true })) last = progress;
    },
    log(level, data, logger) {
      const from = context.logLevel();
      if (from === undefined || signal.aborted || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(from)) return;
      stream.send(notificationText('notifications/message', { level, ...(logger !== undefined && { logger }), data }), { mayDrop: true });
    },
  };
}

export function readLogLevel(value: unknown): LogLevel {
  const level = LOG_LEVELS.find((known) => known === value);
  if (level === undefined) throw invalidParams(`Cannot set the log level: it is none of ${LOG_LEVELS.join(', ')}`);
  return level;
}

function readProgressToken(token: unknown, { textMax }: McpLimits): string | number | undefined {
  if (token === undefined) return undefined;
  if (typeof token === 'number' && Number.isFinite(token)) return token;
  if (typeof token === 'string' && token.length <= textMax) return token;
  throw invalidParams('Cannot answer the request: its progress token is neither a number nor a short text');
}
