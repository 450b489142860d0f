/**
 * Ids: branded strings, so that one kind is never passed for another. An id is a word, an underscore and 16 characters of Crockford's
 * base 32 (80 random bits): safe as a file name, a cgroup name, a host name part and in a URL. An id is a name, never a permission.
 */
import { Fault } from './fault.ts';

declare const brand: unique symbol;
type Id<Kind extends string> = string & { readonly [brand]: Kind };

export type SandboxId = Id<'sandbox'>;

/** Names a token without revealing it. */
export type TokenId = Id<'token'>;

/** A tenant. Chosen by people, so it is a word and not random: it is a directory name, a part of an address and a key in every table. */
export type WorkspaceId = Id<'workspace'>;

/** The workspace of a caller that names none. */
export const DEFAULT_WORKSPACE = 'default' as WorkspaceId; // It is valid, as a test checks.

/** Gives this many random bytes. Passed in, so that a test can own randomness and this package runs anywhere. */
export type RandomSource = (length: number) => Uint8Array;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // No i, l, o, u: they are misread.
const RANDOM_BYTES = 10;
const BODY = /^[0-9a-hjkmnp-tv-z]{16}$/;
/** How much of a refused id an error repeats. */
const QUOTED_CHARACTERS_MAX = 40;

export function createSandboxId(random: RandomSource): SandboxId {
  return create('sandbox', random) as SandboxId; // The brand is given here and in parse, nowhere else.
}

/** Checks an id that came from outside. Throws `invalid_argument`. */
export function parseSandboxId(text: unknown): SandboxId {
  return parse('sandbox', text) as SandboxId; // As above.
}

export function createTokenId(random: RandomSource): TokenId {
  return create('token', random) as TokenId; // As above.
}

/** Names something by a word and 80 random bits. */
export function createId(
  kind: 'call' | 'approval' | 'alert' | 'rule' | 'snapshot' | 'backup' | 'job' | 'operation',
  random: RandomSource,
): string {
  return create(kind, random);
}

/** No dot and no slash, so it is one name of a directory and nothing else; no hyphen in front, for a program that is given it would read an option. */
export const WORKSPACE_ID_PATTERN = '^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$';
const WORKSPACE = new RegExp(WORKSPACE_ID_PATTERN);
/** What every object of JavaScript has: whoever keeps workspaces in one would find these in it. */
const INHERITED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Checks a workspace id that came from outside: it is safe as a directory name. Throws `invalid_argument`. */
export function parseWorkspaceId(text: unknown): WorkspaceId {
  if (typeof text === 'string' && WORKSPACE.test(text) && !INHERITED.has(text)) return text as WorkspaceId; // The brand is given here and nowhere else.
  throw new Fault('invalid_argument', `Cannot use ${quote(text)} as a workspace id: ${whyNot(text)}`);
}

function whyNot(text: unknown): string {
  if (typeof text === 'string' && INHERITED.has(text)) return 'the name is reserved';
  if (typeof text === 'string' && text.startsWith('-')) return 'it begins with a hyphen';
  return 'it is not 1 to 128 of letters, digits, _ and -';
}

function create(kind: string, random: RandomSource): string {
  const bytes = random(RANDOM_BYTES);
  if (bytes.length !== RANDOM_BYTES) throw new Error(`The random source gave ${bytes.length} bytes, not ${RANDOM_BYTES}`);
  let body = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      body += ALPHABET.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return `${kind}_${body}`;
}

function parse(kind: string, text: unknown): string {
  if (typeof text === 'string' && text.startsWith(`${kind}_`) && BODY.test(text.slice(kind.length + 1))) return text;
  throw new Fault('invalid_argument', `Cannot use ${quote(text)} as a ${kind} id: it is not "${kind}_" and 16 characters of 0-9 a-z`);
}

/** Quotes for an error message: one line, bounded, control characters escaped. */
function quote(value: unknown): string {
  if (typeof value !== 'string') return `a value of type ${typeof value}`;
  return JSON.stringify(value.length > QUOTED_CHARACTERS_MAX ? `${value.slice(0, QUOTED_CHARACTERS_MAX)}…` : value);
}
