/** Who is calling. */
import type { IncomingMessage } from 'node:http';
import type { Kernel, Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, type TokenId } from '@warren/protocol';
import type { Log } from '../observe/log.ts';
import type { RefusedAttempt, RefusedAttempts } from '../operations/refused-attempts.ts';
import type { Entry } from './entry.ts';
import type { FailedLogins } from './failed-logins.ts';
import type { Refusal } from './reply.ts';

export type Identity = {
  readonly principal: Principal;
  readonly name: string | undefined;
  readonly groups: readonly string[];
  readonly tokenId: TokenId | undefined;
  /** What has to stay good for as long as a connection lives; undefined when the unix socket itself is the proof. */
  readonly token: string | undefined;
};

export type Authenticated =
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type AuthenticateParts = {
  readonly tokens: Pick<Kernel['tokens'], 'identify' | 'isKnown'>;
  readonly logins: FailedLogins;
  readonly log: Log;
  readonly refused: Pick<RefusedAttempts, 'add'> | undefined;
};

const OPERATOR: Authenticated = {
  kind: 'known',
  identity: { principal: { kind: 'operator' }, name: undefined, groups: [], tokenId: undefined, token: undefined },
};
const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

export async function authenticate(
  request: IncomingMessage,
  entry: Entry,
  { tokens, logins, log, refused }: AuthenticateParts,
): Promise<Authenticated> {
  const header = request.headers.authorization;
  if (header === undefined) return entry.kind === 'unix' ? OPERATOR : unknown('a token is needed: Authorization: Bearer …');
  const token = BEARER.exec(header)?.[1] ?? '';
  const known = await tokens.identify(token);
  if (known !== undefined) {
    const { principal, owner, id, groups } = known;
    return { kind: 'known', identity: { principal, name: owner, groups, tokenId: id, token } };
  }
  // Behind the unix socket stands one user, who has nothing to guess; and who has a token that was good once did not guess it.
  const isGood = await tokens.isKnown(token);
  const address = entry.kind === 'unix' ? 'unix' : (request.socket.remoteAddress ?? 'unknown');
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

function locked(waitMs: number): Authenticated {
  const fault = new Fault('rate_limited', 'Cannot tell who is calling: too many wrong tokens came from this address', {
    details: { retry_after_ms: waitMs },
  });
  return { kind: 'refused', refusal: { fault, headers: { 'retry-after': Math.ceil(waitMs / 1_000) } } };
}
