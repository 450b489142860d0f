/** JSON-RPC 2.0 as both ends of a connection see it: the envelopes, and faults on their way over the wire and back. */
import { FAULTS, Fault, type FaultCode, type FaultDetails } from './fault.ts';
import type { JsonObject } from './json.ts';

/** The errors of the protocol itself that no fault stands for. Malformed parameters are `invalid_argument`, a failure of ours `internal`. */
export const JSON_RPC_ERRORS = { parse_error: -32700, invalid_request: -32600, method_not_found: -32601 } as const;

export type JsonRpcId = string | number | null;

/** Without an `id` it is a notification and never answered. Null is an id like any other. */
export type JsonRpcRequest = {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject | null | undefined;
  readonly id?: JsonRpcId | undefined;
};

export type JsonRpcError = { readonly code: number; readonly message: string; readonly data?: unknown };
export type JsonRpcSuccess = { readonly jsonrpc: '2.0'; readonly id: JsonRpcId; readonly result: unknown };
export type JsonRpcFailure = { readonly jsonrpc: '2.0'; readonly id: JsonRpcId; readonly error: JsonRpcError };
export type JsonRpcResponse = JsonRpcSuccess | JsonRpcFailure;

/** The error object of a fault. `data` has its details and, as `fault`, its code, which is what programs should read. */
export function errorOfFault(fault: Fault): JsonRpcError {
  return { code: FAULTS[fault.code].rpc, message: fault.message, data: { ...fault.details, fault: fault.code } };
}

/** The fault an error object stands for. Whatever it is, this answers: with `internal` when nothing in it is known. */
export function faultFromError(error: unknown): Fault {
  const { code, message, data } = asObject(error);
  const { fault, ...details } = asObject(data);
  const text = typeof message === 'string' ? message : 'The peer failed and gave no message';
  const known = typeof fault === 'string' && isFaultCode(fault) ? fault : faultOfNumber(code);
  if (Object.keys(details).length === 0) return new Fault(known, text);
  return new Fault(known, text, { details: details as FaultDetails<FaultCode> }); // Ours gives the details that belong to the code.
}

/** What the protocol itself answers counts as the fault nearest to it. */
const FAULT_OF_NUMBER: ReadonlyMap<unknown, FaultCode> = new Map<unknown, FaultCode>([
  [JSON_RPC_ERRORS.parse_error, 'invalid_argument'],
  [JSON_RPC_ERRORS.invalid_request, 'invalid_argument'],
  [JSON_RPC_ERRORS.method_not_found, 'unsupported'],
  ...Object.entries(FAULTS).map(([code, { rpc }]) => [rpc, code as FaultCode] as const), // Object.entries forgets the keys of a const table.
]);

function faultOfNumber(number: unknown): FaultCode {
  return FAULT_OF_NUMBER.get(number) ?? 'internal';
}

function isFaultCode(word: string): word is FaultCode {
  return Object.hasOwn(FAULTS, word);
}

/** Its keys, or none. */
function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}; // An object has keys, of whatever.
}
