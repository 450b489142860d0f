/** Who is calling: the holder of a token, which stands in a header or, for our own pages, in a cookie; or whoever may open the unix socket. */
import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import type { Kernel, Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, type TokenId } from '@warren/protocol';
import type { Log } from '../observe/log.ts';
import type { RefusedAttempt, RefusedAttempts } from '../operations/refused-attempts.ts';
import { isFromOwnPage, ownOrigin } from './check-browser.ts';
import type { Entry } from './entry.ts';
import { headerOf } from './header.ts';
import type { Refusal } from './reply.ts';
import { clientAddress } from './sign-in/client-address.ts';
import { CSRF_HEADER, isCsrf } from './sign-in/csrf.ts';
import type { GrowingDelays } from './sign-in/growing-delays.ts';
import { noSessionCookie, readSessionCookie, sessionCookie } from './sign-in/session-cookie.ts';

export type Identity = {
  readonly principal: Principal;
  readonly name: string | undefined;
  readonly groups: readonly string[];
  readonly tokenId: TokenId | undefined;
  /** What has to stay good for as long as a connection lives; undefined when the unix socket itself is the proof. */
  readonly token: string | undefined;
};

export type Authenticated =
  /** `setCookie`: the session lasts longer now, and its cookie should too. */
  | { readonly kind: 'known'; readonly identity: Identity; readonly setCookie?: string | undefined }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type AuthenticateParts = {
  readonly kernel: { readonly tokens: Pick<Kernel['tokens'], 'identify' | 'isKnown'>; readonly sessions: Pick<Kernel['sessions'], 'use'> };
  readonly logins: GrowingDelays;
  readonly log: Log;
  readonly refused: Pick<RefusedAttempts, 'add'> | undefined;
  /** Whose word about addresses is believed. */
  readonly proxies: BlockList | undefined;
};

/** What a cookie is worth here: nothing; what the page it comes from can show to be ours by a header; or, where pages cannot set one, by `Origin`. */
export type CookieUse = 'none' | 'header' | 'origin';

const OPERATOR: Authenticated = {
  kind: 'known',
  identity: { principal: { kind: 'operator' }, name: undefined, groups: [], tokenId: undefined, token: undefined },
};
const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

export async function authenticate(
  request: IncomingMessage,
  entry: Entry,
  cookies: CookieUse,
  parts: AuthenticateParts,
): Promise<Authenticated> {
  const header = request.headers.authorization;
  // Whoever says who it is means that, whatever cookie the browser adds.
  if (header !== undefined) return await byToken(BEARER.exec(header)?.[1] ?? '', request, entry, parts);
  if (entry.kind === 'unix') return OPERATOR;
  const isTls = isTlsOrigin(request, entry);
  const cookie = cookies === 'none' ? undefined : readSessionCookie(request, isTls);
  if (cookie === undefined) return unknown('a token is needed: Authorization: Bearer …');
  return await byCookie(cookie, request, entry, { cookies, isTls, parts });
}

/** Whether browsers reach us over TLS, ourselves or through a proxy that has it. */
export function isTlsOrigin(request: IncomingMessage, entry: Entry): boolean {
  return ownOrigin(request, entry)?.startsWith('https:') === true;
}

type ByCookie = { readonly cookies: CookieUse; readonly isTls: boolean; readonly parts: AuthenticateParts };

async function byCookie(
  cookie: string,
  request: IncomingMessage,
  entry: Entry,
  { cookies, isTls, parts }: ByCookie,
): Promise<Authenticated> {
  if (!isFromOwnPage(request, entry) || (cookies === 'origin' && request.headers.origin === undefined)) {
    return foreign('a cookie counts only in what a page of ours asks for');
  }
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  if (cookies === 'header' && !isReading && !isCsrf(headerOf(request, CSRF_HEADER), cookie)) {
    return foreign(`with a cookie the header ${CSRF_HEADER} is needed, as GET /api/session says it`);
  }
  const known = await byToken(cookie, request, entry, parts);
  if (known.kind === 'known') return known;
  // Else the browser would go on sending it.
  const headers = { ...known.refusal.headers, 'set-cookie': noSessionCookie(isTls) };
  return { kind: 'refused', refusal: { ...known.refusal, headers } };
}

async function byToken(token: string, request: IncomingMessage, entry: Entry, parts: AuthenticateParts): Promise<Authenticated> {
  const { kernel, logins, log, refused, proxies } = parts;
  const known = await kernel.tokens.identify(token);
  if (known !== undefined) {
    const { principal, owner, id, groups, expiresAt } = known;
    const endsAt = known.person === undefined ? undefined : await kernel.sessions.use(known);
    const isMoved = endsAt !== undefined && endsAt !== expiresAt && request.headers.authorization === undefined;
    const setCookie = isMoved ? sessionCookie(token, endsAt - Date.now(), isTlsOrigin(request, entry)) : undefined;
    return { kind: 'known', identity: { principal, name: owner, groups, tokenId: id, token }, setCookie };
  }
  // Behind the unix socket stands one user, who has nothing to guess; and who has a token that was good once did not guess it.
  const isGood = await kernel.tokens.isKnown(token);
  const address = entry.kind === 'unix' ? 'unix' : clientAddress(request, proxies);
  await refused?.add(failedLogin(address, isGood ? 'a token that is good no more' : 'an unknown token'));
  if (entry.kind === 'tcp' && !isGood) {
    const waitMs = logins.waitMs(address);
    if (waitMs > 0) return locked(waitMs);
    const lockedMs = logins.failed(address);
    if (lockedMs > 0) log.warn('Wrong tokens: the address has to wait', { address, locked_ms: lockedMs });
  }
  return unknown('the token is unknown, has expired, was revoked, or is of a process that ended');
}

function failedLogin(from: string, message: string): RefusedAttempt {
  const error = { type: 'unauthenticated', message };
  return { kind: 'operator', workspace: DEFAULT_WORKSPACE, actor: { kind: 'system' }, action: 'login', error, details: { from } };
}

function unknown(why: string): Authenticated {
  const fault = new Fault('unauthenticated', `Cannot tell who is calling: ${why}`);
  return { kind: 'refused', refusal: { fault, headers: { 'www-authenticate': 'Bearer realm="warren"' } } };
}

function foreign(why: string): Authenticated {
  return { kind: 'refused', refusal: { fault: new Fault('permission_denied', `Cannot answer: ${why}`) } };
}

function locked(waitMs: number): Authenticated {
  const fault = new Fault('rate_limited', 'Cannot tell who is calling: too many wrong tokens came from this address', {
    details: { retry_after_ms: waitMs },
  });
  return { kind: 'refused', refusal: { fault, headers: { 'retry-after': Math.ceil(waitMs / 1_000) } } };
}
