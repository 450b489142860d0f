/**
 * What is asked of an authorization server, with the functions of the official client of MCP, one at a time. Its `auth`, which does all of it in one go, is not used: it takes an outage
 * for a login that is over, and writes what strangers answer to the standard error of the daemon.
 */

import { Fault, isFault } from '@warren/protocol';
import { EgressRefusal } from '@warren/sandbox';
import { cleanText } from './clean-text.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { type LoginChallenge, readChallenge, uniteScopes } from './login-challenge.ts';
import type { RemoteServer } from './mcp-config-format.ts';

type Sdk = typeof import('@modelcontextprotocol/client');
export type Discovery = Awaited<ReturnType<Sdk['discoverOAuthServerInfo']>>;
export type LoginClient = Awaited<ReturnType<Sdk['registerClient']>> | { readonly client_id: string; readonly client_secret?: string };
export type Tokens = Awaited<ReturnType<Sdk['refreshAuthorization']>>;

/** It does not answer now; nothing is known of the login. */
class NoAnswer extends Error {}

/** Of a request that the server refused: nothing came of it. */
export const NOT_SENT = { details: { is_sent: false } } as const;

export class LoginRequests {
  readonly #sdk: Sdk;
  readonly #send: GuardedFetch;

  constructor(sdk: Sdk, send: GuardedFetch) {
    this.#sdk = sdk;
    this.#send = send;
  }

  /** What the server says to somebody without a token; undefined when it lets them in. */
  async challenge(url: string, headers: Readonly<Record<string, string>>): Promise<LoginChallenge | undefined> {
    const answer = await this.#send(url, {
      method: 'POST',
      headers: { ...headers, accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
    });
    await answer.body?.cancel();
    return answer.status === 401 ? this.challengeOf(answer, url) : undefined;
  }

  challengeOf(answer: Response, url: string): LoginChallenge {
    return readChallenge(this.#sdk.extractWWWAuthenticateParams(answer), url);
  }

  /** Where the authorization server is, and what it can do: the server says. With an address of its metadata these, and no others, are read. */
  async discover(url: string, metadataUrl: string | undefined): Promise<Discovery> {
    if (metadataUrl !== undefined) return await this.#discoverAt(url, metadataUrl);
    const found = await this.#sdk.discoverOAuthServerInfo(url, { fetchFn: this.#send });
    this.#requireOwn(url, found.resourceMetadata?.resource);
    return found;
  }

  async #discoverAt(url: string, resourceMetadataUrl: string): Promise<Discovery> {
    const { discoverOAuthProtectedResourceMetadata, discoverAuthorizationServerMetadata } = this.#sdk;
    const resourceMetadata = await discoverOAuthProtectedResourceMetadata(url, { resourceMetadataUrl }, this.#send);
    this.#requireOwn(url, resourceMetadata.resource);
    const authorizationServerUrl = resourceMetadata.authorization_servers?.[0] ?? String(new URL('/', url));
    const metadata = await discoverAuthorizationServerMetadata(authorizationServerUrl, { fetchFn: this.#send });
    return { authorizationServerUrl, resourceMetadata, ...(metadata !== undefined && { authorizationServerMetadata: metadata }) };
  }

  #requireOwn(url: string, resource: string | undefined): void {
    const { checkResourceAllowed, resourceUrlFromServerUrl } = this.#sdk;
    if (resource === undefined) return;
    if (!checkResourceAllowed({ requestedResource: resourceUrlFromServerUrl(url), configuredResource: resource }))
      throw new Error(`its tokens are for ${resource}`);
  }

  /** Whether the server, as far as it says so now, takes no tokens of this authorization server any more. */
  async isMoved({ authorizationServerUrl }: Discovery, url: string, metadataUrl: string | undefined): Promise<boolean> {
    const options = metadataUrl === undefined ? {} : { resourceMetadataUrl: metadataUrl };
    // What cannot be read says nothing.
    const now = await this.#sdk.discoverOAuthProtectedResourceMetadata(url, options, this.#send).catch(() => undefined);
    const servers = now?.authorization_servers ?? [];
    return servers.length > 0 && !servers.some((each) => isSameIssuer(each, authorizationServerUrl));
  }

  async register(discovery: Discovery, redirect: string, scope: string | undefined): Promise<LoginClient> {
    const clientMetadata = {
      ...{ client_name: 'Warren', redirect_uris: [redirect], application_type: 'native' },
      grant_types: ['authorization_code', 'refresh_token'],
    };
    return await this.#sdk.registerClient(discovery.authorizationServerUrl, {
      ...this.#about(discovery),
      clientMetadata,
      ...(scope !== undefined && { scope }),
    });
  }

  /** The address for the browser, and what proves later that whoever asks for the token is who began. */
  async start(
    discovery: Discovery,
    asked: { readonly client: LoginClient; readonly redirect: string; readonly scope: string | undefined; readonly state: string },
  ): Promise<{ readonly address: URL; readonly verifier: string }> {
    const { client, redirect, scope, state } = asked;
    const { authorizationUrl: address, codeVerifier: verifier } = await this.#sdk.startAuthorization(discovery.authorizationServerUrl, {
      ...this.#about(discovery),
      ...{ clientInformation: client, redirectUrl: redirect, state },
      ...(scope !== undefined && { scope }),
    });
    return { address, verifier };
  }

  async redeem(
    discovery: Discovery,
    answer: {
      readonly client: LoginClient;
      readonly redirect: string;
      readonly verifier: string;
      readonly code: string;
      readonly iss: string | undefined;
    },
  ): Promise<Tokens> {
    const { client, redirect, verifier, code, iss } = answer;
    return await this.#sdk.exchangeAuthorization(discovery.authorizationServerUrl, {
      ...this.#about(discovery),
      ...{ clientInformation: client, authorizationCode: code, codeVerifier: verifier, redirectUri: redirect },
      ...(iss !== undefined && { iss }),
    });
  }

  /** Throws `NoAnswer` for a server that is out of order, whatever it says. */
  async renew(discovery: Discovery, client: LoginClient, refreshToken: string): Promise<Tokens> {
    return await this.#sdk.refreshAuthorization(discovery.authorizationServerUrl, {
      ...this.#about(discovery),
      ...{ clientInformation: client, refreshToken, fetchFn: this.#inOrder },
    });
  }

  /** For Warren itself, which nobody has to log in for. Throws as `renew`. */
  async grant(discovery: Discovery, client: { readonly id: string; readonly secret: string }, scope: string | undefined): Promise<Tokens> {
    const { ClientCredentialsProvider, fetchToken } = this.#sdk;
    const expectedIssuer = issuerOf(discovery); // Whoever calls has compared it with the operator's word.
    const provider = new ClientCredentialsProvider({
      ...{ clientId: client.id, clientSecret: client.secret, clientName: 'warren' },
      ...(expectedIssuer !== undefined && { expectedIssuer }),
      ...(scope !== undefined && { scope }),
    });
    return await fetchToken(provider, discovery.authorizationServerUrl, { ...this.#about(discovery), fetchFn: this.#inOrder });
  }

  /** Why there is no token now. It goes to the log: nothing of what a stranger answered is in it. */
  noToken(server: string, error: unknown): Fault {
    const isOurs = isFault(error) || error instanceof NoAnswer || error instanceof EgressRefusal;
    const refusal = this.refusal(error);
    const why = isOurs ? error.message : refusal === undefined ? 'its answer cannot be read, or does not come' : `it says ${refusal}`;
    return new Fault('unavailable', `Cannot use the MCP server ${server} now: whoever it takes tokens of makes none: ${why}`, NOT_SENT);
  }

  /** With what word of OAuth it refuses; undefined when it says none that can be read. */
  refusal(error: unknown): string | undefined {
    if (!(error instanceof this.#sdk.OAuthError) || isUnreadable(error)) return undefined;
    return /^[a-z_]{1,64}$/.test(error.code) ? error.code : undefined;
  }

  #inOrder = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const answer = await this.#send(url, init);
    if (answer.status < 500 && answer.status !== 429) return answer;
    await answer.body?.cancel();
    throw new NoAnswer(`it answers with HTTP ${answer.status}`);
  };

  #about({ authorizationServerMetadata: metadata, resourceMetadata }: Discovery) {
    const resource = resourceMetadata?.resource;
    return { fetchFn: this.#send, ...(metadata !== undefined && { metadata }), ...(resource !== undefined && { resource }) };
  }
}

/** What the operator asks for, or what the server wants, or all there is; and a token that makes others, where that has to be asked for. */
export function scopeOf(
  { scope: asked }: NonNullable<RemoteServer['login']>,
  wanted: string | undefined,
  { resourceMetadata, authorizationServerMetadata }: Discovery,
): string | undefined {
  const scope = asked ?? wanted ?? uniteScopes(...(resourceMetadata?.scopes_supported ?? [])) ?? '';
  if (scope === '') return undefined;
  const isLasting = authorizationServerMetadata?.scopes_supported?.includes('offline_access') === true;
  return isLasting && !scope.split(' ').includes('offline_access') ? `${scope} offline_access` : scope;
}

export function issuerOf(discovery: Discovery | undefined): string | undefined {
  return discovery?.authorizationServerMetadata?.issuer ?? discovery?.authorizationServerUrl;
}

/** Who a client's secret is for never changes by a word of a server. `pinned`: as the operator wrote it, or as it was when somebody logged in. Faults: `permission_denied`. */
export function requireIssuer(server: string, discovery: Discovery, pinned: string | undefined): void {
  const issuer = issuerOf(discovery) ?? '';
  if (pinned === undefined || isSameIssuer(pinned, issuer)) return;
  throw new Fault(
    'permission_denied',
    `Cannot log in for the MCP server ${server}: it names the authorization server ${cleanText(issuer, 300)}, and Warren is a client of ${cleanText(pinned, 300)}`,
    { details: { fix: `if it moved: set its issuer in mcp-servers.yaml, and: warren mcp-server remove ${server}`, is_sent: false } },
  );
}

/** As the client of MCP compares them: one slash at the end makes no difference. */
function isSameIssuer(one: string, other: string): boolean {
  return one.replace(/\/$/, '') === other.replace(/\/$/, '');
}

/** The client repeats the whole answer then. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof Error && error.message.includes('Invalid OAuth error response'));
}
