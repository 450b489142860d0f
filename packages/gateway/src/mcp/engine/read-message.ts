/** From what a client sent to a message: a request, a notification, or its answer to a question of ours. */
import type { JsonObject, JsonRpcError } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import { INVALID_PARAMS, INVALID_REQUEST } from './mcp-error.ts';

export type RequestId = string | number;

export type McpRequest = { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly params: JsonObject };
export type McpNotification = { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject };
export type McpResponse = {
  readonly kind: 'response';
  readonly id: RequestId;
  readonly result: JsonObject | undefined;
  readonly error: { readonly message: string } | undefined;
};
export type McpMessage =
  | McpRequest
  | McpNotification
  | McpResponse
  | { readonly kind: 'invalid'; readonly id: RequestId | null; readonly error: JsonRpcError };

const METHOD_MAX = 256;

export function readMessage(value: unknown, textMax: number): McpMessage {
  if (!isObject(value)) return invalid(null, 'it is not an object');
  const { jsonrpc, id, method, params } = value;
  const hasId = id !== undefined;
  if (hasId && !isId(id, textMax)) return invalid(null, 'its id is neither a number nor a short text');
  const known = hasId ? (id as RequestId) : null; // Checked in the line above.
  if (jsonrpc !== '2.0') return invalid(known, 'its version of JSON-RPC is not 2.0');
  if (method === undefined) return readResponse(value, known);
  if (typeof method !== 'string' || method.length > METHOD_MAX) return invalid(known, 'its method is no short text');
  if (params !== undefined && !isObject(params))
    return { kind: 'invalid', id: known, error: { code: INVALID_PARAMS, message: 'Cannot read the message: its params are no object' } };
  return known === null
    ? { kind: 'notification', method, params: params ?? {} }
    : { kind: 'request', id: known, method, params: params ?? {} };
}

function readResponse({ result, error }: JsonObject, id: RequestId | null): McpMessage {
  if (id === null) return invalid(null, 'it has neither a method nor an id');
  if (isObject(error)) {
    const { message } = error;
    return { kind: 'response', id, result: undefined, error: { message: typeof message === 'string' ? message.slice(0, 1_000) : '' } };
  }
  return isObject(result) ? { kind: 'response', id, result, error: undefined } : invalid(id, 'it has neither a method nor a result');
}

function isId(id: unknown, textMax: number): id is RequestId {
  return (typeof id === 'number' && Number.isFinite(id)) || (typeof id === 'string' && id.length <= textMax);
}

function invalid(id: RequestId | null, why: string): McpMessage {
  return { kind: 'invalid', id, error: { code: INVALID_REQUEST, message: `Cannot read the message: ${why}` } };
}
