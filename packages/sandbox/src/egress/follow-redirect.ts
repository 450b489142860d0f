/** What a redirect makes of a request. To another origin goes nothing that the caller meant for the first one. */
import { EgressRefusal } from './egress.ts';
import type { Hop } from './read-request.ts';
import { readTarget, type Target } from './read-target.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What travels to another origin; every other header might be a secret of the first. */
const SAFE_HEADERS: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'accept-language', 'range', 'user-agent']);

/** The next request; undefined when the answer is no redirect. Throws `EgressRefusal` with `invalid_url` or `redirect_refused`. */
export function followRedirect(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  const target = resolveLocation(hop.target, location);
  if (hop.target.scheme === 'https' && target.scheme === 'http') throw refuse(hop.target, target, 'it leads from https to http');
  const isToGet = status === 303 ? hop.method !== 'GET' && hop.method !== 'HEAD' : status <= 302 && hop.method === 'POST';
  const method = isToGet ? 'GET' : hop.method;
  const body = isToGet ? undefined : hop.body;
  const isSameOrigin = target.origin === hop.target.origin;
  if (!isSameOrigin && (body !== undefined || !(method === 'GET' || method === 'HEAD' || method === 'OPTIONS')))
    throw refuse(hop.target, target, `it would send the ${method} to another origin`);
  const keeps = (name: string): boolean => (isSameOrigin ? !(isToGet && name.startsWith('content-')) : SAFE_HEADERS.has(name));
  return { target, method, body, headers: new Map([...hop.headers].filter(([name]) => keeps(name))) };
}

/** Headers hold bytes; those of an address are taken for UTF-8, as browsers do. */
function resolveLocation(base: Target, location: string): Target {
  const text = Buffer.from(location, 'latin1').toString('utf8').trim().replaceAll(' ', '%20');
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return readTarget(text);
  if (/^[/\\]{2}/.test(text)) return readTarget(`${base.scheme}:${text}`);
  const resolved = text.includes('\\') ? null : URL.parse(text, base.url);
  if (resolved === null || resolved.origin !== new URL(base.url).origin) return readTarget(text); // Neither absolute nor below the base: refused by name.
  return readTarget(resolved.href);
}

function refuse(from: Target, to: Target, why: string): EgressRefusal {
  return new EgressRefusal('redirect_refused', to.host, `Cannot follow the redirect from ${from.host} to ${to.host}: ${why}`);
}
