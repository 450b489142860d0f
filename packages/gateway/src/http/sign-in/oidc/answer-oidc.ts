/**
 * `/api/session/oidc`: signing in through a provider of OpenID Connect, by the authorization code flow with PKCE. `GET …/NAME` sends the browser there,
 * `GET …/NAME/callback` is where it comes back to. Who it is, is who the issuer's subject belongs to: nobody is made or found by a mail address.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PersonRecord } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, isFault } from '@warren/protocol';
import { isTlsOrigin } from '../../authenticate.ts';
import { ownOrigin } from '../../check-browser.ts';
import type { Entry } from '../../entry.ts';
import type { Gateway } from '../../gateway.ts';
import { sendJson, sendText } from '../../reply.ts';
import { clientAddress } from '../client-address.ts';
import { openSession } from '../open-session.ts';
import type { SignInAttempt } from '../sign-in-delays.ts';
import { unreachable } from './ask-issuer.ts';
import { type Begun, noBegunCookie } from './begun-cookie.ts';
import { checkClaims } from './check-claims.ts';
import type { OidcProvider, Redeemed } from './oidc-provider.ts';
import { checkReturnTo, returnPage } from './return-to.ts';

const SECRET_BYTES = 32;
/** What an issuer says of itself, not of who asks (RFC 6749, 4.1.2.1). */
const PROVIDER_ERRORS: readonly string[] = ['server_error', 'temporarily_unavailable'];
const CODE_LENGTH_MAX = 2_048;
const PAGE_HEADERS = { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'", 'referrer-policy': 'no-referrer' };

export type OidcExchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: string;
  readonly entry: Entry;
};

export function listProviders({ response }: Pick<OidcExchange, 'response'>, { oidc }: Gateway): void {
  sendJson(response, 200, JSON.stringify({ providers: oidc.names().map((name) => ({ name, path: pathOf(name) })) }));
}

/** Sends the browser to the provider. */
export async function beginOidc(
  { request, response, query, entry }: OidcExchange,
  name: string,
  { oidc, stopping }: Gateway,
): Promise<void> {
  const provider = oidc.get(name);
  const origin = originOf(request, entry, provider);
  const returnTo = checkReturnTo(new URLSearchParams(query).get('return_to') ?? '/', origin);
  const begun: Begun = { state: secret(), nonce: secret(), verifier: secret(), returnTo };
  const location = await oidc.ask(() => provider.authorizationUrl(`${origin}${pathOf(name)}/callback`, begun, stopping));
  const cookie = oidc.begun.seal(name, begun, isTlsOrigin(request, entry));
  sendText(response, 302, 'text/plain; charset=utf-8', '', { location, 'set-cookie': cookie, 'referrer-policy': 'no-referrer' });
}

/** Takes whoever comes back from the provider in, or says why not. What this browser began is over then; what it did not begin changes nothing. */
export async function endOidc({ request, response, query, entry }: OidcExchange, name: string, gateway: Gateway): Promise<void> {
  const isTls = isTlsOrigin(request, entry);
  const provider = gateway.oidc.get(name);
  const origin = originOf(request, entry, provider);
  const said = readAnswer(query);
  const network = clientAddress(request, gateway.proxies);
  // First: what was begun is not used up by having to wait.
  const attempt = beginAttempt(name, network, gateway);
  const begun = gateway.oidc.begun.take(request, name, said.state, isTls);
  if (begun === undefined) {
    attempt.withdrawn();
    throw new Fault('unauthenticated', 'Cannot sign in: this browser did not begin this sign-in, it is too old, or it was used already', {
      details: { provider: name, fix: `begin again at ${pathOf(name)}` },
    });
  }
  response.setHeader('set-cookie', noBegunCookie(isTls));
  const person = await identify({ provider, said, begun, redirect: `${origin}${pathOf(name)}/callback`, network, attempt }, gateway);
  const { headers } = await openSession(person, { how: 'oidc', isTls, isToken: false }, gateway);
  response.setHeader('set-cookie', [noBegunCookie(isTls), String(headers['set-cookie'])]);
  sendText(response, 200, 'text/html; charset=utf-8', returnPage(begun.returnTo), PAGE_HEADERS);
}

type Admitted = Extract<SignInAttempt, { readonly kind: 'admitted' }>;

/** By network only: nobody else who uses this provider waits for what was tried there. Throws `rate_limited`. */
function beginAttempt(name: string, network: string, { signIns }: Gateway): Admitted {
  const attempt = signIns.begin('provider', `${name} ${network}`, network);
  if (attempt.kind === 'admitted') return attempt;
  throw new Fault('rate_limited', 'Cannot sign in: there were too many attempts from this network', {
    details: { retry_after_ms: attempt.waitMs },
  });
}

type Attempt = {
  readonly provider: OidcProvider;
  readonly said: Said;
  readonly begun: Begun;
  readonly redirect: string;
  readonly network: string;
  readonly attempt: Admitted;
};

/** Held up and recorded like a wrong passphrase, if it comes to nothing. */
async function identify({ provider, said, begun, redirect, network, attempt }: Attempt, gateway: Gateway): Promise<PersonRecord> {
  const { oidc, delayFile, log, refused, stopping } = gateway;
  const { name, issuer } = provider.config;
  let redeemed: Redeemed | undefined;
  try {
    if (said.error !== undefined && PROVIDER_ERRORS.includes(said.error)) throw unreachable(name, `it answers ${said.error}`);
    if (said.code === undefined)
      throw new Fault('unauthenticated', `Cannot sign in through ${name}: it answers ${said.error ?? 'nothing'}`);
    const { code, iss } = said;
    redeemed = await oidc.ask(() => provider.redeem({ code, iss }, redirect, begun, stopping));
    const person = await personOf(redeemed, provider, gateway);
    attempt.succeeded();
    return person;
  } catch (error) {
    // That a provider is gone is nobody's guess.
    if (!isFault(error) || error.code === 'unavailable' || error.code === 'busy') {
      attempt.withdrawn();
      throw error;
    }
    delayFile?.note();
    log.warn('Somebody could not sign in', { provider: name, address: network, reason: error.message, locked_ms: attempt.lockedMs });
    await refused?.add({
      kind: 'operator',
      workspace: DEFAULT_WORKSPACE,
      actor: { kind: 'system' },
      action: 'person.sign_in',
      error: { type: error.code, message: error.message },
      details: { from: network, issuer, ...(redeemed !== undefined && { subject: redeemed.subject }) },
    });
    throw error;
  }
}

async function personOf({ subject, claims }: Redeemed, { config }: OidcProvider, { kernel }: Gateway): Promise<PersonRecord> {
  const { name, issuer } = config;
  const missing = checkClaims(claims, config);
  if (missing !== undefined)
    throw new Fault('permission_denied', `Cannot sign in through ${name}: ${missing}`, { details: { provider: name } });
  const person = await kernel.people.findByIdentity(issuer, subject);
  if (person === undefined) {
    throw new Fault('permission_denied', `Cannot sign in through ${name}: nobody here has this identity`, {
      details: {
        issuer,
        subject,
        fix: `an operator: warren person update NAME --issuer '${issuer}' --subject '${subject.replaceAll("'", "'\\''")}'`,
      },
    });
  }
  if (person.disabledAt === undefined) return person;
  throw new Fault('permission_denied', `Cannot sign in through ${name}: ${person.name} is disabled`);
}

type Said = {
  readonly state: string;
  readonly code: string | undefined;
  readonly error: string | undefined;
  readonly iss: string | undefined;
};

function readAnswer(query: string): Said {
  const params = new URLSearchParams(query);
  const one = (key: string): string | undefined => {
    const [first, ...more] = params.getAll(key);
    if (more.length === 0 && (first ?? '').length <= CODE_LENGTH_MAX) return first;
    throw new Fault('invalid_argument', `Cannot sign in: the answer of the provider has several ${key}, or too long a one`, {
      details: { field: key },
    });
  };
  const error = one('error');
  return {
    state: one('state') ?? '',
    code: error === undefined ? one('code') : undefined,
    error: error?.slice(0, 64).replace(/[^\w.-]/g, '?'),
    iss: one('iss'),
  };
}

/** By which address the browser reached us, where people may come back to. */
function originOf(request: IncomingMessage, entry: Entry, { config: { name, redirect_origins: allowed } }: OidcProvider): string {
  const origin = ownOrigin(request, entry);
  if (origin === undefined) throw new Fault('invalid_argument', 'Cannot sign in through a provider here: open it in a browser');
  if (allowed === undefined || allowed.includes(origin)) return origin;
  throw new Fault('permission_denied', `Cannot sign in through ${name} at ${origin}: it may be used at ${allowed.join(', ')}`);
}

function pathOf(name: string): string {
  return `/api/session/oidc/${name}`;
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
