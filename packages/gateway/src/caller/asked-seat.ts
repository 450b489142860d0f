/** In whose place a caller wants to act, in its own words. */
import type { IncomingMessage } from 'node:http';
import type { Identity } from '../http/authenticate.ts';
import { headerOf } from '../http/header.ts';
import { callerKey } from './caller-key.ts';
import type { AskedSeat } from './seats.ts';

export function askedSeat(request: IncomingMessage): AskedSeat {
  return { workspace: headerOf(request, 'warren-workspace'), agent: headerOf(request, 'warren-agent') };
}

/** Equal for the same caller in the same place. */
export function seatKey(identity: Identity, { workspace, agent }: AskedSeat): string {
  return JSON.stringify([callerKey(identity), workspace ?? null, agent ?? null]);
}
