import type { IncomingMessage, ServerResponse } from 'node:http';
import { askedSeat } from '../caller/asked-seat.ts';
import type { Caller } from '../caller/caller.ts';
import { parseTraceParent } from '../telemetry/tracing.ts';
import type { Identity } from './authenticate.ts';
import type { Gateway } from './gateway.ts';
import { headerOf } from './header.ts';
import { createGoneSignal, createWaitSignal } from './wait-signal.ts';

/** Whoever makes the calls of one request. */
export function callerOf(
  request: IncomingMessage,
  response: ServerResponse,
  { principal, name, groups, tokenId }: Identity,
  { stopping }: Pick<Gateway, 'stopping'>,
): Caller {
  const parts = { connection: response, isGone: () => response.destroyed };
  return {
    ...{ principal, name, groups, tokenId },
    ...askedSeat(request),
    traceParent: parseTraceParent(headerOf(request, 'traceparent')),
    gone: createGoneSignal(parts),
    signal: createWaitSignal({ ...parts, stopping }),
  };
}
