/** From a request to whoever answers it: the version, the browser's walls, the route, who is calling. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Fault, isFault } from '@warren/protocol';
import { authorize, requireAllowed } from '../caller/authorize.ts';
import { serveMcp } from '../mcp/http/serve-mcp.ts';
import { answerRpc } from './answer-rpc.ts';
import { answerApi } from './api/answer-api.ts';
import { openApiText } from './api/openapi/open-api-text.ts';
import { createRouteTree } from './api/route-tree.ts';
import { authenticate, type Identity } from './authenticate.ts';
import { checkBrowser, isJsonType } from './check-browser.ts';
import { acceptVersion } from './check-version.ts';
import type { Entry } from './entry.ts';
import type { Gateway } from './gateway.ts';
import { declaredLength } from './read-body.ts';
import { readTarget } from './read-target.ts';
import { API_PREFIX, refuse, refuseType, sendJson, sendNothing, sendText } from './reply.ts';
import { streamEvents } from './stream-events.ts';

const METRICS = { scope: { kind: 'operator' }, effect: 'read' } as const;
const NO_FAMILY = { isBelow: async () => false, isOf: async () => false };

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly query: string; readonly entry: Entry };

type Route = {
  readonly methods: readonly string[];
  readonly answer:
    | { readonly kind: 'open'; readonly run: (exchange: Exchange, gateway: Gateway) => void }
    | { readonly kind: 'known'; readonly run: (exchange: Exchange, identity: Identity, gateway: Gateway) => Promise<void> };
};

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/rpc', { methods: ['POST'], answer: { kind: 'known', run: rpc } }],
  ['/mcp', { methods: ['POST', 'GET', 'DELETE'], answer: { kind: 'known', run: mcp } }],
  ['/events', { methods: ['GET'], answer: { kind: 'known', run: events } }],
  ['/metrics', { methods: ['GET'], answer: { kind: 'known', run: metrics } }],
  ['/api/health', { methods: ['GET', 'HEAD', 'OPTIONS'], answer: { kind: 'open', run: health } }],
  ['/api/openapi.json', { methods: ['GET', 'HEAD', 'OPTIONS'], answer: { kind: 'open', run: openApi } }],
  ['/health', { methods: ['GET', 'HEAD'], answer: { kind: 'open', run: health } }],
]);

const API = createRouteTree();

/** Undefined where nothing is. */
function findRoute(path: string): Route | undefined {
  const own = ROUTES.get(path);
  if (own !== undefined || !path.startsWith(API_PREFIX)) return own;
  const found = API.find(path);
  if (found === undefined) return undefined;
  const { methods: routes, params } = found;
  const methods = [...routes.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const run: (Route['answer'] & { readonly kind: 'known' })['run'] = async (exchange, identity, gateway) => {
    const { method = '' } = exchange.request;
    const route = routes.get(method === 'HEAD' ? 'GET' : method);
    if (route !== undefined) await answerApi({ ...exchange, route, params }, identity, gateway);
  };
  return { methods: [...methods, 'OPTIONS'], answer: { kind: 'known', run } };
}

/** `isWaitingToSend`: the client asks before it sends its body (`Expect: 100-continue`). Never rejects. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  entry: Entry,
  gateway: Gateway,
  isWaitingToSend = false,
): Promise<void> {
  // Without it an aborted connection would be an uncaught error.
  response.on('error', () => {});
  if (gateway.stopping.aborted) response.shouldKeepAlive = false;
  try {
    await route(request, response, entry, gateway, isWaitingToSend);
  } catch (error) {
    answerFailure(response, error, gateway);
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  entry: Entry,
  gateway: Gateway,
  isWaitingToSend: boolean,
): Promise<void> {
  if (!acceptVersion(request, response)) return;
  const foreign = checkBrowser(request, entry);
  if (foreign !== undefined) return refuse(response, { fault: foreign });
  const { path, query } = readTarget(request);
  const found = findRoute(path);
  if (found === undefined) return refuse(response, { fault: new Fault('not_found', 'Cannot answer: there is nothing at this path') });
  const { methods, answer } = found;
  if (!methods.includes(request.method ?? '')) {
    const fault = new Fault('unsupported', `Cannot answer: this path has ${methods.join(' and ')} only`);
    return refuse(response, { fault, status: 405, headers: { allow: methods.join(', ') } });
  }
  if (request.method === 'OPTIONS') return sendNothing(response, { allow: methods.join(', ') });
  const exchange = { request, response, query, entry };
  if (answer.kind === 'open') return answer.run(exchange, gateway);
  const who = await authenticate(request, entry, { tokens: gateway.kernel.tokens, ...gateway });
  if (who.kind === 'refused') return refuse(response, who.refusal);
  if (isWaitingToSend) {
    // A body that was not asked for would be read as the next request.
    if (declaredLength(request) > gateway.limits.bodyBytesMax) response.shouldKeepAlive = false;
    else response.writeContinue();
  }
  await answer.run(exchange, who.identity, gateway);
}

async function rpc({ request, response, entry }: Exchange, identity: Identity, gateway: Gateway): Promise<void> {
  if (isJsonType(request, entry)) await answerRpc(request, response, identity, gateway);
  else refuseType(response);
}

async function mcp({ request, response, entry }: Exchange, identity: Identity, gateway: Gateway): Promise<void> {
  if (request.method !== 'POST' || isJsonType(request, entry)) await serveMcp(request, response, identity, gateway);
  else refuseType(response);
}

async function events({ request, response, query }: Exchange, identity: Identity, gateway: Gateway): Promise<void> {
  await streamEvents(request, response, query, identity, gateway);
}

async function metrics({ response }: Exchange, { principal }: Identity, gateway: Gateway): Promise<void> {
  requireAllowed(await authorize(principal, METRICS, {}, NO_FAMILY), 'read the metrics');
  sendText(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await gateway.metrics());
}

function health({ response }: Exchange, { version, stopping }: Gateway): void {
  sendJson(response, 200, JSON.stringify({ status: stopping.aborted ? 'draining' : 'ok', version }));
}

function openApi({ response }: Exchange): void {
  sendJson(response, 200, openApiText());
}

function answerFailure(response: ServerResponse, error: unknown, { log }: Gateway): void {
  const isTheirs = isFault(error) && error.code !== 'internal';
  if (!isTheirs) log.error('A request failed', { stack: error instanceof Error ? error.stack : typeof error });
  refuse(response, { fault: isTheirs ? error : new Fault('internal', 'Cannot answer: an error of ours, which is in the log') });
}
