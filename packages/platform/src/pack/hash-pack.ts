/** What a pack is, as one hash: every file in its folder, with its name, what may be done with it and its bytes. What people approved of one is not carried out by another. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { walkPack } from './walk-pack.ts';

/** In hexadecimal. Throws `too_large`, and what the disk throws. */
export async function hashPack(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const { path, full, info } of walkPack(folder)) {
    hash.update(`${path}\0${info.mode}\0`);
    if (info.isSymbolicLink()) hash.update(`${await readlink(full)}\0`);
    if (!info.isFile()) continue;
    hash.update(`${info.size}\0`);
    if (info.size === 0n) continue;
    for await (const chunk of createReadStream(full, { end: Number(info.size) - 1 })) hash.update(chunk as Buffer); // A stream without an encoding brings buffers.
  }
  return hash.digest('hex');
}
