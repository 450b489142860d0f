/** Deletes a directory and all in it, also what whoever filled it closed: no mode keeps its owner from deleting. Links are deleted, not followed. */
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // What it throws has one.
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOTEMPTY') throw error;
    await openUp(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** So that each directory can be listed and emptied. */
async function openUp(path: string): Promise<void> {
  const about = await lstat(path).catch(() => undefined); // It may be gone already.
  if (about?.isDirectory() !== true) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openUp(join(path, name));
}
