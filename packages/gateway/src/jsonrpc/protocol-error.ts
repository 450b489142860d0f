/**
 * Errors of JSON-RPC itself: what came is no JSON, no request, or names no method. Like every other error they say in `data.fault` in a stable word
 * what the number says; these three words stand beside the codes of faults and are not among them, as no operation answers them.
 */
import { JSON_RPC_ERRORS, type JsonRpcError } from '@warren/protocol';

const NUMBERS = {
  parse_error: JSON_RPC_ERRORS.parse_error,
  invalid_request: JSON_RPC_ERRORS.invalid_request,
  unknown_method: JSON_RPC_ERRORS.method_not_found,
} as const;

export function protocolError(fault: keyof typeof NUMBERS, message: string): JsonRpcError {
  return { code: NUMBERS[fault], message, data: { fault } };
}
