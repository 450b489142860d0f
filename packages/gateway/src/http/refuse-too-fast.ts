import type { ServerResponse } from 'node:http';
import { Fault } from '@warren/protocol';
import { refuse } from './reply.ts';

/** Says when to come back. */
export function refuseTooFast(response: ServerResponse, waitMs: number): void {
  refuse(response, { fault: tooFast(waitMs), headers: { 'retry-after': Math.ceil(waitMs / 1_000) } });
}

export function tooFast(waitMs: number): Fault {
  return new Fault('rate_limited', 'Cannot answer: this caller sends too many requests', { details: { retry_after_ms: waitMs } });
}
