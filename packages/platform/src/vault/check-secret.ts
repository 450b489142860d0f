/** What may be kept as a secret. */
import { parseGrantSet, type SecretBindings, type SecretRecord } from '@warren/kernel';
import { Fault, isFault } from '@warren/protocol';
import { SECRET_TYPES, type SecretTerms, type SomeBindings } from './secrets.ts';

const VALUE_BYTES_MAX = 65_536;
const PURPOSE_CHARACTERS_MAX = 1_024;
const BOUND_MAX = 100;
/** The one that is used, and ten before it. */
export const VERSIONS_MAX = 11;
/** Segments that are no place to go, and names that mean something to objects of JavaScript. */
const REFUSED = new Set(['.', '..', '__proto__', 'constructor', 'prototype']);

export const NO_BINDINGS: SecretBindings = { hosts: [], capabilities: [], skills: [] };

export function checkName(name: unknown): string {
  const isName = typeof name === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_./-]{0,255}$/.test(name);
  if (isName && name.split('/').every((part) => part !== '' && !REFUSED.has(part))) return name;
  const quoted = JSON.stringify(String(name).slice(0, 80));
  throw refuse(
    'name',
    `${quoted} is not 1 to 256 of letters, digits and _ . - / (as between folders), beginning with a letter, digit or _`,
  );
}

/** The bytes are the caller's own. */
export function checkValue(value: unknown): Buffer {
  if (typeof value === 'string' && !value.isWellFormed()) throw refuse('value', 'it is no text that can be written as bytes');
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) throw refuse('value', 'it is neither text nor bytes');
  const bytes = Buffer.from(value as string); // Or bytes, which it copies.
  if (bytes.byteLength > 0 && bytes.byteLength <= VALUE_BYTES_MAX) return bytes;
  throw refuse('value', `it has ${bytes.byteLength} bytes, 1 to ${VALUE_BYTES_MAX} are allowed`);
}

type Terms = Pick<SecretRecord, 'type' | 'purpose' | 'bindings'>;

/** What it is from now on; `before` where nothing is said. */
export function checkTerms({ type, purpose, bindings, bind, unbind }: SecretTerms, before: Terms): Terms {
  return {
    type: type === undefined ? before.type : checkType(type),
    purpose: purpose === undefined ? before.purpose : checkPurpose(purpose),
    bindings: rebound(before.bindings, { bindings, bind, unbind }),
  };
}

function rebound(before: SecretBindings, { bindings, bind, unbind }: Pick<SecretTerms, 'bindings' | 'bind' | 'unbind'>): SecretBindings {
  if (bindings === undefined && bind === undefined && unbind === undefined) return before;
  const replaced = bindings === undefined ? before : { ...before, ...given(checkBindings(bindings), bindings) };
  const added = bind === undefined ? NO_BINDINGS : checkBindings(bind);
  const removed = unbind === undefined ? NO_BINDINGS : checkBindings(unbind);
  const of = (list: keyof SecretBindings): readonly string[] =>
    [...replaced[list], ...added[list]].filter((each) => !removed[list].includes(each));
  return checkBindings({ hosts: of('hosts'), capabilities: of('capabilities'), skills: of('skills') });
}

/** The lists that somebody gave. */
function given(checked: SecretBindings, bindings: SomeBindings): Partial<SecretBindings> {
  return Object.fromEntries(Object.entries(checked).filter(([list]) => bindings[list as keyof SecretBindings] !== undefined)); // Its keys.
}

function checkType(type: unknown): string {
  if (SECRET_TYPES.some((each) => each === type)) return String(type);
  throw refuse('type', `it is none of ${SECRET_TYPES.join(', ')}`);
}

function checkPurpose(purpose: unknown): string {
  const isPlain = typeof purpose === 'string' && purpose.isWellFormed() && !/[\0-\x08\x0b-\x1f\x7f]/.test(purpose);
  if (isPlain && purpose.length <= PURPOSE_CHARACTERS_MAX) return purpose;
  throw refuse('purpose', `it is no plain text of at most ${PURPOSE_CHARACTERS_MAX} characters`);
}

/** In canonical form. A secret for every host is one for whoever asks for it. */
function checkBindings({ hosts = [], capabilities = [], skills = [] }: SomeBindings): SecretBindings {
  for (const [field, list] of Object.entries({ hosts, capabilities, skills }))
    if (!Array.isArray(list) || list.length > BOUND_MAX) throw refuse(field, `it is no list of at most ${BOUND_MAX}`);
  const parsed = parseBound(() => parseGrantSet({ hosts, tools: capabilities }));
  const broad = parsed.hosts.find((host) => /^\*(:\d+)?$/.test(host) || /^\*{1,2}\.[^.]+(:\d+)?$/.test(host));
  if (broad !== undefined) throw refuse('hosts', `${broad} is every host, or every one of a whole domain of names; say which`);
  return { hosts: parsed.hosts, capabilities: parsed.tools, skills: [...new Set(skills.map(checkSkill))].toSorted() };
}

function parseBound<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isFault(error, 'grant_invalid')) throw error;
    throw refuse(error.details?.['field'] === 'net_grants' ? 'hosts' : 'capabilities', error.message);
  }
}

function checkSkill(skill: unknown): string {
  if (typeof skill === 'string' && /^[A-Za-z0-9_-]{1,128}$/.test(skill) && !REFUSED.has(skill)) return skill;
  throw refuse('skills', `${JSON.stringify(String(skill).slice(0, 80))} is no name of a skill`);
}

function refuse(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot keep the secret: ${field}: ${why}`, { details: { field } });
}
