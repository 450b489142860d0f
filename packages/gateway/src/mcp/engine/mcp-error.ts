/** Errors of the protocol, and what of ours becomes one. Numbers from -32020 on mean something of their own here, so faults do not keep theirs. */
import { type Fault, isFault, JSON_RPC_ERRORS, type JsonRpcError } from '@warren/protocol';

export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
export const METHOD_NOT_FOUND = JSON_RPC_ERRORS.method_not_found;
export const INVALID_REQUEST = JSON_RPC_ERRORS.invalid_request;
export const PARSE_ERROR = JSON_RPC_ERRORS.parse_error;
/** Whatever else is wrong; `data.fault` says what. */
export const SERVER_ERROR = -32000;
/** In the versions with sessions only. */
export const RESOURCE_NOT_FOUND = -32002;
export const HEADER_MISMATCH = -32020;
export const MISSING_CAPABILITY = -32021;
export const UNSUPPORTED_VERSION = -32022;

/** Thrown by hosts and by the engine; answered as it is. */
export class McpError extends Error {
  override readonly name = 'McpError';
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export function invalidParams(message: string, data?: unknown): McpError {
  return new McpError(INVALID_PARAMS, message, data);
}

/** What the client did not say it can do. */
export function missingCapability(message: string, requiredCapabilities: object): McpError {
  return new McpError(MISSING_CAPABILITY, message, { requiredCapabilities });
}

/** `undefined` for what is a defect: it is for the log, and the client learns only that it happened. */
export function toJsonRpcError(error: unknown): JsonRpcError | undefined {
  if (error instanceof McpError) {
    const { code, message, data } = error;
    return data === undefined ? { code, message } : { code, message, data };
  }
  if (!isFault(error) || error.code === 'internal') return undefined;
  return errorOf(error);
}

export function errorOf({ code, message, details }: Fault): JsonRpcError {
  const number = code === 'invalid_argument' ? INVALID_PARAMS : code === 'internal' ? INTERNAL_ERROR : SERVER_ERROR;
  return { code: number, message, data: { ...details, fault: code } };
}
