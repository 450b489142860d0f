/**
 * Answers that are not those of an operation. A refusal has the error object of JSON-RPC, so that clients read one form; below `/api` it is a
 * problem of RFC 9457, whoever refuses.
 */
import type { ServerResponse } from 'node:http';
import { errorOfFault, FAULTS, Fault } from '@warren/protocol';
import { failure } from '../jsonrpc/answer-text.ts';
import { PROBLEM_TYPE, problemOf, retryAfterOf } from './api/problem.ts';

export type Headers = Readonly<Record<string, string | number>>;

export const API_PREFIX = '/api/';

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
  if (response.req.url?.startsWith(API_PREFIX) === true) refuseApi(response, { fault, status, headers });
  else sendJson(response, status ?? FAULTS[fault.code].http, failure(null, errorOfFault(fault)), headers);
}

function refuseApi(response: ServerResponse, { fault, status, headers }: Refusal): void {
  const problem = problemOf(fault, status);
  const retryAfter = retryAfterOf(fault);
  const all = { ...(retryAfter !== undefined && { 'retry-after': retryAfter }), ...headers };
  sendText(response, problem.status, PROBLEM_TYPE, JSON.stringify(problem), all);
}

export function refuseType(response: ServerResponse): void {
  const fault = new Fault('invalid_argument', 'Cannot read the request: its content type is not application/json', {
    details: { field: 'content-type' },
  });
  refuse(response, { fault, status: 415 });
}

/** Headers of a stream of events. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { ...ALWAYS, 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
}
