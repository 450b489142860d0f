/** Reads, compares and copies the content of open files, a piece at a time. */
import { createHash } from 'node:crypto';
import { constants, copyFileSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import type { Pace } from './internal/pace.ts';

const CHUNK_BYTES = 262_144;
const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** SHA-256 in hex, read from the start. */
export async function hashContent(file: number, sizeHint: number, pace: Pace): Promise<string> {
  const hash = createHash('sha256');
  const buffer = bufferFor(sizeHint);
  for (let at = 0; ; ) {
    const length = readSync(file, buffer, 0, buffer.length, at);
    if (length === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, length));
    at += length;
    if (pace.isDue) await pace.rest();
  }
}

export async function isSameContent(left: number, right: number, sizeHint: number, pace: Pace): Promise<boolean> {
  const leftBuffer = bufferFor(sizeHint);
  const rightBuffer = bufferFor(sizeHint);
  for (let at = 0; ; ) {
    const leftLength = fill(left, leftBuffer, at);
    const rightLength = fill(right, rightBuffer, at);
    if (leftLength !== rightLength || !leftBuffer.subarray(0, leftLength).equals(rightBuffer.subarray(0, rightLength))) return false;
    if (leftLength < leftBuffer.length) return true;
    at += leftLength;
    if (pace.isDue) await pace.rest();
  }
}

/** Copies into an empty file and gives the SHA-256 of what was read. Runs of zeros are left as holes, so that a sparse file stays small. */
export async function copyContent(source: number, target: number, sizeHint: number, pace: Pace): Promise<string> {
  const hash = createHash('sha256');
  const buffer = bufferFor(sizeHint);
  for (let at = 0; ; ) {
    const length = readSync(source, buffer, 0, buffer.length, at);
    const piece = buffer.subarray(0, length);
    if (length === 0) {
      ftruncateSync(target, at);
      return hash.digest('hex');
    }
    hash.update(piece);
    if (length < 4_096 || !piece.equals(ZEROS.subarray(0, length))) writeFully(target, piece, at);
    at += length;
    if (pace.isDue) await pace.rest();
  }
}

/** At most `bytesMax` bytes from the start. */
export function readHead(file: number, bytesMax: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytesMax);
  return buffer.subarray(0, fill(file, buffer, 0));
}

/**
 * Lets a new file share the blocks of an open one, where the file system can (btrfs, xfs). `false`: it cannot, and there is no new file.
 * Refuses an existing `target`, also a link.
 */
export function reflink(source: number, target: Buffer | string): boolean {
  try {
    copyFileSync(`/proc/self/fd/${source}`, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false; // Whatever it was, the plain copy that follows meets it too and reports it.
  }
}

/** Small files get small buffers; one byte more than the size sees the end in the first read. */
function bufferFor(sizeHint: number): Buffer {
  return Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeHint + 1));
}

/** Reads until the buffer is full or the file ends. */
function fill(file: number, buffer: Buffer, at: number): number {
  let length = 0;
  while (length < buffer.length) {
    const more = readSync(file, buffer, length, buffer.length - length, at + length);
    if (more === 0) break;
    length += more;
  }
  return length;
}

function writeFully(file: number, piece: Buffer, at: number): void {
  for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done, piece.length - done, at + done);
}
