/**
 * Paths of the tree. A file has one name: nothing is folded, resolved or normalised, and what would be a second spelling of a path (`//`,
 * `/./`, a trailing slash) is refused. Two texts that look alike but differ in their code points (an `é` of one and of two) are two files,
 * as on Linux.
 */
import { Fault } from '@warren/protocol';

export const PATH_BYTES_MAX = 1_024;
/** Of a refused path in a message. */
const SHOWN_MAX = 200;

/** Throws `path_invalid` with the path. */
export function checkPath(path: unknown): string {
  const text = checkText(path);
  if (!text.startsWith('/')) throw invalid(text, 'it does not start with "/"');
  for (const segment of text.slice(1).split('/')) {
    if (segment === '') throw invalid(text, 'it has an empty name');
    if (segment === '.' || segment === '..') throw invalid(text, `it has the name "${segment}"`);
  }
  return text;
}

/** The beginning of paths; may end inside a name. Throws `path_invalid`. */
export function checkPrefix(prefix: unknown): string {
  return checkText(prefix);
}

function checkText(value: unknown): string {
  if (typeof value !== 'string') throw invalid('', 'it is no text');
  if (value.length > PATH_BYTES_MAX || Buffer.byteLength(value) > PATH_BYTES_MAX) {
    throw invalid(value, `it is longer than ${PATH_BYTES_MAX} bytes`);
  }
  if (/\p{Cc}/u.test(value)) throw invalid(value, 'it has control characters');
  if (!value.isWellFormed()) throw invalid(value, 'it has broken unicode');
  return value;
}

function invalid(path: string, why: string): Fault {
  const shown = path.length > SHOWN_MAX ? `${path.slice(0, SHOWN_MAX)}…` : path;
  return new Fault('path_invalid', `Cannot use path ${JSON.stringify(shown)}: ${why}`, { details: { path: shown } });
}
