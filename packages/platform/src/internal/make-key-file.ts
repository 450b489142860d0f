import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskFault } from './disk-fault.ts';

const KEY_BYTES = 32;

/** 32 random bytes that nobody but us may read; undefined when there is such a file already. It appears whole and stays: what is locked with half a key could never be read. */
export async function makeKeyFile(path: string): Promise<Uint8Array | undefined> {
  const key = randomBytes(KEY_BYTES);
  const beside = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(key);
      await file.datasync();
    } finally {
      await file.close();
    }
    await link(beside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined; // What these throw has a code.
    throw diskFault(error, 'make a key file');
  } finally {
    await rm(beside, { force: true });
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return key;
}
