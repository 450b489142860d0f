import { constants, type FileHandle, lstat, open, stat } from 'node:fs/promises';

/** The reason completes the sentence that begins with the name of the file. */
export type PlainFile = { readonly kind: 'read'; readonly bytes: Buffer } | RefusedFile;
export type RefusedFile = {
  readonly kind: 'refused';
  readonly code: 'not_found' | 'invalid_argument' | 'too_large';
  readonly reason: string;
};

export type ReadPlainFileOptions = {
  readonly bytesMax: number;
  /** Whether it may be a link to a file. Not where what stands there is somebody else's. */
  readonly mayBeLink: boolean;
};

/**
 * Reads a whole file that people put somewhere for us. Only a plain file is read, and only one that is not too large: a pipe would be waited for without end, a device would
 * never end, and opening some of them does something. What is looked at first may be replaced before it is opened, so it is looked at again.
 */
export async function readPlainFile(path: string, { bytesMax, mayBeLink }: ReadPlainFileOptions): Promise<PlainFile> {
  try {
    const refused = refusalOf(mayBeLink ? await stat(path) : await lstat(path), bytesMax);
    if (refused !== undefined) return refused;
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | (mayBeLink ? 0 : constants.O_NOFOLLOW));
    return refusalOf(await handle.stat(), bytesMax) ?? (await readAtMost(handle, bytesMax));
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException; // The file system's.
    return { kind: 'refused', code: code === 'ENOENT' ? 'not_found' : 'invalid_argument', reason: `cannot be read: ${code}` };
  }
}

type Look = Awaited<ReturnType<typeof stat>>;

function refusalOf(found: Look, bytesMax: number): RefusedFile | undefined {
  if (!found.isFile()) return { kind: 'refused', code: 'invalid_argument', reason: `is ${kindOf(found)}, not a plain file` };
  return found.size > bytesMax ? tooLarge(bytesMax) : undefined;
}

function kindOf(found: Look): string {
  if (found.isDirectory()) return 'a directory';
  if (found.isSymbolicLink()) return 'a link';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

/** It may grow while it is read, and files of the kernel have no size. */
async function readAtMost(handle: FileHandle, bytesMax: number): Promise<PlainFile> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read({ buffer: Buffer.allocUnsafe(CHUNK_BYTES) });
    if (bytesRead === 0) return { kind: 'read', bytes: Buffer.concat(chunks, bytes) };
    bytes += bytesRead;
    if (bytes > bytesMax) return tooLarge(bytesMax);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

const CHUNK_BYTES = 65_536;

function tooLarge(bytesMax: number): RefusedFile {
  return { kind: 'refused', code: 'too_large', reason: `is larger than ${bytesMax} bytes` };
}
