/**
 * A provider of OpenID Connect on loopback: discovery, the authorization code flow with PKCE and a client secret, codes that work once, keys that rotate. It is
 * as strict as a real one, and does wrong only what a test tells it to.
 */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type IssuerKey = {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256' | 'EdDSA';
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
};
export type IssuerClaims = Readonly<Record<string, unknown>>;
/** Answers instead of the issuer, and says so. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

type Granted = { readonly redirect: string; readonly nonce: string; readonly challenge: string; readonly claims: IssuerClaims };

export class TestIssuer implements AsyncDisposable {
  readonly clientId = 'warren';
  readonly clientSecret = 'a secret: of +the client';
  /** Whoever comes next. */
  claims: IssuerClaims = { sub: 'ann-1' };
  /** Published. The first one signs. */
  keys: readonly IssuerKey[] = [makeKey('RS256')];
  /** What the token says in place of what it would. */
  changeClaims: (claims: IssuerClaims) => IssuerClaims = (claims) => claims;
  /** Makes the token; undefined: as it should be. */
  makeToken: ((claims: IssuerClaims, key: IssuerKey) => string) | undefined;
  changeMetadata: (metadata: IssuerClaims) => IssuerClaims = (metadata) => metadata;
  misbehave: Misbehaviour = () => false;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #codes = new Map<string, Granted>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<TestIssuer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestIssuer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // It listens on a port.
  }

  /** What a browser that was sent to `location` comes back with, after whoever sits there said who it is. */
  authorize(location: string): URL {
    const { origin, pathname, searchParams } = new URL(location);
    const asked = (name: string): string => searchParams.get(name) ?? '';
    if (origin !== this.url || pathname !== '/authorize') throw new Error(`The browser was sent to ${location}`);
    if (asked('client_id') !== this.clientId || asked('response_type') !== 'code') throw new Error('This is no client');
    if (!asked('scope').split(' ').includes('openid') || asked('code_challenge_method') !== 'S256') throw new Error('Not as it should ask');
    const code = randomBytes(16).toString('base64url');
    const redirect = asked('redirect_uri');
    this.#codes.set(code, { redirect, nonce: asked('nonce'), challenge: asked('code_challenge'), claims: this.claims });
    const back = new URL(redirect);
    for (const [name, value] of Object.entries({ code, state: asked('state'), iss: this.url })) back.searchParams.set(name, value);
    return back;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?');
    this.asked.push(path);
    if (this.misbehave(request, response)) return;
    if (path === '/.well-known/openid-configuration') return send(response, 200, this.changeMetadata(this.#metadata()));
    if (path === '/keys') return send(response, 200, { keys: this.keys.map(publicJwk) });
    if (path !== '/token' || request.method !== 'POST') return send(response, 404, {});
    const body = new URLSearchParams(await readAll(request));
    const id = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+').replaceAll('!', '%21');
    const basic = `Basic ${Buffer.from(`${id(this.clientId)}:${id(this.clientSecret)}`).toString('base64')}`;
    if (request.headers.authorization !== basic) return send(response, 401, { error: 'invalid_client' });
    const code = body.get('code') ?? '';
    const granted = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    const isGood = granted !== undefined && granted.redirect === body.get('redirect_uri') && granted.challenge === challenge;
    if (!isGood || body.get('grant_type') !== 'authorization_code') return send(response, 400, { error: 'invalid_grant' });
    send(response, 200, { access_token: 'nothing', token_type: 'Bearer', id_token: this.#token(granted) });
  }

  #token({ nonce, claims }: Granted): string {
    const [key] = this.keys;
    if (key === undefined) throw new Error('It has no key');
    const now = Math.floor(Date.now() / 1_000);
    const all = this.changeClaims({ iss: this.url, aud: this.clientId, iat: now, exp: now + 300, nonce, ...claims });
    return this.makeToken === undefined ? signToken(all, key) : this.makeToken(all, key);
  }

  #metadata(): IssuerClaims {
    return {
      ...{
        issuer: this.url,
        authorization_endpoint: `${this.url}/authorize`,
        token_endpoint: `${this.url}/token`,
        jwks_uri: `${this.url}/keys`,
      },
      authorization_response_iss_parameter_supported: true,
    };
  }
}

export function makeKey(alg: IssuerKey['alg']): IssuerKey {
  const kid = randomBytes(6).toString('hex');
  if (alg === 'RS256') return { kid, alg, ...generateKeyPairSync('rsa', { modulusLength: 2_048 }) };
  if (alg === 'ES256') return { kid, alg, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  return { kid, alg, ...generateKeyPairSync('ed25519') };
}

export function signToken(claims: IssuerClaims, { kid, alg, privateKey }: IssuerKey): string {
  const signed = `${encode({ alg, kid, typ: 'JWT' })}.${encode(claims)}`;
  const hash = alg === 'EdDSA' ? null : 'sha256';
  return `${signed}.${sign(hash, Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

export function unsignedToken(claims: IssuerClaims): string {
  return `${encode({ alg: 'none' })}.${encode(claims)}.`;
}

/** As if a key that everybody has were a secret. */
export function tokenSignedWithPublicKey(claims: IssuerClaims, { kid, publicKey }: IssuerKey): string {
  const signed = `${encode({ alg: 'HS256', kid })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' }))
    .update(signed)
    .digest('base64url')}`;
}

function publicJwk({ kid, alg, publicKey }: IssuerKey): object {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function send(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

async function readAll(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer); // A request yields bytes.
  return Buffer.concat(pieces).toString();
}
