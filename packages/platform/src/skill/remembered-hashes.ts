/**
 * Hashes of folders, for lists: a folder is read again only when something of it looks changed (a name, size, inode, or one of the times that the file system keeps). Whatever runs, is shown or approved is read each time.
 */
import { createHash } from 'node:crypto';
import { hashPack } from '../pack/hash-pack.ts';
import { walkPack } from '../pack/walk-pack.ts';

export type FolderHashes = { of(folder: string): Promise<string> };

type Parts = {
  /** Milliseconds since 1970, as the file system counts them. */
  readonly now?: () => number;
  readonly hash?: (folder: string) => Promise<string>;
  readonly foldersMax?: number;
};

const FOLDERS_MAX = 1_000;
/** File systems count time in steps; a file that was changed within one of them would look as before. */
const SETTLED_MS = 2_000;

export function rememberHashes({ now = Date.now, hash = hashPack, foldersMax = FOLDERS_MAX }: Parts = {}): FolderHashes {
  const known = new Map<string, { readonly look: string; readonly hash: string }>();
  return {
    async of(folder) {
      const startedMs = now();
      const { look, changedMs } = await lookAt(folder);
      const before = known.get(folder);
      if (before?.look === look) return before.hash;
      known.delete(folder);
      const taken = await hash(folder);
      if (changedMs + SETTLED_MS < startedMs) {
        known.set(folder, { look, hash: taken });
        const [oldest] = known.keys();
        if (known.size > foldersMax && oldest !== undefined) known.delete(oldest);
      }
      return taken;
    },
  };
}

async function lookAt(folder: string): Promise<{ readonly look: string; readonly changedMs: number }> {
  const look = createHash('sha256');
  let changedMs = 0;
  for await (const { path, info } of walkPack(folder)) {
    look.update(`${path}\0${info.mode} ${info.size} ${info.dev} ${info.ino} ${info.mtimeNs} ${info.ctimeNs}\n`);
    changedMs = Math.max(changedMs, Number(info.ctimeMs), Number(info.mtimeMs));
  }
  return { look: look.digest('hex'), changedMs };
}
