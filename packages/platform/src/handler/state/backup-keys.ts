/** The keys of backups: one for each, derived from one key of this machine that is made when the first is needed. */
import { hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { makeKeyFile } from '../../internal/make-key-file.ts';

const KEY_BYTES = 32;

/** `path` is a file of 32 bytes, mode 0600. Faults: `store_failed`, when it is there and cannot be used: it is never replaced. */
export function createBackupKeys(path: string): (workspace: WorkspaceId) => Promise<Uint8Array> {
  let opened: Promise<Uint8Array> | undefined;
  return async (workspace) => {
    opened ??= openKey(path).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return new Uint8Array(hkdfSync('sha256', await opened, '', `backup:${workspace}`, KEY_BYTES));
  };
}

async function openKey(path: string): Promise<Uint8Array> {
  try {
    const key = (await readKey(path)) ?? (await makeKeyFile(path)) ?? (await readKey(path));
    if (key?.byteLength === KEY_BYTES) return key;
  } catch (error) {
    throw new Fault('store_failed', `Cannot use backups: their key ${path} cannot be read`, { cause: error });
  }
  throw new Fault('store_failed', `Cannot use backups: their key ${path} is damaged`);
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // What the file system throws.
    throw error;
  }
}
