/**
 * What the conformance suite starts as the client: Warren's connection to a mounted server of HTTP and its way to log in there, through the egress guard, with somebody at hand who says
 * yes in a browser. The suite names the scenario in the environment.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/client';
import { isFault, type JsonObject } from '@warren/protocol';
import type { Egress } from '@warren/sandbox';
import { createEgress } from '@warren/sandbox/egress';
import { TemporaryDirectory } from '@warren/testkit';
import { createGuardedFetch } from '../../packages/platform/src/mcp/guarded-fetch.ts';
import { LoginStore } from '../../packages/platform/src/mcp/login-store.ts';
import { openConnection } from '../../packages/platform/src/mcp/open-connection.ts';
import { ServerLogin, type ServerLoginParts } from '../../packages/platform/src/mcp/server-login.ts';
import type { ForeignTool } from '../../packages/platform/src/mcp/tool-list.ts';

const REDIRECT = 'http://localhost:3000/callback';
/** Of a client that says who it is by an address where one can read that. */
const CLIENT_DOCUMENT = 'https://conformance-test.local/client-metadata.json';
const LOGINS_MAX = 2;
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'];
const asked: string[] = [];
const url = process.argv[2] ?? '';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Readonly<Record<string, unknown>>; // The suite wrote it.
const signal = AbortSignal.timeout(25_000);

/** The suite listens at `localhost`, a name that the guard refuses to everybody: here it is the address it stands for. */
function localEgress(): Egress {
  const guard = createEgress({ privateNetworks: ['127.0.0.0/8'] });
  const rules = { hosts: ['127.0.0.1'] };
  return {
    fetch: (_, request, ending) => {
      const { host, port } = new URL(request.url);
      if (!asked.includes(host)) asked.push(host);
      const there = { ...request, url: request.url.replace('//localhost:', '//127.0.0.1:') };
      return guard.fetch({ hosts: [`127.0.0.1:${port}`] }, there, ending);
    },
    lookup: (_, host, ending) => guard.lookup(rules, host, ending),
    connect: (_, target, ending) => guard.connect(rules, target, ending),
    probe: (_, target, ending) => guard.probe(rules, target, ending),
    [Symbol.asyncDispose]: () => guard[Symbol.asyncDispose](),
  };
}

/** A person who says yes at once, in a browser. */
async function logIn(login: ServerLogin): Promise<void> {
  const { address } = await login.begin(REDIRECT, signal);
  const back = await createGuardedFetch(egress, { hosts: [] }, signal)(address);
  const { searchParams } = new URL(back.headers.get('location') ?? '');
  const answered = (name: string): string => searchParams.get(name) ?? '';
  await login.finish({ state: answered('state'), code: answered('code'), iss: searchParams.get('iss') ?? undefined }, signal);
}

/** As somebody would who reads what went wrong: logs in when that is what is missing, and tries again, not forever. */
async function withLogin<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let logins = 0; ; logins++) {
    try {
      return await attempt();
    } catch (error) {
      if (logins === LOGINS_MAX || !isFault(error, 'unauthenticated')) throw error;
      await logIn(login);
    }
  }
}

/** What `mcp-servers.yaml` would say. The suite's authorization servers have ports that nobody knows before: they are named as they are first asked. */
async function configOf(folder: string): Promise<ServerLoginParts['config']> {
  const { client_id: id, client_secret: secret } = context;
  const secretFile = join(folder, 'secret');
  if (typeof secret === 'string') await writeFile(secretFile, secret);
  const who = typeof id === 'string' ? id : scenario === 'auth/basic-cimd' ? CLIENT_DOCUMENT : undefined;
  return {
    ...{ name: 'suite', url, headers: {}, header_files: {}, timeout: 20_000, concurrency: 1 },
    login: {
      hosts: asked,
      ...(who !== undefined && { client_id: who }),
      ...(typeof secret === 'string' && { client_secret_file: secretFile }),
    },
  };
}

/** Somebody who accepts every form as it is. */
function prepare(client: Client): void {
  client.registerCapabilities({ elicitation: { form: { applyDefaults: true } } });
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: {} }));
}

/** What the suite looks for in each argument, by its type. */
function argumentsOf({ inputSchema }: ForeignTool): JsonObject {
  const properties = (inputSchema['properties'] ?? {}) as Readonly<Record<string, { readonly type?: string }>>; // The suite's own.
  const values: Readonly<Record<string, JsonObject[string]>> = { string: 'x', number: 2, integer: 2, boolean: true, object: {}, array: [] };
  return Object.fromEntries(Object.entries(properties).map(([name, { type = 'string' }]) => [name, values[type] ?? null]));
}

const toolCalls = (context['toolCalls'] ?? undefined) as readonly { readonly name: string; readonly arguments: JsonObject }[] | undefined;
await using folder = await TemporaryDirectory.create();
await using egress = localEgress();
const config = await configOf(folder.path);
await using login = new ServerLogin({ config, store: new LoginStore(folder.path), egress, now: Date.now });
const parts = { sandboxes: undefined as never, egress, version: '0.0.0', now: Date.now, say: console.error, prepare, login }; // No program is started here.
await using connection = await withLogin(() => openConnection(parts, config, signal));
const { tools } = await withLogin(() => connection.list(signal));
const calls = toolCalls ?? tools.map((tool) => ({ name: tool.name, arguments: argumentsOf(tool) }));
if (scenario !== 'json-schema-ref-no-deref')
  for (const { name, arguments: input } of calls) {
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined) continue;
    const failed = (error: unknown): void => console.error(name, error); // One that fails keeps nobody from the next.
    await withLogin(() => connection.call(tool, input, { signal, timeoutMs: 20_000, onProgress: () => {} })).catch(failed);
  }
