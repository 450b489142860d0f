/** Answers as they go over the wire. */
import type { JsonRpcError, JsonRpcId } from '@warren/protocol';

/** The text of the result first: if it cannot be made, nothing of an answer was. */
export function success(id: JsonRpcId, result: unknown): string {
  const text: string | undefined = JSON.stringify(result);
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text ?? 'null'}}`;
}

export function failure(id: JsonRpcId, error: JsonRpcError): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
}
