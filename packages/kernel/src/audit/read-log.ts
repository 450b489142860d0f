/** Reads entries in order, over all files, from anywhere. Of purged ones only the hash is left. */
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { HASH_BYTES, leafHash } from './merkle.ts';
import { decodeRecord } from './records.ts';
import { scanFrames } from './scan-frames.ts';
import { type Segment, segmentOf } from './segment.ts';

export type LoggedEntry = {
  readonly seq: number;
  readonly leaf: Buffer;
  /** Where its frame begins; 0 when it was purged. */
  readonly place: number;
  readonly at: number;
  readonly body: Buffer | undefined;
};

export type ReadLogOptions = {
  readonly from: number;
  /** The first that is not read. */
  readonly to: number;
  /** Where an entry stands, for a quick start; it is not believed. */
  readonly placeOf?: (seq: number) => number;
  readonly signal?: AbortSignal | undefined;
};

/** Faults: `store_failed` (an entry is missing or damaged). */
export async function* readLog(
  directory: string,
  segments: readonly Segment[],
  options: ReadLogOptions,
): AsyncGenerator<readonly LoggedEntry[], void> {
  let seq = options.from;
  const first = segmentOf(segments, seq);
  for (const segment of first === undefined ? [] : segments.slice(segments.indexOf(first))) {
    if (seq >= options.to) return;
    const isWithin = segment.seq < seq && options.placeOf !== undefined && !segment.isPurged;
    const start = isWithin ? await checkedPlace(join(directory, segment.name), options.placeOf?.(seq - 1) ?? 0, seq - 1) : 0;
    for await (const { frames } of scanFrames(join(directory, segment.name), start, options.signal)) {
      const batch: LoggedEntry[] = [];
      for (const frame of frames) {
        const record = frame.isIntact ? decodeRecord(frame.payload) : undefined;
        if (record?.kind === 'entry' && record.seq === seq && seq < options.to) {
          batch.push({ seq, leaf: leafHash(frame.payload), place: frame.offset, at: record.at, body: record.body });
          seq += 1;
        } else if (record?.kind === 'hashes') {
          for (let index = 0; index * HASH_BYTES < record.hashes.length; index += 1) {
            if (record.seq + index !== seq || seq >= options.to) continue;
            batch.push({
              seq,
              leaf: record.hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
              place: 0,
              at: 0,
              body: undefined,
            });
            seq += 1;
          }
        }
      }
      if (batch.length > 0) yield batch;
      if (seq >= options.to) return;
    }
  }
  if (seq < options.to)
    throw new Fault('store_failed', `Cannot read the audit: entry ${seq} is missing or damaged; see: warren audit verify`);
}

/** The place if that entry begins there, else the beginning of the file. */
async function checkedPlace(path: string, place: number, seq: number): Promise<number> {
  for await (const { frames } of scanFrames(path, place)) {
    const record = frames[0]?.isIntact ? decodeRecord(frames[0].payload) : undefined;
    return record?.kind === 'entry' && record.seq === seq ? place : 0;
  }
  return 0;
}
