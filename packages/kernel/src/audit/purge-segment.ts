/** Takes the entries out of a file and leaves their hashes, signed. The hashes are those of the tree, so every proof and every head holds as before. */
import { hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { AuditKey } from './audit-key.ts';
import { toFrame } from './frame.ts';
import { PURGED_HASHES_MAX } from './limits.ts';
import { HASH_BYTES, leafHash } from './merkle.ts';
import { chainAfter, decodeRecord, encodeRecord } from './records.ts';
import { scanFrames } from './scan-frames.ts';
import { readFileRecord, type Segment, segmentName } from './segment.ts';
import { signPurge } from './tree-head.ts';
import { syncDirectory, writeWhole } from './write-new-file.ts';

export type PurgeParts = { readonly directory: string; readonly key: AuditKey; readonly now: number };

/** `next` is the file after it. Returns what the file is now. Faults: `store_failed` (the file is not as it was written: it stays). */
export async function purgeSegment({ directory, key, now }: PurgeParts, segment: Segment, next: Segment): Promise<Segment> {
  const path = join(directory, segment.name);
  const { leaves, chain, at } = await readWhole(path, segment);
  const following = await readFileRecord(directory, next);
  if (following === undefined || !following.record.chain.equals(chain) || segment.seq + leaves.length !== next.seq) throw damaged(segment);
  const purged = { ...segmentName(segment.day, segment.part, true), seq: segment.seq };
  const first = await readFileRecord(directory, segment);
  if (first === undefined) throw damaged(segment);
  const hashes = Buffer.concat(leaves);
  await writeWhole(join(directory, purged.name), async (file) => {
    await file.writeFile(toFrame(encodeRecord(first.record)));
    for (let start = 0; start < leaves.length; start += PURGED_HASHES_MAX) {
      const some = hashes.subarray(start * HASH_BYTES, (start + PURGED_HASHES_MAX) * HASH_BYTES);
      await file.writeFile(toFrame(encodeRecord({ kind: 'hashes', seq: segment.seq + start, hashes: some })));
    }
    const digest = hash('sha256', hashes, 'buffer');
    const record = signPurge(key, { seq: segment.seq, count: leaves.length, chain, digest, at, purgedAt: now });
    await file.writeFile(toFrame(encodeRecord(record)));
  });
  await rm(path);
  await syncDirectory(directory);
  return purged;
}

async function readWhole(
  path: string,
  segment: Segment,
): Promise<{ readonly leaves: readonly Buffer[]; readonly chain: Buffer; readonly at: number }> {
  const leaves: Buffer[] = [];
  let chain: Buffer | undefined;
  let at = 0;
  for await (const { frames, rest } of scanFrames(path, 0)) {
    for (const { payload, isIntact } of frames) {
      const record = isIntact ? decodeRecord(payload) : undefined;
      if (record?.kind === 'file' && chain === undefined) chain = chainAfter(record.chain, payload);
      else if (record?.kind === 'head' && chain !== undefined) chain = chainAfter(chain, payload);
      else if (
        record?.kind === 'entry' &&
        chain !== undefined &&
        record.chain.equals(chain) &&
        record.seq === segment.seq + leaves.length
      ) {
        chain = leafHash(payload);
        leaves.push(chain);
        at = record.at;
      } else throw damaged(segment);
    }
    if ((rest?.bytes ?? 0) > 0) throw damaged(segment);
  }
  if (chain === undefined) throw damaged(segment);
  return { leaves, chain, at };
}

function damaged({ name }: Segment): Fault {
  return new Fault('store_failed', `Cannot purge ${name} of the audit: it is not as it was written; see: warren audit verify`);
}
