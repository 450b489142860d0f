/**
 * `/api`: every operation as HTTP. The table of the contract says which one a request means; its parameters are put together from the path, the query
 * or the body, and from there on it is the same call as over `/rpc`, with the same checks, bounds, metrics and audit.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Fault, faultFromError, type JsonObject } from '@warren/protocol';
import { withoutAliases } from '@warren/protocol/contract';
import { readJson } from '../../jsonrpc/read-json.ts';
import type { Identity } from '../authenticate.ts';
import { callerOf } from '../caller-of.ts';
import { isJsonType } from '../check-browser.ts';
import { destroyWhenStalled } from '../destroy-when-stalled.ts';
import type { Entry } from '../entry.ts';
import type { Gateway } from '../gateway.ts';
import { Hold } from '../hold.ts';
import { LiveIdentity } from '../live-identity.ts';
import { declaredLength, noRoom, readBody } from '../read-body.ts';
import { refuse, refuseType, sendJson } from '../reply.ts';
import { readTexts } from './read-texts.ts';
import type { ApiRoute } from './route-tree.ts';

export type ApiRequest = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: Entry;
  readonly query: string;
  readonly route: ApiRoute;
  /** Of the path. */
  readonly params: Readonly<Record<string, string>>;
};

export async function answerApi(asked: ApiRequest, identity: Identity, gateway: Gateway): Promise<void> {
  const { request, response, entry, route } = asked;
  const hold = new Hold(gateway.held, gateway.limits.smallBytes);
  response.once('close', () => hold.clear());
  let given: JsonObject = {};
  if (route.method === 'GET') {
    given = readTexts(route.name, renamed(new URLSearchParams(asked.query), route));
  } else if (hasBody(request)) {
    if (!isJsonType(request, entry)) return refuseType(response);
    const read = await readBody(request, gateway.limits.bodyBytesMax, hold);
    if (read.kind === 'gone') return;
    if (read.kind === 'refused') return refuse(response, read);
    given = withoutAliases(route, readObject(read.body, route, gateway));
  }
  const params = { ...given, ...readTexts(route.name, Object.entries(asked.params)) };
  const live = new LiveIdentity(identity, gateway.kernel.tokens);
  const outcome = await gateway.dispatcher.carryOut(route.name, params, callerOf(request, response, identity, gateway));
  await live.requireGood();
  if (response.destroyed) return;
  if (gateway.stopping.aborted) response.shouldKeepAlive = false;
  if (outcome.kind === 'unknown') throw new Error(`No method answers ${route.name}`);
  if (outcome.kind === 'failed') return refuse(response, { fault: outcome.fault });
  if (!hold.add(outcome.result.length)) return refuse(response, { fault: noRoom() });
  sendJson(response, route.status, outcome.result);
  if (!response.writableFinished) destroyWhenStalled(response, gateway);
}

function hasBody(request: IncomingMessage): boolean {
  return declaredLength(request) > 0 || request.headers['transfer-encoding'] !== undefined;
}

function renamed(query: URLSearchParams, { aliases }: ApiRoute): Iterable<readonly [string, string]> {
  return [...query].flatMap(([key, text]) => {
    const own = Object.hasOwn(aliases, key) ? aliases[key] : undefined;
    if (own === undefined) return [[key, text] as const];
    return query.has(own) ? [] : [[own, text] as const];
  });
}

/** An empty body is one without parameters. Throws `invalid_argument` and `too_large`. */
function readObject(body: Uint8Array, { name }: ApiRoute, { readLimits }: Gateway): JsonObject {
  if (body.length === 0) return {};
  const read = readJson(body, readLimits);
  if (read.kind === 'refused') throw faultFromError(read.error);
  const { value } = read;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject; // It was parsed from JSON.
  throw new Fault('invalid_argument', `Cannot call ${name}: its body is no object with its parameters`, { details: { field: '' } });
}
