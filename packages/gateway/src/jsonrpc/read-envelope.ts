/** From bytes to requests. */
import { isUtf8 } from 'node:buffer';
import { errorOfFault, Fault, JSON_RPC_ERRORS, type JsonRpcError, type JsonRpcId } from '@warren/protocol';
import type { DispatchLimits } from './dispatch-limits.ts';
import { weighJson } from './weigh-json.ts';

export type ReadJson = { readonly kind: 'read'; readonly value: unknown } | { readonly kind: 'refused'; readonly error: JsonRpcError };

export function readJson(body: Uint8Array, { depthMax, valuesMax }: DispatchLimits): ReadJson {
  if (!isUtf8(body)) return refused({ code: JSON_RPC_ERRORS.parse_error, message: 'Cannot read the request: it is not UTF-8' });
  const weight = weighJson(body, { depthMax, valuesMax });
  if (weight === 'too deep') return tooLarge(`it is nested deeper than ${depthMax}`, depthMax);
  if (weight === 'too many values') return tooLarge(`it has more than ${valuesMax} values`, valuesMax);
  try {
    return { kind: 'read', value: JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')) };
  } catch {
    // What the parser says may quote the request.
    return refused({ code: JSON_RPC_ERRORS.parse_error, message: 'Cannot read the request: it is not JSON' });
  }
}

function tooLarge(why: string, limit: number): ReadJson {
  return refused(errorOfFault(new Fault('too_large', `Cannot read the request: ${why}`, { details: { limit } })));
}

function refused(error: JsonRpcError): ReadJson {
  return { kind: 'refused', error };
}

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
  return { kind: 'invalid', id, error: { code: JSON_RPC_ERRORS.invalid_request, message: `Cannot understand the request: ${why}` } };
}
