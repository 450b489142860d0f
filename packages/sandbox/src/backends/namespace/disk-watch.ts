/**
 * Holds a layer to its size. The kernel offers no quota that every filesystem and every user has, so the host looks: again and again, less often the
 * longer a look takes. A writer can overshoot by what it writes between two looks; the capability report says `polled`.
 */
import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const LOOK_EVERY_MS = 200;
/** An entry without blocks still takes an inode, of which a file system has only so many. */
const ENTRY_BYTES = 4_096;
/** A look may take at most this share of the time. */
const SHARE = 0.05;

/** Calls `exceed` once, with the size, when the files below `directory` take more than `bytesMax` on disk. */
export function watchDisk(directory: string, bytesMax: number, exceed: (bytes: number) => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  let isDisposed = false;
  const look = async (): Promise<void> => {
    const startedAt = performance.now();
    const bytes = await diskUsage(directory, bytesMax, () => isDisposed);
    if (isDisposed) return;
    if (bytes > bytesMax) exceed(bytes);
    else schedule(Math.max(LOOK_EVERY_MS, (performance.now() - startedAt) / SHARE));
  };
  const schedule = (afterMs: number): void => {
    timer = setTimeout(() => void look(), afterMs);
    timer.unref();
  };
  schedule(LOOK_EVERY_MS);
  return {
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}

/** Bytes on disk of everything below, or more than `bytesMax` as soon as that is certain. What vanishes meanwhile counts as nothing. */
export async function diskUsage(directory: string, bytesMax: number, isCancelled: () => boolean): Promise<number> {
  let bytes = 0;
  const waiting = [directory];
  for (let path = waiting.pop(); path !== undefined && bytes <= bytesMax && !isCancelled(); path = waiting.pop()) {
    for (const entry of await entriesOf(path)) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) waiting.push(child);
      bytes += await lstat(child).then(
        (status) => Math.max(ENTRY_BYTES, status.blocks * 512),
        () => 0,
      );
    }
  }
  return bytes;
}

async function entriesOf(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch {
    return []; // It went away, or its owner closed it: it still counts with what its parent says.
  }
}
