/** Files of the log. Their names sort in the order in which they were written: the day (UTC), and a number for days that have more than one. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FRAME_HEAD_BYTES, readFrame } from './frame.ts';
import { decodeRecord, type FileRecord } from './records.ts';

const NAME = /^(\d{4,6}-\d\d-\d\d)\.(\d{4})\.(log|purged)$/;
/** The first frame is shorter. */
const FIRST_BYTES = 256;
export const PARTS_MAX = 9_999;

export type SegmentName = { readonly name: string; readonly day: string; readonly part: number; readonly isPurged: boolean };

/** A file of the log; `seq` is its first entry. */
export type Segment = SegmentName & { readonly seq: number };

const DAY_MS = 86_400_000;

/** Whole days since 1970. */
export function dayNumber(at: number): number {
  return Math.floor(at / DAY_MS);
}

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

export function segmentName(day: string, part: number, isPurged = false): SegmentName {
  return { name: `${day}.${String(part).padStart(4, '0')}.${isPurged ? 'purged' : 'log'}`, day, part, isPurged };
}

/** Those in the directory, in order. */
export async function listSegments(directory: string): Promise<readonly SegmentName[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).toSorted();
  return names.map((name) => {
    const [, day = '', part, kind] = NAME.exec(name) ?? [];
    return { name, day, part: Number(part), isPurged: kind === 'purged' };
  });
}

/** Undefined: the file does not begin as one of the log does, as when its first group was torn. */
export async function readFileRecord(
  directory: string,
  { name, day, part }: SegmentName,
): Promise<{ readonly record: FileRecord; readonly end: number } | undefined> {
  const file = await open(join(directory, name), 'r');
  try {
    const bytes = Buffer.alloc(FRAME_HEAD_BYTES + FIRST_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const read = readFrame(bytes.subarray(0, bytesRead), 0);
    if (read.kind !== 'frame' || !read.isIntact) return undefined;
    const record = decodeRecord(read.payload);
    return record?.kind === 'file' && record.day === day && record.part === part ? { record, end: read.end } : undefined;
  } finally {
    await file.close();
  }
}

/** The file an entry stands in. */
export function segmentOf(segments: readonly Segment[], seq: number): Segment | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.seq ?? Number.POSITIVE_INFINITY) <= seq) low = middle + 1;
    else high = middle;
  }
  return segments[low - 1];
}
