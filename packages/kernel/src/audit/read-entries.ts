/** Reads some entries by their numbers. What is found has to be the entry that was asked for: places are not believed. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { RecordedEntry } from './audit.ts';
import { decodeEntry } from './entry-body.ts';
import { FRAME_HEAD_BYTES, readFrame } from './frame.ts';
import { FRAME_BYTES_MAX } from './limits.ts';
import { leafHash } from './merkle.ts';
import { decodeRecord } from './records.ts';
import { type Segment, segmentOf } from './segment.ts';

/** Most entries are shorter, and neighbours come with them. */
const PIECE_BYTES = 16_384;

export type ReadEntriesParts = {
  readonly directory: string;
  readonly segments: readonly Segment[];
  readonly placeOf: (seq: number) => number;
};

/** In the order asked for. Undefined: it was purged. Faults: `store_failed` (not there, or damaged). */
export async function* readEntries(
  parts: ReadEntriesParts,
  seqs: readonly number[],
): AsyncGenerator<{ readonly seq: number; readonly entry: RecordedEntry | undefined; readonly bytes: number }, void> {
  let opened: { readonly segment: Segment; readonly file: FileHandle } | undefined;
  let piece: Piece = { from: 0, bytes: Buffer.alloc(0) };
  try {
    for (const seq of seqs) {
      const segment = segmentOf(parts.segments, seq);
      if (segment === undefined || segment.isPurged) {
        yield { seq, entry: undefined, bytes: 0 };
        continue;
      }
      if (opened?.segment !== segment) {
        await opened?.file.close();
        opened = undefined;
        opened = { segment, file: await open(join(parts.directory, segment.name), 'r') };
        piece = { from: 0, bytes: Buffer.alloc(0) };
      }
      const { payload, ...read } = await readPayload(opened.file, piece, parts.placeOf(seq), seq);
      piece = read.piece;
      const record = decodeRecord(payload);
      if (record?.kind !== 'entry' || record.seq !== seq) throw damaged(seq);
      const entry = { seq, at: record.at, hash: leafHash(payload).toString('hex'), ...decodeEntry(record.body) };
      yield { seq, entry, bytes: payload.length };
    }
  } finally {
    await opened?.file.close();
  }
}

type Piece = { readonly from: number; readonly bytes: Buffer };

async function readPayload(
  file: FileHandle,
  known: Piece,
  place: number,
  seq: number,
): Promise<{ readonly payload: Buffer; readonly piece: Piece }> {
  let piece = known;
  for (let wanted = PIECE_BYTES; ; ) {
    const offset = place - piece.from;
    const read = offset < 0 ? ({ kind: 'short', needed: 0 } as const) : readFrame(piece.bytes, Math.min(offset, piece.bytes.length));
    if (read.kind === 'frame' && read.isIntact) return { payload: read.payload, piece };
    if (read.kind !== 'short' || wanted > FRAME_BYTES_MAX + FRAME_HEAD_BYTES) throw damaged(seq);
    const bytes = Buffer.allocUnsafe(Math.max(wanted, read.needed));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, place);
    piece = { from: place, bytes: bytes.subarray(0, bytesRead) };
    wanted = wanted >= FRAME_BYTES_MAX ? wanted + FRAME_BYTES_MAX : Math.max(wanted * 8, read.needed);
  }
}

function damaged(seq: number): Fault {
  return new Fault('store_failed', `Cannot read entry ${seq} of the audit: it is missing or damaged; see: warren audit verify`, {
    details: { seq },
  });
}
