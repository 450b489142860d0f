/**
 * Texts with a meaning: what each type of field takes, in the one form in which it is compared, recorded and used. A reason (`{ refused }`) completes the
 * sentence that begins with the name of the field.
 */

import { posix } from 'node:path';
import { canonicalHost } from '@warren/kernel';
import { suggest } from '@warren/protocol';
import { SIGNALS } from '@warren/sandbox';
import { LIMITS } from './limits.ts';

export type Refused = { readonly refused: string };
export type ReadText = (text: string) => string | Refused;

export const WORKSPACE_PATH = '/workspace';

const CONTROL = /[\u0000-\u001f\u007f]/;
const SPACE_OR_CONTROL = /[\s\u0000-\u001f\u007f\\]/;
const DOT_DOT = /(?:^|[/{,])\.\.(?:[/},]|$)/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?)?$/;
const SHA256 = /^[0-9a-f]{64}$/;
const ZONE = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;
export const CAPABILITY_NAME = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;

/** Absolute and without `.` and `..`: what a grant is checked against is what is opened. What is relative begins at the workspace. */
export function readPath(text: string): string | Refused {
  if (text === '') return { refused: 'is empty; give a path, as src/main.py' };
  if (text.includes('\0')) return { refused: 'has a NUL character' };
  if (/\p{Cc}/u.test(text)) return { refused: 'has a control character, which no grant covers' };
  if (Buffer.byteLength(text) > LIMITS.pathBytesMax) return { refused: `is longer than ${LIMITS.pathBytesMax} bytes` };
  const path = posix.resolve(WORKSPACE_PATH, text);
  return Buffer.byteLength(path) > LIMITS.pathBytesMax ? { refused: `is longer than ${LIMITS.pathBytesMax} bytes` } : path;
}

export function readGlob(text: string): string | Refused {
  if (text === '') return { refused: 'is empty; give a pattern, as **/*.py' };
  if (text.includes('\0')) return { refused: 'has a NUL character' };
  if (text.length > LIMITS.pathBytesMax) return { refused: `is longer than ${LIMITS.pathBytesMax} characters` };
  if (text.startsWith('/')) return { refused: 'is absolute; give the directory apart and the pattern relative to it' };
  return DOT_DOT.test(text) ? { refused: 'leads out of its directory with ..' } : text;
}

/** The host as grants have it, so that no spelling of it passes a check that another would not. */
export function readUrl(text: string): string | Refused {
  if (text.length > LIMITS.urlLengthMax) return { refused: `is longer than ${LIMITS.urlLengthMax} characters` };
  if (SPACE_OR_CONTROL.test(text)) return { refused: 'has a space, a backslash or a control character' };
  const url = URL.parse(text);
  if (url === null) return { refused: 'is not a URL; give it whole, as https://example.com/path' };
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { refused: `has the scheme ${url.protocol.slice(0, -1)}; only http and https are allowed` };
  if (url.username !== '' || url.password !== '') return { refused: 'has credentials, which a URL may not carry' };
  const host = canonicalHost(url.hostname);
  if (host === undefined) return { refused: 'has a host that is not valid' };
  if (url.hostname !== host) url.hostname = host;
  url.hash = '';
  return url.hostname === host ? url.href : { refused: 'has a host that is not valid' };
}

export function readHost(text: string): string | Refused {
  const isBareIpv6 = !text.startsWith('[') && text.indexOf(':') !== text.lastIndexOf(':');
  return (
    canonicalHost(isBareIpv6 ? `[${text}]` : text) ?? { refused: 'is not a host name or address; give it without scheme, port and path' }
  );
}

/** Of the calendar, and as UTC. A date alone is its beginning, a time without offset is UTC. */
export function readDateTime(text: string): string | Refused {
  const parts = text.length <= 40 ? DATE_TIME.exec(text) : null;
  const refused = { refused: 'is not a time of RFC 3339; give it as 2026-01-05T06:00:00Z' };
  if (parts === null) return refused;
  const [, day, clock = '00:00', zone = 'Z'] = parts;
  const at = new Date(`${day}T${clock}${zone.toUpperCase()}`);
  if (Number.isNaN(at.getTime())) return refused;
  // The parser takes 30 February for 2 March.
  return new Date(`${day}T00:00Z`).toISOString().startsWith(`${day}`) ? at.toISOString() : refused;
}

export function readSha256(text: string): string | Refused {
  const lower = text.toLowerCase();
  return SHA256.test(lower) ? lower : { refused: 'is not a SHA-256; give 64 hexadecimal digits' };
}

export function readName(text: string): string | Refused {
  if (text === '' || text.length > 128) return { refused: 'is not 1 to 128 characters' };
  return CONTROL.test(text) ? { refused: 'has control characters' } : text;
}

/** Whether it names times at all is for who schedules to say. */
export function readCron(text: string): string | Refused {
  if (text === '' || text.length > 256) return { refused: 'is not 1 to 256 characters' };
  return CONTROL.test(text) ? { refused: 'has control characters' } : text;
}

export function readZone(text: string): string | Refused {
  return ZONE.test(text) ? text : { refused: 'is not a time zone; give a name as Europe/Zurich' };
}

export function readSignal(text: string): string | Refused {
  const upper = text.length <= 16 ? text.toUpperCase() : '';
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  return Object.hasOwn(SIGNALS, name) ? name : { refused: `is not a signal${hint(suggest(name, Object.keys(SIGNALS)))}` };
}

export function readCapabilityName(text: string): string | Refused {
  return text.length <= 128 && CAPABILITY_NAME.test(text)
    ? text
    : { refused: 'is not the name of a capability; give it as filesystem.read' };
}

export function readArgument(text: string): string | Refused {
  return text.includes('\0') ? { refused: 'has a NUL character' } : text;
}

export function hint(word: string | undefined): string {
  return word === undefined ? '' : `; did you mean ${word}`;
}
