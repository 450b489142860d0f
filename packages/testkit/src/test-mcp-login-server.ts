/**
 * A server of MCP over HTTP that wants a token, with its authorization server (OAuth 2.1: metadata of both, clients that register themselves, PKCE, refresh tokens that are good once), on
 * loopback. It is as strict as a real one, and does wrong only what a test tells it to.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Granted = {
  readonly client: string;
  readonly redirect: string;
  readonly challenge: string;
  readonly resource: string;
  readonly scope: string;
};
type Holder = { readonly client: string; readonly scope: string };
type Document = Readonly<Record<string, unknown>>;

export class TestMcpLoginServer implements AsyncDisposable {
  changeMetadata: (metadata: Document) => Document = (metadata) => metadata;
  /** Of the server itself, where it says who makes its tokens. */
  changeResource: (resource: Document) => Document = (resource) => resource;
  /** What it says to who has no good token. */
  changeChallenge: (challenge: string) => string = (challenge) => challenge;
  /** Where its metadata is, below its origin; it says so to who has no good token. */
  metadataPath = '/.well-known/oauth-protected-resource/mcp';
  /** Without this word in the scope of their token nobody calls the tool. */
  wantedScope: string | undefined;
  /** Where requests to a path are sent instead. */
  readonly redirects = new Map<string, string>();
  /** Everything that was asked: method, path, credentials and body. */
  readonly asked: string[] = [];
  /** What its one tool answers; the token it was called with may be in it. */
  answer: (token: string) => string = () => 'done';
  /** Before a token is given or refused: whoever asked waits for it. */
  beforeToken: () => Promise<void> = async () => {};
  /** What is answered to who asks for a token, instead of one. */
  refuseToken: (asked: URLSearchParams) => { readonly status: number; readonly text: string } | undefined = () => undefined;
  /** Refreshed, since the start. */
  renewed = 0;
  readonly #server: Server;
  readonly #clients = new Map<string, readonly string[]>();
  readonly #codes = new Map<string, Granted>();
  /** The scope of each token. */
  readonly #access = new Map<string, string>();
  readonly #refresh = new Map<string, Holder>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<TestMcpLoginServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestMcpLoginServer(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // It listens on a port.
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  /** What a browser that opened `address` comes back with, after whoever sits there said yes. */
  authorize(address: string): URL {
    const { pathname, origin, searchParams } = new URL(address);
    const asked = (name: string): string => searchParams.get(name) ?? '';
    const redirect = asked('redirect_uri');
    if (origin !== this.origin || pathname !== '/authorize') throw new Error(`The browser was sent to ${address}`);
    if (this.#clients.get(asked('client_id'))?.includes(redirect) !== true) throw new Error('This is no client');
    if (asked('response_type') !== 'code' || asked('code_challenge_method') !== 'S256') throw new Error('Not as it should ask');
    const code = secret();
    const [client, challenge, resource, scope] = ['client_id', 'code_challenge', 'resource', 'scope'].map(asked) as [
      string,
      string,
      string,
      string,
    ]; // Of four names.
    this.#codes.set(code, { client, redirect, challenge, resource, scope });
    const back = new URL(redirect);
    for (const [name, value] of Object.entries({ code, state: asked('state'), iss: this.origin })) back.searchParams.set(name, value);
    return back;
  }

  /** One that did not register itself. */
  addClient(client: string, redirect: string): void {
    this.#clients.set(client, [redirect]);
  }

  /** A token that is good. */
  letIn(): string {
    const token = secret();
    this.#access.set(token, '');
    return token;
  }

  /** From now on nobody gets in with a token there is; who has one to renew it may. */
  expire(): void {
    this.#access.clear();
  }

  /** Nor renews one. */
  revoke(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const { method, url = '' } = request;
    this.asked.push(`${method} ${url} ${request.headers.authorization ?? ''} ${body}`);
    const elsewhere = this.redirects.get(url);
    if (elsewhere !== undefined) {
      response.writeHead(307, { location: elsewhere }).end();
      return;
    }
    switch (url) {
      case '/mcp':
        return this.#mcp(request, response, body);
      case this.metadataPath:
        return send(response, 200, this.changeResource({ resource: this.url, authorization_servers: [this.origin] }));
      case '/.well-known/oauth-authorization-server':
        return send(response, 200, this.changeMetadata(this.#metadata()));
      case '/register': {
        const client = secret();
        const asked = JSON.parse(body) as { readonly redirect_uris: readonly string[] };
        this.#clients.set(client, asked.redirect_uris);
        return send(response, 201, { ...asked, client_id: client, token_endpoint_auth_method: 'none' });
      }
      case '/token':
        await this.beforeToken();
        return this.#token(new URLSearchParams(body), response);
      default:
        return send(response, 404, {});
    }
  }

  #mcp(request: IncomingMessage, response: ServerResponse, body: string): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const scope = this.#access.get(token);
    const metadata = `resource_metadata="${this.origin}${this.metadataPath}"`;
    if (scope === undefined) {
      response.writeHead(401, { 'www-authenticate': this.changeChallenge(`Bearer ${metadata}`) }).end();
      return;
    }
    const { id, method = '' } = (request.method === 'POST' ? JSON.parse(body) : {}) as { readonly id?: number; readonly method?: string };
    if (method === 'tools/call' && this.wantedScope !== undefined && !scope.split(' ').includes(this.wantedScope)) {
      const challenge = `Bearer error="insufficient_scope", scope="${this.wantedScope}", ${metadata}`;
      response.writeHead(403, { 'www-authenticate': challenge }).end();
      return;
    }
    const serverInfo = { name: 'login', version: '1' };
    const results: Readonly<Record<string, unknown>> = {
      initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo },
      'tools/list': { tools: [{ name: 'look', description: 'Looks', inputSchema: { type: 'object' } }] },
      'tools/call': { content: [{ type: 'text', text: this.answer(token) }] },
    };
    if (method === '') response.writeHead(405).end();
    else if (id === undefined) response.writeHead(202).end();
    else send(response, 200, { jsonrpc: '2.0', id, result: results[method] ?? {} });
  }

  #token(body: URLSearchParams, response: ServerResponse): void {
    const refused = this.refuseToken(body);
    if (refused !== undefined) {
      response.writeHead(refused.status, { 'content-type': 'application/json' }).end(refused.text);
      return;
    }
    const given = (name: string): string => body.get(name) ?? '';
    const holder = given('grant_type') === 'refresh_token' ? this.#renew(given) : this.#redeem(given);
    if (holder === undefined) send(response, 400, { error: 'invalid_grant' });
    else this.#give(holder, response);
  }

  #renew(given: (name: string) => string): Holder | undefined {
    const holder = this.#refresh.get(given('refresh_token'));
    this.#refresh.delete(given('refresh_token'));
    if (holder === undefined || holder.client !== given('client_id')) return undefined;
    this.renewed += 1;
    return holder;
  }

  #redeem(given: (name: string) => string): Holder | undefined {
    const granted = this.#codes.get(given('code'));
    this.#codes.delete(given('code'));
    const challenge = createHash('sha256').update(given('code_verifier')).digest('base64url');
    if (granted === undefined || granted.redirect !== given('redirect_uri') || granted.client !== given('client_id')) return undefined;
    return granted.challenge === challenge && granted.resource === given('resource') ? granted : undefined;
  }

  #give({ client, scope }: Holder, response: ServerResponse): void {
    const [access, refresh] = [secret(), secret()];
    this.#access.set(access, scope);
    this.#refresh.set(refresh, { client, scope });
    send(response, 200, { access_token: access, refresh_token: refresh, token_type: 'Bearer', expires_in: 3_600 });
  }

  #metadata(): Document {
    return {
      ...{ issuer: this.origin, authorization_endpoint: `${this.origin}/authorize`, token_endpoint: `${this.origin}/token` },
      ...{
        registration_endpoint: `${this.origin}/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      },
      ...{ token_endpoint_auth_methods_supported: ['none'], authorization_response_iss_parameter_supported: true },
    };
  }
}

function secret(): string {
  return randomBytes(18).toString('base64url');
}

function send(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

async function readAll(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer); // A request yields bytes.
  return Buffer.concat(pieces).toString();
}
