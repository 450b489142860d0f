/** The files of a skill where they are kept. In a sandbox it is somebody else who reads them, so they are for everybody to read whatever this process withholds from new files. */
import { chmod, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackFile } from '../pack/pack-files.ts';

const OPEN = 0o755;

/** Makes the folder, which must not be there. */
export async function writeSkill(folder: string, files: readonly PackFile[], signal: AbortSignal): Promise<void> {
  for (const path of ['', ...foldersOf(files)]) {
    await mkdir(join(folder, path));
    await chmod(join(folder, path), OPEN);
  }
  for (const { path, bytes, isExecutable } of files) {
    signal.throwIfAborted();
    await using file = await open(join(folder, path), 'wx');
    await file.writeFile(bytes);
    await file.chmod(isExecutable ? OPEN : 0o644);
    await file.sync();
  }
}

/** Each after the one it is in. */
function foldersOf(files: readonly PackFile[]): readonly string[] {
  const folders = files.flatMap(({ path }) => {
    const parts = path.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  });
  return [...new Set(folders)];
}
