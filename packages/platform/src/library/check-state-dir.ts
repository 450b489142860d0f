import { resolve } from 'node:path';
import { Fault } from '@warren/protocol';

/** What belongs to the machine. Directories below them are for whoever may write there. */
const SENSITIVE: ReadonlySet<string> = new Set(['/', '/root', '/home', '/proc', '/sys', '/dev', '/boot', '/run', '/tmp', '/var', '/etc', '/bin', '/sbin', '/usr', '/lib']); // biome-ignore format: one line

/** Throws `invalid_argument`. */
export function checkStateDir(given: unknown): string {
  if (typeof given !== 'string' || given === '' || given.includes('\0'))
    throw new Fault('invalid_argument', 'Cannot use this as stateDir: it is not the path of a directory', {
      details: { field: 'stateDir' },
    });
  const path = resolve(given);
  if (!SENSITIVE.has(path)) return path;
  throw new Fault('invalid_argument', `Cannot use ${path} as stateDir: it is a sensitive path of the system; use a directory of your own`, {
    details: { field: 'stateDir' },
  });
}
