/**
 * The cookie a session is carried in. Over TLS its name has the prefix that makes browsers refuse to let anybody but this very host set it, and only
 * over TLS. Cookies know no ports: other servers on this host are sent it, too, which is why a request with it must also come from our own page.
 */
import type { IncomingMessage } from 'node:http';
import { Fault } from '@warren/protocol';

export const SESSION_COOKIE = 'warren';
const HOST_ONLY = '__Host-warren';
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,512}$/;

/** Undefined when there is none. Throws `unauthenticated` when there are several: then one of them was planted. */
export function readSessionCookie({ headers }: Pick<IncomingMessage, 'headers'>, isTls: boolean): string | undefined {
  const name = nameOf(isTls);
  const found = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  if (found.length > 1) throw new Fault('unauthenticated', `Cannot tell who is calling: there are ${found.length} cookies called ${name}`);
  return found[0]?.slice(name.length + 1);
}

export function sessionCookie(token: string, maxAgeMs: number, isTls: boolean): string {
  if (!VALUE.test(token)) throw new Error('A token cannot stand in a cookie');
  return `${nameOf(isTls)}=${token}; ${attributes(isTls)}; Max-Age=${Math.max(0, Math.floor(maxAgeMs / 1_000))}`;
}

export function noSessionCookie(isTls: boolean): string {
  return `${nameOf(isTls)}=; ${attributes(isTls)}; Max-Age=0`;
}

function attributes(isTls: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}`;
}

function nameOf(isTls: boolean): string {
  return isTls ? HOST_ONLY : SESSION_COOKIE;
}
