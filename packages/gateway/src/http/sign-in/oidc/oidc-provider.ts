/** One provider of OpenID Connect: the address people are sent to, and who they are when they come back with a code. What it says about itself is kept for a while. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { OidcProviderConfig } from '@warren/platform';
import { Fault } from '@warren/protocol';
import type { JSONWebKeySet } from 'jose';
import { askIssuer, unreachable } from './ask-issuer.ts';
import type { Claims } from './check-claims.ts';
import { type IssuerMetadata, readMetadata } from './metadata.ts';
import { type IdToken, verifyIdToken } from './verify-id-token.ts';

const KEPT_MS = 600_000;
const SECRET_BYTES_MAX = 4_096;
const KEYS_MAX = 100;

/** Of one sign-in. */
export type Secrets = { readonly state: string; readonly nonce: string; readonly verifier: string };
export type Redeemed = { readonly subject: string; readonly claims: Claims };

type Kept<Value> = { readonly value: Value; readonly readAt: number };

export type OidcProviderParts = {
  /** How long all requests of one step may take together. */
  readonly issuerMs: number;
  readonly now?: (() => number) | undefined;
};

export class OidcProvider {
  readonly config: OidcProviderConfig;
  readonly #issuerMs: number;
  readonly #now: () => number;
  #metadata: Kept<IssuerMetadata> | undefined;
  #keys: Kept<JSONWebKeySet> | undefined;

  constructor(config: OidcProviderConfig, { issuerMs, now = () => performance.now() }: OidcProviderParts) {
    this.config = config;
    this.#issuerMs = issuerMs;
    this.#now = now;
  }

  /** Where the browser goes. Throws `unavailable`. */
  async authorizationUrl(redirect: string, { state, nonce, verifier }: Secrets, stopping: AbortSignal): Promise<string> {
    const { authorization } = await this.metadata(this.#signal(stopping));
    const url = new URL(authorization);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const asked = {
      ...{ response_type: 'code', client_id: this.config.client_id, redirect_uri: redirect },
      ...{ scope: [...new Set(['openid', ...this.config.scopes])].join(' '), state, nonce },
      ...{ code_challenge: challenge, code_challenge_method: 'S256' },
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    return url.href;
  }

  async metadata(signal: AbortSignal): Promise<IssuerMetadata> {
    if (this.#metadata === undefined || this.#isOld(this.#metadata)) {
      this.#metadata = { value: await readMetadata(this.config, signal), readAt: this.#now() };
    }
    return this.#metadata.value;
  }

  /** Who it is. `said`: what the browser brought back. Throws `unavailable`, and `unauthenticated` for what is not as it has to be. */
  async redeem(
    said: { readonly code: string; readonly iss: string | undefined },
    redirect: string,
    { nonce, verifier }: Secrets,
    stopping: AbortSignal,
  ): Promise<Redeemed> {
    const signal = this.#signal(stopping);
    const metadata = await this.metadata(signal);
    this.#checkIssuer(said.iss, metadata);
    const token = await this.#exchange(said.code, redirect, verifier, metadata, signal);
    const terms = { issuer: this.config.issuer, clientId: this.config.client_id, nonce };
    const isFresh = this.#keys === undefined || this.#isOld(this.#keys);
    let read: IdToken = await verifyIdToken(token, await this.#readKeys(metadata, isFresh, signal), terms);
    // It has taken a new key since we looked.
    if (read.kind === 'unknown-key' && !isFresh) read = await verifyIdToken(token, await this.#readKeys(metadata, true, signal), terms);
    if (read.kind === 'valid') return read;
    throw this.#refused(`its ID token is not valid: ${read.kind === 'refused' ? read.why : 'no key of the issuer signed it'}`);
  }

  /** Whoever answers is the issuer that was asked: so the code of one is never taken to another (RFC 9207). */
  #checkIssuer(iss: string | undefined, { isNamedInAnswers }: IssuerMetadata): void {
    if (iss === undefined ? isNamedInAnswers : iss !== this.config.issuer) throw this.#refused('the answer is of another issuer');
  }

  async #exchange(code: string, redirect: string, verifier: string, metadata: IssuerMetadata, signal: AbortSignal): Promise<string> {
    const { name, client_id: clientId } = this.config;
    const secret = await this.#readSecret();
    const isInHeader = secret !== undefined && !metadata.isSecretInBody;
    const body = new URLSearchParams({
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier },
      ...(!isInHeader && { client_id: clientId }),
      ...(secret !== undefined && !isInHeader && { client_secret: secret }),
    });
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(isInHeader && { authorization: `Basic ${Buffer.from(`${formText(clientId)}:${formText(secret)}`).toString('base64')}` }),
    };
    const { status, document } = await askIssuer(name, metadata.token, { method: 'POST', headers, body: body.toString() }, signal);
    const { id_token: token, error } = document;
    if (status === 200 && typeof token === 'string') return token;
    if (status === 200) throw unreachable(name, 'it answers with no ID token');
    const why = `it does not take the code (${status}${typeof error === 'string' ? `, ${wordOf(error)}` : ''})`;
    // Of all it may say this alone is about what the browser brought; the rest is between the provider and us.
    throw error === 'invalid_grant' && status < 500 && status !== 429 ? this.#refused(why) : unreachable(name, why);
  }

  async #readKeys({ keys }: IssuerMetadata, isFresh: boolean, signal: AbortSignal): Promise<JSONWebKeySet> {
    if (this.#keys !== undefined && !isFresh) return this.#keys.value;
    const { name } = this.config;
    const { status, document } = await askIssuer(name, keys, {}, signal);
    const list = document['keys'];
    if (status !== 200 || !Array.isArray(list) || list.length > KEYS_MAX || !list.every((key) => typeof key === 'object' && key !== null)) {
      throw unreachable(name, `${new URL(keys).host} answers with no keys we can use`);
    }
    const value: JSONWebKeySet = { keys: list };
    this.#keys = { value, readAt: this.#now() };
    return value;
  }

  /** Anew each time: it may be replaced. */
  async #readSecret(): Promise<string | undefined> {
    const { name, client_secret_file: file } = this.config;
    if (file === undefined) return undefined;
    const secret = (await readFile(file, 'utf8').catch(() => '')).trim();
    if (secret !== '' && secret.length <= SECRET_BYTES_MAX) return secret;
    throw unreachable(name, 'the file with its client secret cannot be used');
  }

  #refused(why: string): Fault {
    return new Fault('unauthenticated', `Cannot sign in through ${this.config.name}: ${why}`, { details: { provider: this.config.name } });
  }

  #isOld({ readAt }: Kept<unknown>): boolean {
    return this.#now() - readAt > KEPT_MS;
  }

  #signal(stopping: AbortSignal): AbortSignal {
    return AbortSignal.any([stopping, AbortSignal.timeout(this.#issuerMs)]);
  }
}

/** As RFC 6749, 2.3.1 wants it: before base 64. */
function formText(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** Of what a stranger wrote: one word that cannot do anything where it is shown. */
function wordOf(text: string): string {
  return text.slice(0, 64).replace(/[^\w.-]/g, '?');
}
