/** What a pack is, as one hash: every file in its folder, with its name, what may be done with it and its bytes. What people approved of one is not carried out by another. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PACK_LIMITS, tooLarge } from './pack-files.ts';

type Walk = { readonly hash: Hash; files: number; bytes: number };

/** In hexadecimal. Throws `too_large`, and what the disk throws. */
export async function hashPack(folder: string): Promise<string> {
  const walk: Walk = { hash: createHash('sha256'), files: 0, bytes: 0 };
  await hashInto(walk, folder, '', 0);
  return walk.hash.digest('hex');
}

async function hashInto(walk: Walk, folder: string, at: string, depth: number): Promise<void> {
  if (depth > PACK_LIMITS.depthMax) throw tooLarge(`${at} is deeper than ${PACK_LIMITS.depthMax} folders`);
  for (const name of (await readdir(join(folder, at))).toSorted()) {
    const path = at === '' ? name : `${at}/${name}`;
    const full = join(folder, path);
    const info = await lstat(full);
    walk.files += 1;
    if (walk.files > PACK_LIMITS.filesMax) throw tooLarge(`it has more than ${PACK_LIMITS.filesMax} files`);
    walk.hash.update(`${path}\0${info.mode}\0`);
    if (info.isDirectory()) await hashInto(walk, folder, path, depth + 1);
    else if (info.isSymbolicLink()) walk.hash.update(`${await readlink(full)}\0`);
    else if (info.isFile()) await hashFile(walk, full, info.size);
  }
}

async function hashFile(walk: Walk, path: string, bytes: number): Promise<void> {
  walk.bytes += bytes;
  if (walk.bytes > PACK_LIMITS.bytesMax) throw tooLarge(`it has more than ${PACK_LIMITS.bytesMax} bytes`);
  walk.hash.update(`${bytes}\0`);
  if (bytes === 0) return;
  for await (const chunk of createReadStream(path, { end: bytes - 1 })) walk.hash.update(chunk as Buffer); // A stream without an encoding brings buffers.
}
