import type { JsonRpcError, JsonRpcId } from '@warren/protocol';
import { protocolError } from './protocol-error.ts';

export type Envelope =
  /** `id` is undefined in a notification. */
  | { readonly kind: 'request'; readonly id: JsonRpcId | undefined; readonly method: string; readonly params: unknown }
  | { readonly kind: 'invalid'; readonly id: JsonRpcId; readonly error: JsonRpcError };

/** An id comes back as it was sent, so one that cannot is refused: a number that JSON or a double does not keep. */
const ID_CHARACTERS_MAX = 1_024;

export function readEnvelope(value: unknown): Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid(null, 'it is not an object');
  const { jsonrpc, method, params, id } = value as Readonly<Record<string, unknown>>; // An object has keys, of whatever.
  if (id !== undefined && !isId(id)) {
    return invalid(null, `its id is not a string of up to ${ID_CHARACTERS_MAX} characters, a number that survives the way, or null`);
  }
  if (jsonrpc !== '2.0') return invalid(id ?? null, 'its jsonrpc is not "2.0"');
  if (typeof method !== 'string') return invalid(id ?? null, 'its method is not a string');
  return { kind: 'request', id, method, params };
}

function isId(id: unknown): id is JsonRpcId {
  if (typeof id === 'string') return id.length <= ID_CHARACTERS_MAX && id.isWellFormed();
  if (typeof id === 'number') return Number.isFinite(id) && (!Number.isInteger(id) || Number.isSafeInteger(id));
  return id === null;
}

function invalid(id: JsonRpcId, why: string): Envelope {
  return { kind: 'invalid', id, error: protocolError('invalid_request', `Cannot understand the request: ${why}`) };
}
