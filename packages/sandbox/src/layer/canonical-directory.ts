import { realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { Fault } from '@warren/protocol';
import { errnoOf, fileFault } from './internal/errno.ts';

/** The one name of a directory. Throws `not_found`, `invalid_argument`, `unsupported` (a name that is no UTF-8). */
export function canonicalDirectory(path: string): string {
  try {
    const bytes = realpathSync(path, { encoding: 'buffer' });
    const canonical = bytes.toString('utf8');
    if (!Buffer.from(canonical).equals(bytes)) throw new Fault('unsupported', `Cannot run in ${canonical}: the path is not UTF-8`);
    if (statSync(canonical).isDirectory()) return canonical;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new Fault('not_found', `There is no directory ${path}`, { cause: error });
    throw fileFault(error, `Cannot use the directory ${path}`);
  }
  throw new Fault('invalid_argument', `Cannot use ${path}: it is not a directory`);
}

/** Whether a canonical path is this directory or lies in it. */
export function contains(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`);
}
