/**
 * Pages in a browser on this machine can send requests here. They are held off three ways: the Host header is what the page's address says, so a
 * name that was made to resolve to this machine is not ours; the Origin header is that of the page; and a page can send `application/json` only
 * after asking, which nobody answers. Nothing of this applies to the unix socket, which no page can reach.
 */
import type { IncomingMessage } from 'node:http';
import { Fault } from '@warren/protocol';
import type { Entry } from './entry.ts';

/** Undefined: let it through. */
export function checkBrowser({ headers }: IncomingMessage, entry: Entry): Fault | undefined {
  if (entry.kind === 'unix') return undefined;
  const host = headers.host?.toLowerCase();
  if (host === undefined || !entry.hosts.has(host)) return denied('the Host header names another machine');
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host}`)
    return denied('the page it came from is of another origin');
  return undefined;
}

/** Whether a body may be read as JSON. */
export function isJsonType({ headers }: IncomingMessage, entry: Entry): boolean {
  return entry.kind === 'unix' || /^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function denied(why: string): Fault {
  return new Fault('permission_denied', `Cannot answer: ${why}`);
}
