/** Answers that are not those of an operation. Every refusal has the error object of JSON-RPC, so that clients read one form. */
import type { ServerResponse } from 'node:http';
import { errorOfFault, FAULTS, type Fault } from '@warren/protocol';
import { failure } from '../jsonrpc/answer-text.ts';

export type Headers = Readonly<Record<string, string | number>>;

const ALWAYS: Headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export function sendText(response: ServerResponse, status: number, type: string, text: string, headers: Headers = {}): void {
  response.writeHead(status, { ...ALWAYS, 'content-type': type, 'content-length': Buffer.byteLength(text), ...headers }).end(text);
}

export function sendJson(response: ServerResponse, status: number, text: string, headers: Headers = {}): void {
  sendText(response, status, 'application/json', text, headers);
}

export function sendNothing(response: ServerResponse, headers: Headers): void {
  response.writeHead(204, { ...ALWAYS, ...headers }).end();
}

export type Refusal = {
  readonly fault: Fault;
  /** Default: that of the fault. */
  readonly status?: number | undefined;
  readonly headers?: Headers | undefined;
};

/** Nothing when the headers are out already: then there is no other answer to give. */
export function refuse(response: ServerResponse, { fault, status, headers }: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  sendJson(response, status ?? FAULTS[fault.code].http, failure(null, errorOfFault(fault)), headers);
}

/** Headers of a stream of events. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { ...ALWAYS, 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
}
