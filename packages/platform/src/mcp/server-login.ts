/**
 * Logging in for one mounted server, by OAuth 2.1 with PKCE, as the official client of MCP does it: where the authorization server is, the server says; who we are there, it is asked
 * to say unless the operator did. All of it goes through the egress guard, to the hosts that are named in the file.
 *
 * A person is needed once: what begins gives the address to open in a browser, what ends takes what the browser came back with. After that tokens are made new without anybody, by
 * one request at a time, for a token that makes another is often good once.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type {
  AuthProvider,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { Fault, isFault } from '@warren/protocol';
import type { Egress } from '@warren/sandbox';
import { cleanText } from './clean-text.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import type { LoginStore, StoredLogin } from './login-store.ts';
import type { RemoteServer } from './mcp-config-format.ts';
import { MCP_LIMITS } from './mcp-limits.ts';

export type ServerLoginParts = {
  readonly config: RemoteServer & { readonly login: NonNullable<RemoteServer['login']> };
  readonly store: LoginStore;
  readonly egress: Egress;
  readonly now: () => number;
};

/** What the browser came back with. */
export type LoginAnswer = { readonly state: string; readonly code: string; readonly iss: string | undefined };

type Begun = { login: StoredLogin; readonly state: string; verifier: string; readonly until: number };

const STATE_BYTES = 32;
/** Those of the last few renewals: answers under way may hold them yet. */
const SECRETS_MAX = 16;

export class ServerLogin implements AuthProvider {
  readonly #parts: ServerLoginParts;
  #begun: Begun | undefined;
  #renewing: Promise<void> | undefined;
  readonly #secrets = new Set<string>();

  constructor(parts: ServerLoginParts) {
    this.#parts = parts;
  }

  /** For each request. */
  async token(): Promise<string | undefined> {
    return tokensOf(await this.#read())?.access_token;
  }

  /** What it was trusted with last: the server was sent some of it, and must not give it back. */
  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  /** The server takes the token no more. Faults: `unauthenticated`, when somebody has to log in. */
  async onUnauthorized(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  /** The address to open in a browser, which comes back to `redirect` with `state`. What was begun before is over. Faults: `invalid_argument`, `unavailable`. */
  async begin(redirect: string, signal: AbortSignal): Promise<{ readonly address: string; readonly state: string }> {
    const { config, now } = this.#parts;
    checkRedirect(redirect);
    const before = await this.#read();
    // Who we are at the authorization server is kept while it knows the same address of ours.
    const client = before?.redirect === redirect ? before.client : undefined;
    const login: StoredLogin = { url: config.url, redirect, ...(client !== undefined && { client }) };
    const begun: Begun = { login, state: randomBytes(STATE_BYTES).toString('base64url'), verifier: '', until: now() + MCP_LIMITS.loginMs };
    let address: URL | undefined;
    await this.#ask(signal, {
      ...this.#provider(begun, async (next) => {
        begun.login = next;
      }),
      redirectToAuthorization: (url) => {
        address = url;
      },
    });
    if (address === undefined)
      throw new Fault('unavailable', `Cannot log in for the MCP server ${config.name}: it names no address to log in at`);
    this.#checkHost(address);
    this.#begun = begun;
    return { address: address.href, state: begun.state };
  }

  /** Faults: `conflict` (nothing was begun, or something else), `unavailable`. */
  async finish({ state, code, iss }: LoginAnswer, signal: AbortSignal): Promise<void> {
    const { config, store, now } = this.#parts;
    const begun = this.#begun;
    if (begun === undefined || begun.until < now() || !isSame(begun.state, state)) {
      throw new Fault('conflict', `Cannot log in for the MCP server ${config.name}: this answer belongs to nothing that was begun`, {
        details: { fix: `warren mcp-server login ${config.name}` },
      });
    }
    this.#begun = undefined; // Once, whatever comes of it.
    await this.#ask(
      signal,
      this.#provider(begun, async (next) => store.write(config.name, next)),
      { code, iss },
    );
  }

  /** Whether there was anything. */
  async forget(): Promise<void> {
    this.#begun = undefined;
    await this.#parts.store.remove(this.#parts.config.name);
  }

  async #renew(): Promise<void> {
    const { config, store } = this.#parts;
    const login = await this.#read();
    if (login === undefined) throw this.#nobody();
    const begun: Begun = { login, state: '', verifier: '', until: 0 };
    await this.#ask(
      AbortSignal.timeout(MCP_LIMITS.connectMs),
      this.#provider(begun, async (next) => store.write(config.name, next)),
    );
  }

  #nobody(): Fault {
    const { name } = this.#parts.config;
    return new Fault('unauthenticated', `Cannot use the MCP server ${name}: somebody has to log in: warren mcp-server login ${name}`);
  }

  async #read(): Promise<StoredLogin | undefined> {
    const { store, config } = this.#parts;
    const login = await store.read(config.name, config.url);
    this.#remember(login);
    return login;
  }

  #remember(login: StoredLogin | undefined): void {
    const { access_token: access, refresh_token: refresh } = tokensOf(login) ?? {};
    for (const each of [access, refresh]) if (each !== undefined) this.#secrets.add(each);
    for (const oldest of [...this.#secrets].slice(0, -SECRETS_MAX)) this.#secrets.delete(oldest);
  }

  async #ask(signal: AbortSignal, provider: OAuthClientProvider, answer?: Omit<LoginAnswer, 'state'>): Promise<void> {
    const { auth } = await import('@modelcontextprotocol/client');
    const { config, egress } = this.#parts;
    const ending = AbortSignal.any([signal, AbortSignal.timeout(MCP_LIMITS.connectMs)]);
    const { scope } = config.login;
    try {
      await auth(provider, {
        serverUrl: config.url,
        fetchFn: createGuardedFetch(egress, { hosts: hostsOf(config) }, ending),
        ...(scope !== undefined && { scope }),
        ...(answer !== undefined && { authorizationCode: answer.code, ...(answer.iss !== undefined && { iss: answer.iss }) }),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (isFault(error)) throw error;
      const why = cleanText(error instanceof Error ? error.message : String(error), 500);
      throw new Fault('unavailable', `Cannot log in for the MCP server ${config.name}: ${why}`, { cause: error });
    }
  }

  /** What the library asks us to keep. `keep` gets all of it whenever any of it changes. */
  #provider(begun: Begun, keep: (login: StoredLogin) => Promise<void>): OAuthClientProvider {
    const { client_id: id, client_secret_file: secretFile } = this.#parts.config.login;
    const change = async (changes: Partial<StoredLogin>): Promise<void> => {
      begun.login = { ...begun.login, ...changes };
      await keep(begun.login);
    };
    return {
      redirectUrl: begun.login.redirect,
      clientMetadata: { client_name: 'Warren', redirect_uris: [begun.login.redirect], application_type: 'native' },
      state: () => begun.state,
      clientInformation: async () => {
        if (id === undefined) return begun.login.client as StoredOAuthClientInformation | undefined; // The library gave it to us.
        const secret = secretFile === undefined ? undefined : (await readFile(secretFile, 'utf8')).trim();
        return { client_id: id, ...(secret !== undefined && { client_secret: secret }) };
      },
      saveClientInformation: (client) => (id === undefined ? change({ client }) : undefined),
      tokens: () => tokensOf(begun.login),
      saveTokens: (tokens) => change({ tokens }),
      saveCodeVerifier: (verifier) => {
        begun.verifier = verifier;
      },
      codeVerifier: () => begun.verifier,
      saveDiscoveryState: (discovery) => change({ discovery }),
      discoveryState: () => begun.login.discovery as OAuthDiscoveryState | undefined, // As above.
      invalidateCredentials: async (what) => {
        if (what === 'all' || what === 'tokens') await change({ tokens: undefined });
        if (what === 'all' || what === 'client') await change({ client: undefined });
        if (what === 'all' || what === 'discovery') await change({ discovery: undefined });
      },
      redirectToAuthorization: () => {
        throw this.#nobody();
      },
    };
  }

  #checkHost({ protocol, host, hostname, username, port }: URL): void {
    const { config } = this.#parts;
    const isPlain = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
    const named = `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
    if (isPlain && username === '' && hostsOf(config).some((each) => each === named || each === host)) return;
    throw new Fault(
      'permission_denied',
      `Cannot log in for the MCP server ${config.name}: it sends people to ${cleanText(host, 260)}, which is not among login.hosts`,
    );
  }
}

/** What it may be asked at: its own, and those the operator named. */
export function hostsOf({ url, login, oauth }: RemoteServer): readonly string[] {
  const { hostname, protocol, port } = new URL(url);
  return [`${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`, ...(login?.hosts ?? []), ...(oauth?.hosts ?? [])];
}

function tokensOf(login: StoredLogin | undefined): StoredOAuthTokens | undefined {
  return login?.tokens as StoredOAuthTokens | undefined; // The library gave it to us.
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
