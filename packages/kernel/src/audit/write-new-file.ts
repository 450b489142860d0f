/** Files that appear whole: written beside their place, flushed, renamed, and the directory flushed. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function writeNewFile(path: string, content: string | Uint8Array): Promise<void> {
  await writeWhole(path, async (file) => {
    await file.writeFile(content);
  });
}

/** Replaces what is there; mode 0600. */
export async function writeWhole(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const beside = `${path}.tmp`;
  await rm(beside, { force: true });
  const file = await open(beside, 'wx', 0o600);
  try {
    await write(file);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncDirectory(dirname(path));
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
