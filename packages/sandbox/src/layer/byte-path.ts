/**
 * Paths as the kernel has them: any bytes but NUL and `/` make a name, and not all of them are UTF-8. A `BytePath` is a string with one
 * character (U+0000 to U+00FF) for each byte, so that it compares, sorts, splits and is looked up like text and still loses nothing.
 * Relative to the directory of the run, no leading slash; the directory itself is the empty path.
 */
import { isUtf8 } from 'node:buffer';
import { Fault } from '@warren/protocol';
import { readFields, readText, ShapeError } from './internal/shape.ts';
import { escapeForTerminal } from './terminal-text.ts';

declare const brand: unique symbol;
export type BytePath = string & { readonly [brand]: 'BytePath' };

export const ROOT_PATH: BytePath = '' as BytePath; // The brand is given in this file only.

/** Bytes of a path in a file of ours. Longer than any path we walk: depth 2,048 times 255 bytes. */
const PATH_BYTES_MAX = 1_048_576;

export function pathFromBytes(bytes: Buffer): BytePath {
  return bytes.toString('latin1') as BytePath; // As above.
}

export function pathToBytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

/** For people and JSON: the root is `.`, and bytes that are not UTF-8 become U+FFFD. */
export function pathToText(path: BytePath): string {
  return path === ROOT_PATH ? '.' : pathToBytes(path).toString('utf8');
}

/** A path somebody wrote, relative to the directory of the run. Throws `invalid_argument` when it is absolute or leads out. */
export function parsePath(text: string): BytePath {
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  if (text.startsWith('/') || names.includes('..') || text.includes('\0')) {
    throw new Fault(
      'invalid_argument',
      `Cannot use ${escapeForTerminal(JSON.stringify(text))}: a path is relative to the directory of the run`,
    );
  }
  return pathFromBytes(Buffer.from(names.join('/'), 'utf8'));
}

export function joinPath(directory: BytePath, name: string): BytePath {
  return (directory === '' ? name : `${directory}/${name}`) as BytePath; // As above.
}

/** The directory an entry is in. The root is in itself. */
export function parentOf(path: BytePath): BytePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) as BytePath; // As above.
}

export function nameOf(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf('/') + 1) as BytePath; // As above.
}

/** Every directory above an entry, nearest first, without the root. */
export function* ancestorsOf(path: BytePath): Generator<BytePath> {
  for (let at = parentOf(path); at !== ROOT_PATH; at = parentOf(at)) yield at;
}

/** Whether a path is this directory or below it. */
export function isWithin(path: BytePath, directory: BytePath): boolean {
  return directory === '' || path === directory || (path.startsWith(directory) && path[directory.length] === '/');
}

/** The order of bytes, which is the order of git. A directory comes before what is in it. */
export function comparePaths(left: BytePath, right: BytePath): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** For an error message: quoted, one line, nothing in it that a terminal obeys. */
export function quotePath(path: BytePath): string {
  return `"${escapeForTerminal(pathToText(path)).replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`;
}

/** Lossless in JSON: text where the bytes are UTF-8, else base64. */
export type PathJson = string | { readonly base64: string };

export function pathToJson(path: BytePath): PathJson {
  const bytes = pathToBytes(path);
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

/** Throws `ShapeError`, also for a path that leads out. A link's target is read with `readBytes` instead. */
export function readPath(value: unknown, where: string): BytePath {
  const path = readBytes(value, where);
  const names = path.split('/');
  if (path !== '' && (names.includes('') || names.includes('.') || names.includes('..') || path.includes('\0'))) {
    throw new ShapeError(`${where} is a path that leads out`);
  }
  return path;
}

export function readBytes(value: unknown, where: string): BytePath {
  if (typeof value === 'string') return pathFromBytes(Buffer.from(readText(value, where, PATH_BYTES_MAX), 'utf8'));
  const { base64 } = readFields(value, where, ['base64']);
  return pathFromBytes(Buffer.from(readText(base64, where, PATH_BYTES_MAX * 2), 'base64'));
}
