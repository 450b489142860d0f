/** What commands have in the place of a secret: a word that says which, with a part nobody guesses, of letters that no client encodes. */
import { randomBytes } from 'node:crypto';

/** With what every placeholder begins, also one of another sandbox. */
export const PREFIX = 'warren-secret-';
const NAME_MAX = 64;
const RANDOM_HEX = 32;
/** Of the longest. */
export const PLACEHOLDER_MAX = PREFIX.length + NAME_MAX + 1 + RANDOM_HEX;

const PLACEHOLDER = new RegExp(`${PREFIX}[A-Za-z0-9._-]{0,${NAME_MAX}}-[0-9a-f]{${RANDOM_HEX}}(?![0-9a-f])`, 'g');

/** One of its own for each sandbox: that of another is nothing here. */
export function makePlaceholder(name: string): string {
  const word = name.replace(/[^A-Za-z0-9._-]/g, '.').slice(0, NAME_MAX);
  return `${PREFIX}${word}-${randomBytes(RANDOM_HEX / 2).toString('hex')}`;
}

/** Each once. */
export function placeholdersIn(text: string): readonly string[] {
  return text.includes(PREFIX) ? [...new Set(text.match(PLACEHOLDER) ?? [])] : [];
}
