/**
 * Pages in a browser on this machine can send requests here. They are held off three ways: the Host header is what the page's address says, so a
 * name that was made to resolve to this machine is not ours; the Origin header, or Sec-Fetch-Site, says which page it is; and a page can send `application/json` only
 * after asking, which nobody answers. Nothing of this applies to the unix socket, which no page can reach.
 */
import type { IncomingMessage } from 'node:http';
import { Fault } from '@warren/protocol';
import type { Entry } from './entry.ts';

/** Undefined: let it through. `isReturn`: another site may lead a browser here, as one that somebody signs in through does; a page may still not ask by itself. */
export function checkBrowser(request: IncomingMessage, entry: Entry, isReturn = false): Fault | undefined {
  const { headers, rawHeaders } = request;
  if (entry.kind === 'unix') return undefined;
  const twice = repeated(rawHeaders);
  if (twice !== undefined) return new Fault('invalid_argument', `Cannot answer: there are several headers ${twice}`);
  const own = ownOrigin({ headers }, entry);
  if (own === undefined) return denied('the Host header names another machine');
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== own) return denied('the page it came from is of another origin');
  if (isFromElsewhere(headers['sec-fetch-site']) && !(isReturn && isNavigation(request)))
    return denied('the page it came from is of another origin');
  return undefined;
}

/** What walls are built on. Node takes the first of several, and a proxy in front of us may have looked at the last. */
const ONCE: ReadonlySet<string> = new Set(['host', 'origin', 'authorization', 'content-type', 'sec-fetch-site']);

function repeated(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!ONCE.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** The origin of a page of ours that sends this request; undefined when its Host header is none of ours. */
export function ownOrigin({ headers }: Pick<IncomingMessage, 'headers'>, entry: Entry): string | undefined {
  if (entry.kind === 'unix' || headers.host === undefined) return undefined;
  return entry.origins.get(headers.host.toLowerCase());
}

/** Whether the browser, which cannot be made to lie about it, says that a page of ours sent it. */
export function isFromOwnPage({ headers }: Pick<IncomingMessage, 'headers'>, entry: Entry): boolean {
  const site = headers['sec-fetch-site'];
  const own = ownOrigin({ headers }, entry);
  if (own === undefined || (site !== undefined && site !== 'same-origin')) return false;
  return site === 'same-origin' || headers.origin?.toLowerCase() === own;
}

/** Nobody (`none`: an address that was typed) and our own pages may ask; browsers that say nothing are held to `Origin`. */
function isFromElsewhere(site: string | string[] | undefined): boolean {
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** The whole window goes there: what it shows is in no frame, and nobody but its user reads it. */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** Whether a body may be read as JSON. */
export function isJsonType({ headers }: IncomingMessage, entry: Entry): boolean {
  return entry.kind === 'unix' || /^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function denied(why: string): Fault {
  return new Fault('permission_denied', `Cannot answer: ${why}`);
}
