/** Answers as they go over the wire. */
import type { JsonRpcError, JsonRpcId } from '@warren/protocol';

/** `result`: as JSON. */
export function success(id: JsonRpcId, result: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
}

export function failure(id: JsonRpcId, error: JsonRpcError): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
}
