/**
 * Logging in for one mounted server, by OAuth 2.1 with PKCE, as the official client of MCP does it: where the authorization server is, the server says; who we are there, it is asked
 * to say unless the operator did. All of it goes through the egress guard, to the hosts that are named in the file.
 *
 * A person is needed once: what begins gives the address to open in a browser, what ends takes what the browser came back with. After that tokens are made new without anybody, by
 * one request at a time, for a token that makes another is often good once.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { AuthProvider } from '@modelcontextprotocol/client';
import { Fault, isFault } from '@warren/protocol';
import { type Egress, EgressRefusal } from '@warren/sandbox';
import { cleanText } from './clean-text.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import { type LoginChallenge, readChallenge, uniteScopes } from './login-challenge.ts';
import {
  type Discovery,
  issuerOf,
  isUnreadable,
  type LoginClient,
  LoginRequests,
  NOT_SENT,
  requireIssuer,
  scopeOf,
  type Tokens,
} from './login-requests.ts';
import type { LoginStore, StoredLogin } from './login-store.ts';
import type { RemoteServer } from './mcp-config-format.ts';
import { MCP_LIMITS } from './mcp-limits.ts';
import { readSecrets } from './read-secrets.ts';
import { withoutSecrets } from './without-secrets.ts';

export type ServerLoginParts = {
  readonly config: RemoteServer & { readonly login: NonNullable<RemoteServer['login']> };
  readonly store: LoginStore;
  readonly egress: Egress;
  readonly now: () => number;
};

/** What the browser came back with. */
export type LoginAnswer = { readonly state: string; readonly code: string; readonly iss: string | undefined };

type Begun = {
  readonly login: StoredLogin;
  readonly discovery: Discovery;
  readonly client: LoginClient;
  readonly state: string;
  readonly verifier: string;
  readonly until: number;
  /** Ends when the login is forgotten. */
  readonly kept: AbortSignal;
};

/** As the client of MCP reads it out of an answer. */
type Insufficient = { readonly requiredScope?: string | undefined; readonly resourceMetadataUrl?: URL | undefined };

const STATE_BYTES = 32;
const SCOPE_SHOWN_LENGTH_MAX = 200;
/** Those of the last few renewals: answers under way may hold them yet. */
const SECRETS_MAX = 16;

export class ServerLogin implements AuthProvider, AsyncDisposable {
  readonly #parts: ServerLoginParts;
  /** What the server said last to who had no token it takes. */
  #challenge: LoginChallenge | undefined;
  /** The scope of the next login, when the server found that of this one too small. */
  #more: string | undefined;
  #begun: Begun | undefined;
  #renewing: Promise<void> | undefined;
  /** What changes the stored login does so one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** Aborted when it is forgotten: what began before keeps nothing. */
  #keeping = new AbortController();
  readonly #secrets = new Set<string>();

  constructor(parts: ServerLoginParts) {
    this.#parts = parts;
  }

  /** For each request. */
  async token(): Promise<string | undefined> {
    return tokensOf(await this.#read())?.access_token;
  }

  /** What it was trusted with last: the servers were sent some of it, and must not give it back. */
  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  /** The server takes the token no more. Faults: `unauthenticated`, when somebody has to log in; `unavailable`, when it may be tried again; `permission_denied`, when the login is of another issuer than the operator says. */
  async onUnauthorized({ response }: { readonly response: Response }): Promise<void> {
    const { extractWWWAuthenticateParams } = await import('@modelcontextprotocol/client');
    this.#challenge = this.#heard(extractWWWAuthenticateParams(response));
    this.#renewing ??= this.#alone((kept) => this.#renew(kept)).finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  /** The server takes the token, and wants one that may do more: the fault for whoever called. The next login asks for that too. */
  async onInsufficientScope({ requiredScope, resourceMetadataUrl }: Insufficient): Promise<Fault> {
    const said = {
      ...(requiredScope !== undefined && { scope: requiredScope }),
      ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
    };
    const { scope, metadataUrl } = this.#heard(said);
    const before = await this.#read();
    if (metadataUrl !== undefined) this.#challenge = { metadataUrl, scope: this.#challenge?.scope };
    // What is granted already is lost with the next token unless it is asked for again.
    this.#more = uniteScopes(before?.scope, this.#more, scope) ?? scope;
    if (scope === undefined) return this.#nobody('with a scope that lets it do more');
    const fixed = this.#parts.config.login.scope?.split(' ');
    const isFixed = fixed !== undefined && scope.split(' ').some((word) => !fixed.includes(word));
    const first = isFixed ? ', once login.scope in mcp-servers.yaml has it' : '';
    return this.#nobody(`with the scope "${cleanText(scope, SCOPE_SHOWN_LENGTH_MAX)}"${first}`);
  }

  /** The address to open in a browser, which comes back to `redirect` with `state`. What was begun before is over. Faults: `invalid_argument`, `unavailable`, `conflict`. */
  async begin(redirect: string, signal: AbortSignal): Promise<{ readonly address: string; readonly state: string }> {
    const { config, now } = this.#parts;
    checkRedirect(redirect);
    const { signal: kept } = this.#keeping;
    const before = await this.#read();
    const state = randomBytes(STATE_BYTES).toString('base64url');
    const { address, begun } = await this.#ask(signal, kept, async (requests) => {
      this.#challenge ??= await requests.challenge(config.url, config.headers);
      const discovery = await requests.discover(config.url, this.#challenge?.metadataUrl);
      this.#requireIssuer(discovery, before);
      const scope = scopeOf(config.login, uniteScopes(this.#more, this.#challenge?.scope) ?? this.#more, discovery);
      // Who we are at the authorization server is kept while it is the same, and knows the same address of ours.
      const isKnown = before?.redirect === redirect && issuerOf(discoveryOf(before)) === issuerOf(discovery);
      const known = await this.#client(isKnown ? before : undefined);
      const client = known ?? (await requests.register(discovery, redirect, scope));
      const started = await requests.start(discovery, { client, redirect, scope, state });
      const isOurs = config.login.client_id !== undefined;
      const login: StoredLogin = { url: config.url, redirect, scope, discovery, ...(!isOurs && { client }) };
      this.#remember(login);
      const until = now() + MCP_LIMITS.loginMs;
      return { address: started.address, begun: { login, discovery, client, state, verifier: started.verifier, until, kept } };
    });
    this.#checkHost(address);
    kept.throwIfAborted();
    this.#begun = begun;
    return { address: address.href, state };
  }

  /** Faults: `conflict` (nothing was begun, or something else, or it was forgotten meanwhile), `unavailable`. */
  async finish({ state, code, iss }: LoginAnswer, signal: AbortSignal): Promise<void> {
    const { config, now } = this.#parts;
    const begun = this.#begun;
    if (begun === undefined || begun.until < now() || !isSame(begun.state, state)) {
      throw new Fault('conflict', `Cannot log in for the MCP server ${config.name}: this answer belongs to nothing that was begun`, {
        details: { fix: `warren mcp-server login ${config.name}` },
      });
    }
    this.#begun = undefined; // Once, whatever comes of it.
    const { login, discovery, client, verifier, kept } = begun;
    for (const each of [code, verifier]) this.#hide(each);
    await this.#alone(async () => {
      const answer = { client, redirect: login.redirect, verifier, code, iss };
      const tokens = await this.#ask(signal, kept, (requests) => requests.redeem(discovery, answer));
      await this.#keep({ ...login, tokens }, kept);
      this.#more = undefined;
    });
  }

  /** At once, for what is under way too. Whether there was anything. */
  async forget(): Promise<boolean> {
    this.#end();
    this.#challenge = undefined;
    this.#more = undefined;
    this.#keeping = new AbortController();
    return await this.#alone(() => this.#parts.store.remove(this.#parts.config.name));
  }

  /** Nothing is asked or kept from now on; what is stored stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#last;
  }

  #end(): void {
    const { name } = this.#parts.config;
    this.#begun = undefined;
    this.#keeping.abort(new Fault('conflict', `Cannot go on with the MCP server ${name}: its login was taken away meanwhile`, NOT_SENT));
  }

  #alone<Result>(change: (kept: AbortSignal) => Promise<Result>): Promise<Result> {
    const { signal: kept } = this.#keeping; // Of whoever asks, also when it comes to it later.
    const result = this.#last.then(() => change(kept));
    this.#last = result.catch(() => {}); // Whoever asked for it has its error.
    return result;
  }

  async #renew(kept: AbortSignal): Promise<void> {
    const login = await this.#read();
    const refresh = tokensOf(login)?.refresh_token;
    const discovery = discoveryOf(login);
    const client = await this.#client(login);
    kept.throwIfAborted();
    if (login === undefined || refresh === undefined || discovery === undefined || client === undefined) throw this.#nobody();
    const requests = await this.#requests(kept);
    requireIssuer(this.#parts.config.name, discovery, this.#parts.config.login.issuer);
    const isMoved = await requests.isMoved(discovery, this.#parts.config.url, this.#challenge?.metadataUrl);
    kept.throwIfAborted();
    if (isMoved) throw this.#nobody('again, for it takes the tokens of another authorization server now');
    try {
      await this.#keep({ ...login, tokens: await requests.renew(discovery, client, refresh) }, kept);
    } catch (error) {
      kept.throwIfAborted();
      const refusal = requests.refusal(error);
      if (refusal !== 'invalid_grant' && refusal !== 'invalid_client') throw requests.noToken(this.#parts.config.name, error);
      const { client: known, ...rest } = login;
      await this.#keep({ ...rest, tokens: undefined, ...(refusal === 'invalid_grant' && { client: known }) }, kept);
      throw this.#nobody();
    }
  }

  /** `how`: what is special about it. */
  #nobody(how = ''): Fault {
    const { name } = this.#parts.config;
    return new Fault(
      'unauthenticated',
      `Cannot use the MCP server ${name}: somebody has to log in${how === '' ? '' : ` ${how}`}: warren mcp-server login ${name}`,
      NOT_SENT,
    );
  }

  /** A server that repeats what it was trusted with does so to nobody, the authorization server neither. */
  #heard(said: Parameters<typeof readChallenge>[0]): LoginChallenge {
    const challenge = readChallenge(said, this.#parts.config.url);
    const words = `${challenge.metadataUrl} ${challenge.scope}`;
    return withoutSecrets(words, this.secrets) === words ? challenge : { metadataUrl: undefined, scope: undefined };
  }

  /** A secret of ours is for whom the operator says, or for whom it was when somebody logged in before. */
  #requireIssuer(discovery: Discovery, before: StoredLogin | undefined): void {
    const { name, login } = this.#parts.config;
    requireIssuer(name, discovery, login.issuer ?? (login.client_secret_file === undefined ? undefined : issuerOf(discoveryOf(before))));
  }

  async #read(): Promise<StoredLogin | undefined> {
    const { store, config } = this.#parts;
    const login = await store.read(config.name, config.url);
    this.#remember(login);
    return login;
  }

  async #keep(login: StoredLogin, kept: AbortSignal): Promise<void> {
    this.#remember(login);
    kept.throwIfAborted();
    await this.#parts.store.write(this.#parts.config.name, login);
  }

  #remember(login: StoredLogin | undefined): void {
    const { access_token: access, refresh_token: refresh } = tokensOf(login) ?? {};
    for (const each of [access, refresh, clientOf(login)?.client_secret]) if (each !== undefined) this.#hide(each);
  }

  #hide(secret: string): void {
    this.#secrets.delete(secret);
    this.#secrets.add(secret);
    for (const oldest of [...this.#secrets].slice(0, -SECRETS_MAX)) this.#secrets.delete(oldest);
  }

  /** Who we are at the authorization server: the operator says, or it said itself. */
  async #client(login: StoredLogin | undefined): Promise<LoginClient | undefined> {
    const { client_id: id, client_secret_file: file } = this.#parts.config.login;
    if (id === undefined) return clientOf(login);
    const { secret } = await readSecrets(file === undefined ? {} : { secret: file });
    if (secret !== undefined) this.#hide(secret);
    return { client_id: id, ...(secret !== undefined && { client_secret: secret }) };
  }

  async #requests(signal: AbortSignal): Promise<LoginRequests> {
    const { config, egress } = this.#parts;
    const ending = AbortSignal.any([signal, AbortSignal.timeout(MCP_LIMITS.connectMs)]);
    const sdk = await import('@modelcontextprotocol/client');
    return new LoginRequests(sdk, createGuardedFetch(egress, { hosts: hostsOf(config) }, ending));
  }

  /** For whoever logs in, who is told what the other side says. */
  async #ask<Result>(signal: AbortSignal, kept: AbortSignal, ask: (requests: LoginRequests) => Promise<Result>): Promise<Result> {
    try {
      return await ask(await this.#requests(AbortSignal.any([signal, kept])));
    } catch (error) {
      signal.throwIfAborted();
      kept.throwIfAborted();
      if (isFault(error)) throw error;
      if (error instanceof EgressRefusal && error.reason === 'host_not_allowed') throw this.#notNamed('names', error.host);
      const said =
        isUnreadable(error) || !(error instanceof Error) ? 'its authorization server answers what cannot be read' : error.message;
      const why = cleanText(withoutSecrets(said, this.secrets), 500);
      throw new Fault('unavailable', `Cannot log in for the MCP server ${this.#parts.config.name}: ${why}`);
    }
  }

  #checkHost({ protocol, host, hostname, username, port }: URL): void {
    const { config } = this.#parts;
    const isPlain = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
    const named = `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
    if (isPlain && username === '' && hostsOf(config).some((each) => each === named || each === host)) return;
    throw this.#notNamed('sends people to', host);
  }

  #notNamed(how: string, host: string): Fault {
    const { name } = this.#parts.config;
    return new Fault(
      'permission_denied',
      `Cannot log in for the MCP server ${name}: it ${how} ${cleanText(host, 260)}, which is not among login.hosts`,
      { details: { fix: 'if it belongs there: add it to login.hosts in mcp-servers.yaml, and: warren mcp-server reload' } },
    );
  }
}

/** What it may be asked at: its own, and those the operator named. */
export function hostsOf({ url, login, oauth }: RemoteServer): readonly string[] {
  const { hostname, protocol, port } = new URL(url);
  return [`${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`, ...(login?.hosts ?? []), ...(oauth?.hosts ?? [])];
}

// The library gave them to us.
function tokensOf(login: StoredLogin | undefined): Tokens | undefined {
  return login?.tokens as Tokens | undefined;
}

function clientOf(login: StoredLogin | undefined): LoginClient | undefined {
  return login?.client as LoginClient | undefined;
}

function discoveryOf(login: StoredLogin | undefined): Discovery | undefined {
  return login?.discovery as Discovery | undefined;
}

/** A program of whoever logs in listens there (RFC 8252): nothing else may get the code. */
function checkRedirect(text: string): void {
  const url = URL.parse(text);
  const isOurs =
    url !== null &&
    url.protocol === 'http:' &&
    isLoopback(url.hostname) &&
    url.port !== '' &&
    url.username === '' &&
    url.search === '' &&
    url.hash === '';
  if (!isOurs)
    throw new Fault('invalid_argument', 'Cannot log in: the browser has to come back to http://127.0.0.1:PORT/…', {
      details: { field: 'redirect_uri' },
    });
}

function isLoopback(hostname: string): boolean {
  return hostname === '127.0.0.1' || hostname === '[::1]' || hostname === 'localhost';
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
