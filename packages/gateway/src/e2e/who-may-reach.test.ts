/**
 * Everything that is no operation, as every kind of caller: paths, WebSockets and the methods of an earlier system. Which there are is read from what
 * routes them, so one that is added has no line in `who-may-reach.json` and fails until somebody says what it answers to whom: `UPDATE_PINS=1` writes what is so
 * now, to be looked at. Operations stand in `who-may-call.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { COMPAT_METHODS } from '../compat/create-compat-methods.ts';
import { SOCKETS } from '../http/accept-socket.ts';
import { ownRoutes } from '../http/routes.ts';
import { AGENT, isForeign, isUnknown, makeCallers, openForCallers, type TestCaller } from '../test-support/make-callers.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const PIN = new URL('./who-may-reach.json', import.meta.url);
const IS_UPDATED = process.env['UPDATE_PINS'] === '1';
/** By line, who gets which answer. */
type Lines = Readonly<Record<string, Readonly<Record<string, string>>>>;
const PINNED = JSON.parse(readFileSync(PIN, 'utf8')) as Lines; // Looked at by the tests.
/** Whoever opens the unix socket, without a token. */
const LOCAL = 'local user';

type Line = { readonly name: string; readonly isOpen: boolean; readonly ask: (who: string, caller: TestCaller) => Promise<string> };

let on: TestGateway;
const clock = { at: Date.now() };
const found: Record<string, Readonly<Record<string, string>>> = {};
const connections = new Agent({ keepAlive: true });

beforeAll(async () => {
  on = await openTestGateway({ hasPlatform: true, limits: { loginDelayMs: 0 }, kernel: { clock: { now: () => clock.at } } });
  await openForCallers(on);
});

afterAll(async () => {
  connections.destroy();
  await on[Symbol.asyncDispose]();
  if (IS_UPDATED) writeFileSync(PIN, `${JSON.stringify(found, null, 2)}\n`);
});

const rpc = (method: string, params: JsonObject = {}): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

/** What has to be sent so that an answer says more than that something is missing. */
const BODIES: Readonly<Record<string, string>> = {
  'POST /rpc': rpc('kernel.info'),
  'POST /mcp': rpc('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }),
  'POST /api/session': '{}',
};

function headersOf(who: string, { token }: TestCaller): Readonly<Record<string, string>> {
  return {
    accept: 'application/json, text/event-stream',
    'warren-workspace': DEFAULT_WORKSPACE,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    // A process is itself; everybody else has to say, or may say, in whose place it acts.
    ...(!who.startsWith('process') && { 'warren-agent': AGENT }),
  };
}

function send(who: string, caller: TestCaller, method: string, path: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const place = who === LOCAL ? { socketPath: on.socketPath } : { host: '127.0.0.1', port: on.port };
    const headers = {
      ...headersOf(who, caller),
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const sent = httpRequest(
      { ...place, agent: connections, method, path, headers },
      (response) => void answerOf(response).then(resolve, reject),
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A stream that has begun is an answer. */
async function answerOf(response: IncomingMessage): Promise<string> {
  const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
  if (isStream) {
    response.destroy();
    return `${response.statusCode} stream`;
  }
  let text = '';
  for await (const chunk of response) text += chunk;
  const code = codeOf(text);
  return code === undefined ? `${response.statusCode}` : `${response.statusCode} ${code}`;
}

/** What a problem, an error of JSON-RPC, or one of MCP calls itself; undefined when it is none. */
function codeOf(text: string): string | undefined {
  if (!text.startsWith('{')) return undefined;
  const { code, detail, error } = JSON.parse(text);
  if (error !== undefined) return String(error.data?.error_type ?? error.data?.fault ?? error.code);
  return detail === undefined ? undefined : code;
}

/** `101` when it opens. */
function openSocket(who: string, caller: TestCaller, path: string, query: string, protocol?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const address = who === LOCAL ? `ws+unix:${on.socketPath}:${path}${query}` : `ws://127.0.0.1:${on.port}${path}${query}`;
    const socket = new WebSocket(address, protocol === undefined ? [] : [protocol], { headers: headersOf(who, caller) });
    socket.once('unexpected-response', (_request, response) => void answerOf(response).then(resolve, reject));
    socket.once('open', () => {
      socket.terminate();
      resolve('101');
    });
    socket.on('error', reject);
  });
}

const PATHS: readonly Line[] = [...ownRoutes()].flatMap(([path, route]) =>
  [...route].map(([method, { kind }]) => ({
    name: `${method} ${path}`,
    isOpen: kind === 'open',
    ask: (who: string, caller: TestCaller) => send(who, caller, method, path.replace('{provider}', 'nobody'), BODIES[`${method} ${path}`]),
  })),
);

const SUPERVISION: Line = {
  name: 'GET /events?view=supervision',
  isOpen: false,
  ask: (who, caller) => send(who, caller, 'GET', '/events?view=supervision'),
};

const OPENED: readonly Line[] = [...[...SOCKETS.keys()].map((path) => ({ path, protocol: undefined })), { path: '/', protocol: 'mcp' }].map(
  ({ path, protocol }) => ({
    name: `WebSocket ${path}`,
    isOpen: false,
    ask: (who, caller) => openSocket(who, caller, path, path === '/events' ? '?view=supervision' : '', protocol),
  }),
);

const METHODS: readonly Line[] = COMPAT_METHODS.map((name) => ({
  name,
  isOpen: false,
  ask: (who, caller) => {
    const all = { name: 'system.time', capability: 'system.time', arguments: {}, session_id: `sess-${caller.pid}` };
    const wants: Readonly<Record<string, readonly (keyof typeof all)[]>> = {
      'capabilities.describe': ['name'],
      'capabilities.invoke': ['capability', 'arguments'],
      'capabilities.call': ['capability', 'arguments'],
      'session.end': ['session_id'],
    };
    const params = Object.fromEntries((wants[name] ?? []).map((key) => [key, all[key]]));
    return send(who, caller, 'POST', '/rpc', rpc(name, params));
  },
}));

/** About nobody's workspace: what is said of oneself, and what is the same for all. */
const OF_NO_WORKSPACE = new Set(['GET /api/session', 'HEAD /api/session', 'POST /rpc', 'WebSocket /rpc']);

it.each([...PATHS, SUPERVISION, ...OPENED, ...METHODS])('$name answers whom it is for, and nobody else', async ({ name, isOpen, ask }) => {
  const answers: Record<string, string[]> = {};
  for (const who of [...Object.keys(await makeCallers(on, clock)), LOCAL]) {
    // New ones each time: what the one before asked for may have ended what this one is.
    const callers: Readonly<Record<string, TestCaller>> = await makeCallers(on, clock);
    const caller = callers[who] ?? { token: undefined, pid: callers['agent']?.pid ?? 0 };
    const said = await ask(who, caller);
    expect([who, said]).not.toEqual([who, expect.stringMatching(/^5|internal/)]);
    if (!isOpen && isUnknown(who)) expect([who, said]).toEqual([who, expect.stringMatching(/^401/)]);
    if (!isOpen && isForeign(who) && !OF_NO_WORKSPACE.has(name))
      expect([who, said]).not.toEqual([who, expect.stringMatching(/^(101|200|204)( stream)?$/)]);
    answers[said] = [...(answers[said] ?? []), who];
  }
  if (isOpen) expect(Object.keys(answers)).toHaveLength(1);
  const lines = Object.fromEntries(Object.entries(answers).map(([said, whom]) => [said, whom.join(', ')]));
  found[name] = lines;
  if (!IS_UPDATED) expect(lines).toEqual(PINNED[name]);
});

it('says nothing of what there is not', () => {
  if (!IS_UPDATED) expect(Object.keys(PINNED)).toEqual([...PATHS, SUPERVISION, ...OPENED, ...METHODS].map(({ name }) => name));
});
