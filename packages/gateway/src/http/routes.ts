/** Which paths there are, by which methods, and who answers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authorize, requireAllowed } from '../caller/authorize.ts';
import { serveMcp } from '../mcp/http/serve-mcp.ts';
import { answerRpc } from './answer-rpc.ts';
import { answerApi } from './api/answer-api.ts';
import { openApiText } from './api/openapi/open-api-text.ts';
import { createRouteTree } from './api/route-tree.ts';
import type { CookieUse, Identity } from './authenticate.ts';
import { isJsonType } from './check-browser.ts';
import type { Entry } from './entry.ts';
import type { Gateway } from './gateway.ts';
import { API_PREFIX, refuseType, sendJson, sendText } from './reply.ts';
import { deleteSession, getSession, postSession } from './sign-in/answer-session.ts';
import { beginOidc, endOidc, listProviders } from './sign-in/oidc/answer-oidc.ts';
import { streamEvents } from './stream-events.ts';

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: string;
  readonly entry: Entry;
};

export type Answer =
  | {
      readonly kind: 'open';
      /** Another site may lead a browser here. */
      readonly isReturn: boolean;
      readonly run: (exchange: Exchange, gateway: Gateway) => void | Promise<void>;
    }
  | {
      readonly kind: 'known';
      readonly cookies: CookieUse;
      readonly run: (exchange: Exchange, identity: Identity, gateway: Gateway) => void | Promise<void>;
    };

/** By method. */
export type Route = ReadonlyMap<string, Answer>;

const METRICS = { scope: { kind: 'operator' }, effect: 'read' } as const;
const NO_FAMILY = { isBelow: async () => false, isOf: async () => false };

const known = (run: (Answer & { readonly kind: 'known' })['run'], cookies: CookieUse = 'header'): Answer => ({
  kind: 'known',
  cookies,
  run,
});
const open = (run: (Answer & { readonly kind: 'open' })['run'], isReturn = false): Answer => ({ kind: 'open', isReturn, run });
const route = (answers: Readonly<Record<string, Answer>>): Route => new Map(Object.entries(answers));

const MCP = known(mcp, 'none');
const HEALTH = open(health);
const OPEN_API = open(openApi);
const WHO_AM_I = known(whoAmI);
const PROVIDERS = open(listProviders);

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['/rpc', route({ POST: known(rpc) })],
  ['/mcp', route({ POST: MCP, GET: MCP, DELETE: MCP })],
  ['/events', route({ GET: known(events) })],
  ['/metrics', route({ GET: known(metrics) })],
  ['/api/health', route({ GET: HEALTH, HEAD: HEALTH })],
  ['/api/openapi.json', route({ GET: OPEN_API, HEAD: OPEN_API })],
  ['/api/session', route({ POST: open(signIn), GET: WHO_AM_I, HEAD: WHO_AM_I, DELETE: known(signOut) })],
  ['/api/session/oidc', route({ GET: PROVIDERS, HEAD: PROVIDERS })],
  ['/health', route({ GET: HEALTH, HEAD: HEALTH })],
]);

/** Paths with the name of a provider in them. */
const NAMED: readonly { readonly path: string; readonly pattern: RegExp; readonly route: (name: string) => Route }[] = [
  {
    path: '/api/session/oidc/{provider}',
    pattern: /^\/api\/session\/oidc\/([a-z0-9][a-z0-9-]{0,62})$/,
    route: (provider) => route({ GET: open((exchange, gateway) => beginOidc(exchange, provider, gateway)) }),
  },
  {
    path: '/api/session/oidc/{provider}/callback',
    pattern: /^\/api\/session\/oidc\/([a-z0-9][a-z0-9-]{0,62})\/callback$/,
    route: (provider) => route({ GET: open((exchange, gateway) => endOidc(exchange, provider, gateway), true) }),
  },
];

const API = createRouteTree();

/** Undefined where nothing is. */
export function findRoute(path: string): Route | undefined {
  const own = ROUTES.get(path);
  if (own !== undefined || !path.startsWith(API_PREFIX)) return own;
  for (const { pattern, route: routeOf } of NAMED) {
    const name = pattern.exec(path)?.[1];
    if (name !== undefined) return routeOf(name);
  }
  const found = API.find(path);
  if (found.size === 0) return undefined;
  const answers = [...found].flatMap(([method, { route: each, params }]) => {
    const answer = known((exchange, identity, gateway) => answerApi({ ...exchange, route: each, params }, identity, gateway));
    return (method === 'GET' ? ['GET', 'HEAD'] : [method]).map((name) => [name, answer] as const);
  });
  return new Map(answers);
}

/** Every path but those of operations, which stand in the contract. */
export function ownRoutes(): ReadonlyMap<string, Route> {
  return new Map([...ROUTES, ...NAMED.map(({ path, route: routeOf }) => [path, routeOf('provider')] as const)]);
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

async function signIn({ request, response, entry }: Exchange, gateway: Gateway): Promise<void> {
  if (isJsonType(request, entry)) await postSession(request, response, entry, gateway);
  else refuseType(response);
}

function whoAmI({ response }: Exchange, identity: Identity): void {
  getSession(identity, response);
}

async function signOut({ request, response, entry }: Exchange, identity: Identity, gateway: Gateway): Promise<void> {
  await deleteSession(request, response, identity, entry, gateway);
}

function health({ response }: Exchange, { version, stopping }: Gateway): void {
  sendJson(response, 200, JSON.stringify({ status: stopping.aborted ? 'draining' : 'ok', version }));
}

function openApi({ response }: Exchange): void {
  sendJson(response, 200, openApiText());
}
