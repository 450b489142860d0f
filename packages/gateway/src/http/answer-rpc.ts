/** `POST /rpc`: one request or batch. Errors of JSON-RPC are answers like any other and have HTTP status 200, as clients of an earlier system expect. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from './authenticate.ts';
import { callerOf } from './caller-of.ts';
import { destroyWhenStalled } from './destroy-when-stalled.ts';
import type { Gateway } from './gateway.ts';
import { headerOf } from './header.ts';
import { Hold } from './hold.ts';
import { LiveIdentity } from './live-identity.ts';
import { noRoom, readBody } from './read-body.ts';
import { refuseTooFast, tooFast } from './refuse-too-fast.ts';
import { type Headers, refuse, sendJson, sendNothing } from './reply.ts';

export async function answerRpc(request: IncomingMessage, response: ServerResponse, identity: Identity, gateway: Gateway): Promise<void> {
  const { limits, held, dispatcher, stopping } = gateway;
  const hold = new Hold(held, limits.smallBytes);
  response.once('close', () => hold.clear());
  const read = await readBody(request, limits.bodyBytesMax, hold);
  if (read.kind === 'gone') return;
  if (read.kind === 'refused') return refuse(response, read);
  const caller = callerOf(request, response, identity, gateway);
  const live = new LiveIdentity(identity, gateway.kernel.tokens);
  let waitMs = 0;
  const answer = await dispatcher.dispatch(read.body, caller, async (more) => {
    waitMs = gateway.rates.takeMore(identity, more);
    return waitMs === 0 ? undefined : tooFast(waitMs);
  });
  await live.requireGood();
  if (response.destroyed) return;
  if (stopping.aborted) response.shouldKeepAlive = false;
  if (waitMs > 0) return refuseTooFast(response, waitMs);
  if (answer === undefined) return sendNothing(response, echo(request));
  if (!hold.add(answer.length)) return refuse(response, { fault: noRoom(), headers: { 'retry-after': 1 } });
  // An empty body is no request at all, which earlier clients know as 400.
  sendJson(response, read.body.length === 0 ? 400 : 200, answer, echo(request));
  if (!response.writableFinished) destroyWhenStalled(response, gateway);
}

const CLIENT_ID = /^[\x21-\x7e]{1,128}$/;

/** The client recognises its own answers by it. Nothing keeps it. */
function echo(request: IncomingMessage): Headers {
  const id = headerOf(request, 'x-client-id');
  return id !== undefined && CLIENT_ID.test(id) ? { 'x-client-id': id } : {};
}
