/** The files of a pack before it is installed: taken out of a folder or an archive, bounded, and nothing but plain files with plain names. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import { readPlainFile } from '../internal/read-plain-file.ts';

export type PackFile = {
  /** Relative, with slashes. */
  readonly path: string;
  readonly isExecutable: boolean;
  readonly bytes: Uint8Array;
};

export const PACK_LIMITS = {
  archiveBytesMax: 16_777_216,
  bytesMax: 67_108_864,
  filesMax: 2_000,
  pathLengthMax: 255,
  depthMax: 16,
} as const;

/** Collects files; throws `invalid_argument` or `too_large` for the first that a pack may not have. */
export class PackFiles {
  readonly #files = new Map<string, PackFile>();
  readonly #folders = new Set<string>();
  #bytes = 0;

  add(file: PackFile): void {
    const path = checkPath(file.path);
    if (this.#files.has(path) || this.#folders.has(path)) throw refuse(path, 'is there twice');
    const parts = path.split('/');
    for (let length = 1; length < parts.length; length++) {
      const folder = parts.slice(0, length).join('/');
      if (this.#files.has(folder)) throw refuse(path, 'is below a file');
      this.#folders.add(folder);
    }
    this.#bytes += file.bytes.length;
    if (this.#bytes > PACK_LIMITS.bytesMax) throw tooLarge(`it has more than ${PACK_LIMITS.bytesMax} bytes`);
    if (this.#files.size >= PACK_LIMITS.filesMax) throw tooLarge(`it has more than ${PACK_LIMITS.filesMax} files`);
    this.#files.set(path, { ...file, path });
  }

  /** Without the one folder that everything is in, if there is one. */
  list(): readonly PackFile[] {
    const files = [...this.#files.values()];
    const top = files[0]?.path.split('/')[0];
    const isWrapped = top !== undefined && files.every(({ path }) => path.startsWith(`${top}/`));
    return isWrapped ? files.map((file) => ({ ...file, path: file.path.slice(top.length + 1) })) : files;
  }
}

/** Reads a folder of the host. Links and special files are refused, hidden folders of version control left out. */
export async function readPackFolder(folder: string, signal: AbortSignal, what: 'pack' | 'skill' = 'pack'): Promise<readonly PackFile[]> {
  const files = new PackFiles();
  try {
    await readInto(files, folder, '', 0, signal);
  } catch (error) {
    if (what === 'pack' || !isFault(error)) throw error;
    throw new Fault(error.code, error.message.replace('Cannot install the pack', 'Cannot add the skill'), { cause: error });
  }
  return files.list();
}

async function readInto(files: PackFiles, folder: string, at: string, depth: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (depth > PACK_LIMITS.depthMax) throw refuse(at, `is deeper than ${PACK_LIMITS.depthMax} folders`);
  const names = await readdir(join(folder, at)).catch((cause: NodeJS.ErrnoException) => {
    const why = { ENOENT: 'there is nothing of that name', ENOTDIR: 'it is no folder (an archive ends in .tar.gz)' }[String(cause.code)];
    throw new Fault('not_found', `Cannot install the pack ${JSON.stringify(folder)}: ${why ?? 'its folder cannot be read'}`, { cause });
  });
  for (const name of names.sort()) {
    if (name === '.git') continue;
    const path = at === '' ? name : `${at}/${name}`;
    const info = await lstat(join(folder, path));
    if (info.isDirectory()) await readInto(files, folder, path, depth + 1, signal);
    else if (info.size > PACK_LIMITS.bytesMax) throw tooLarge(`${path} has ${info.size} bytes`);
    else {
      const read = await readPlainFile(join(folder, path), { bytesMax: PACK_LIMITS.bytesMax, mayBeLink: false });
      if (read.kind === 'refused') throw refuse(path, read.reason);
      files.add({ path, isExecutable: (info.mode & 0o111) !== 0, bytes: read.bytes });
    }
  }
}

function checkPath(path: string): string {
  const clean = path.replace(/^(?:\.\/)+/, '');
  if (clean.length === 0 || clean.length > PACK_LIMITS.pathLengthMax)
    throw refuse(path, `has a name that is empty or longer than ${PACK_LIMITS.pathLengthMax}`);
  if (/[\u0000-\u001f\u007f\\]/.test(clean) || !clean.isWellFormed())
    throw refuse(path, 'has a name with control characters or backslashes');
  const parts = clean.split('/');
  if (clean.startsWith('/') || parts.some((part) => part === '..' || part === '.' || part === ''))
    throw refuse(path, 'leads out of the pack');
  if (parts.length > PACK_LIMITS.depthMax) throw refuse(path, `is deeper than ${PACK_LIMITS.depthMax} folders`);
  return clean;
}

export function refuse(path: string, reason: string): Fault {
  return new Fault('invalid_argument', `Cannot install the pack: ${JSON.stringify(path.slice(0, 100))} ${reason}`);
}

export function tooLarge(reason: string): Fault {
  return new Fault('too_large', `Cannot install the pack: ${reason}`);
}
