/** Reads the frames of a file in order, a piece at a time, whatever its size. */
import { type FileHandle, open } from 'node:fs/promises';
import { readFrame } from './frame.ts';

const PIECE_BYTES = 1_048_576;

export type ScannedFrame = { readonly offset: number; readonly end: number; readonly payload: Buffer; readonly isIntact: boolean };

export type Scanned = {
  readonly frames: readonly ScannedFrame[];
  /** On the last piece: where whole frames end, and the bytes after that. */
  readonly rest?: { readonly offset: number; readonly bytes: number };
};

export async function* scanFrames(path: string, from: number, signal?: AbortSignal): AsyncGenerator<Scanned, void> {
  const file = await open(path, 'r');
  try {
    yield* scanOpenFile(file, from, signal);
  } finally {
    await file.close();
  }
}

async function* scanOpenFile(file: FileHandle, from: number, signal: AbortSignal | undefined): AsyncGenerator<Scanned, void> {
  const { size } = await file.stat();
  let offset = from;
  let carried: Buffer = Buffer.alloc(0);
  for (;;) {
    signal?.throwIfAborted();
    const piece = Buffer.allocUnsafe(Math.max(0, Math.min(PIECE_BYTES, size - offset - carried.length)));
    const { bytesRead } = await file.read(piece, 0, piece.length, offset + carried.length);
    const bytes = carried.length === 0 ? piece.subarray(0, bytesRead) : Buffer.concat([carried, piece.subarray(0, bytesRead)]);
    const frames: ScannedFrame[] = [];
    let at = 0;
    let isDamaged = false;
    for (;;) {
      const read = readFrame(bytes, at);
      isDamaged = read.kind === 'damaged';
      if (read.kind !== 'frame') break;
      frames.push({ offset: offset + at, end: offset + read.end, payload: read.payload, isIntact: read.isIntact });
      at = read.end;
    }
    offset += at;
    carried = bytes.subarray(at);
    if (bytesRead === 0 || isDamaged || offset + carried.length >= size) {
      yield { frames, rest: { offset, bytes: Math.max(0, size - offset) } };
      return;
    }
    yield { frames };
  }
}
