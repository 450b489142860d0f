/** Everything in a folder of a pack or a skill, in the order of its names, within the bounds of one. No link is followed. */
import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PACK_LIMITS, tooLarge } from './pack-files.ts';

export type Walked = {
  /** Relative, with slashes. */
  readonly path: string;
  readonly full: string;
  readonly info: BigIntStats;
};

/** A folder comes before what is in it. Throws `too_large`, and what the disk throws. */
export async function* walkPack(folder: string): AsyncGenerator<Walked> {
  yield* walkInto(folder, { files: 0, bytes: 0 }, '', 0);
}

async function* walkInto(folder: string, seen: { files: number; bytes: number }, at: string, depth: number): AsyncGenerator<Walked> {
  if (depth > PACK_LIMITS.depthMax) throw tooLarge(`${at} is deeper than ${PACK_LIMITS.depthMax} folders`);
  for (const name of (await readdir(join(folder, at))).toSorted()) {
    const path = at === '' ? name : `${at}/${name}`;
    const full = join(folder, path);
    const info = await lstat(full, { bigint: true });
    seen.files += 1;
    if (seen.files > PACK_LIMITS.filesMax) throw tooLarge(`it has more than ${PACK_LIMITS.filesMax} files`);
    if (info.isFile()) seen.bytes += Number(info.size);
    if (seen.bytes > PACK_LIMITS.bytesMax) throw tooLarge(`it has more than ${PACK_LIMITS.bytesMax} bytes`);
    yield { path, full, info };
    if (info.isDirectory()) yield* walkInto(folder, seen, path, depth + 1);
  }
}
