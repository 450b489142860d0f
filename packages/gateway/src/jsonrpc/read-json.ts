/** From bytes to values, within bounds. */
import { isUtf8 } from 'node:buffer';
import { errorOfFault, Fault, type JsonRpcError } from '@warren/protocol';
import type { DispatchLimits } from './dispatch-limits.ts';
import { protocolError } from './protocol-error.ts';
import { weighJson } from './weigh-json.ts';

export type ReadJson = { readonly kind: 'read'; readonly value: unknown } | { readonly kind: 'refused'; readonly error: JsonRpcError };

export function readJson(body: Uint8Array, { depthMax, valuesMax }: DispatchLimits): ReadJson {
  if (!isUtf8(body)) return refused(protocolError('parse_error', 'Cannot read the request: it is not UTF-8'));
  const weight = weighJson(body, { depthMax, valuesMax });
  if (weight === 'too deep') return tooLarge(`it is nested deeper than ${depthMax}`, depthMax);
  if (weight === 'too many values') return tooLarge(`it has more than ${valuesMax} values`, valuesMax);
  try {
    return { kind: 'read', value: JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')) };
  } catch {
    // What the parser says may quote the request.
    return refused(protocolError('parse_error', 'Cannot read the request: it is not JSON'));
  }
}

function tooLarge(why: string, limit: number): ReadJson {
  return refused(errorOfFault(new Fault('too_large', `Cannot read the request: ${why}`, { details: { limit } })));
}

function refused(error: JsonRpcError): ReadJson {
  return { kind: 'refused', error };
}
