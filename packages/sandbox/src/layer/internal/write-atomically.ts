import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileFault } from './errno.ts';

/** Replaces a file of ours (mode 0600): a reader, also one after a power cut, sees the old content or the new, never a part. */
export function writeAtomically(path: string, content: string | readonly string[]): void {
  const temporary = `${path}.new-${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      for (const part of typeof content === 'string' ? [content] : content) writeFileSync(file, part);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileFault(error, `Cannot write ${path}`);
  }
}

/** Makes names that were added to or taken out of a directory survive a power cut. */
export function syncDirectory(path: string | Buffer): void {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
