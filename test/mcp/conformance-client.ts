/**
 * What the conformance suite starts as the client: Warren's connection to a mounted server of HTTP, through the egress guard, with somebody at hand who signs in. The suite names the
 * scenario in the environment.
 */
import { auth, type Client, extractWWWAuthenticateParams, type OAuthClientProvider } from '@modelcontextprotocol/client';
import type { JsonObject } from '@warren/protocol';
import type { Egress } from '@warren/sandbox';
import { createEgress } from '@warren/sandbox/egress';
import type { GuardedFetch } from '../../packages/platform/src/mcp/guarded-fetch.ts';
import { openConnection } from '../../packages/platform/src/mcp/open-connection.ts';
import type { ForeignTool } from '../../packages/platform/src/mcp/tool-list.ts';

const REDIRECT = 'http://localhost:3000/callback';
const ATTEMPTS_MAX = 3;
const url = process.argv[2] ?? '';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Readonly<Record<string, unknown>>; // The suite wrote it.
const signal = AbortSignal.timeout(25_000);

/** The suite listens at `localhost`, a name that the guard refuses to everybody: here it is the address it stands for. */
function localEgress(): Egress {
  const guard = createEgress({ privateNetworks: ['127.0.0.0/8'] });
  const rules = { hosts: ['127.0.0.1'] };
  return {
    fetch: (_, request, ending) =>
      guard.fetch(
        { hosts: [...rules.hosts, `127.0.0.1:${new URL(request.url).port}`] },
        { ...request, url: request.url.replace('//localhost:', '//127.0.0.1:') },
        ending,
      ),
    lookup: (_, host, ending) => guard.lookup(rules, host, ending),
    connect: (_, target, ending) => guard.connect(rules, target, ending),
    probe: (_, target, ending) => guard.probe(rules, target, ending),
    [Symbol.asyncDispose]: () => guard[Symbol.asyncDispose](),
  };
}

/** A person who says yes at once. */
class Person implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT;
  readonly clientMetadataUrl = 'https://conformance-test.local/client-metadata.json';
  readonly clientMetadata = { client_name: 'warren', redirect_uris: [REDIRECT], application_type: 'native' };
  readonly #send: GuardedFetch;
  #client = typeof context['client_id'] === 'string' ? ({ ...context, redirect_uris: [REDIRECT] } as never) : undefined;
  #tokens: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
  #verifier = '';
  #discovery: unknown;
  answer: { code: string; iss: string | undefined } = { code: '', iss: undefined };

  constructor(send: GuardedFetch) {
    this.#send = send;
  }

  clientInformation() {
    return this.#client;
  }
  saveClientInformation(client: unknown) {
    this.#client = client as never; // Of the library, back to the library.
  }
  tokens() {
    return this.#tokens;
  }
  saveTokens(tokens: NonNullable<typeof this.tokens extends () => infer T ? T : never>) {
    this.#tokens = tokens as never; // As above.
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier() {
    return this.#verifier;
  }
  saveDiscoveryState(state: unknown) {
    this.#discovery = state;
  }
  discoveryState() {
    return this.#discovery as never; // As above.
  }
  invalidateCredentials(what: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery') {
    if (what === 'all' || what === 'tokens') this.#tokens = undefined;
    if (what === 'all' || what === 'client') this.#client = undefined;
    if (what === 'all' || what === 'discovery') this.#discovery = undefined;
  }
  async redirectToAuthorization(place: URL) {
    const { searchParams } = new URL((await this.#send(place)).headers.get('location') ?? '');
    this.answer = { code: searchParams.get('code') ?? '', iss: searchParams.get('iss') ?? undefined };
  }
}

function signIn(send: GuardedFetch, serverUrl: string): GuardedFetch {
  const person = new Person(send);
  const asked = new Set<string>();
  return async (place, init = {}) => {
    for (let attempt = 1; ; attempt++) {
      const headers = new Headers(init.headers);
      const token = person.tokens()?.access_token;
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
      const response = await send(place, { ...init, headers });
      if ((response.status !== 401 && response.status !== 403) || attempt === ATTEMPTS_MAX) return response;
      const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
      for (const each of scope?.split(' ') ?? []) asked.add(each);
      if (response.status === 401) person.invalidateCredentials('discovery');
      const options = {
        ...{ serverUrl, fetchFn: send, forceReauthorization: response.status === 403 },
        ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
        ...(asked.size > 0 && { scope: [...asked].join(' ') }),
      };
      if ((await auth(person, options)) === 'REDIRECT') {
        const { code, iss } = person.answer;
        await auth(person, { ...options, authorizationCode: code, ...(iss !== undefined && { iss }) });
      }
    }
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
await using egress = localEgress();
await using connection = await openConnection(
  { sandboxes: undefined as never, egress, version: '0.0.0', now: Date.now, signIn, prepare }, // No program is started here.
  { name: 'suite', url, headers: {}, header_files: {}, timeout: 20_000, concurrency: 1 },
  signal,
);
const { tools } = await connection.list(signal);
const calls = toolCalls ?? tools.map((tool) => ({ name: tool.name, arguments: argumentsOf(tool) }));
if (process.env['MCP_CONFORMANCE_SCENARIO'] !== 'json-schema-ref-no-deref')
  for (const { name, arguments: input } of calls) {
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined) continue;
    const failed = (error: unknown): void => console.error(name, error); // One that fails keeps nobody from the next.
    await connection.call(tool, input, { signal, timeoutMs: 20_000, onProgress: () => {} }).catch(failed);
  }
await connection[Symbol.asyncDispose]();
process.exit(0);
