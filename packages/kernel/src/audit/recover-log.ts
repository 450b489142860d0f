/**
 * Finds the end of the log. What stands behind the last signed head was never acknowledged and is cut off; it is one group at most. A log that has less
 * than its newest head says is not continued: somebody has to look at it first.
 */
import { open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { AuditKey } from './audit-key.ts';
import { catchUp } from './catch-up.ts';
import { headFileName, type PlacedHead, readHeadFile } from './head-file.ts';
import { ENTRY_BYTES_MAX, GROUP_BYTES_MAX } from './limits.ts';
import { type Frontier, leafHash } from './merkle.ts';
import { chainAfter, decodeRecord, type HeadRecord } from './records.ts';
import { scanFrames } from './scan-frames.ts';
import { listSegments, readFileRecord, type Segment } from './segment.ts';
import type { SideFiles } from './side-files.ts';
import { isSignedHead, toTreeHead } from './tree-head.ts';
import { syncDirectory } from './write-new-file.ts';

/** Where the log ends. */
export type LogEnd = {
  readonly segments: readonly Segment[];
  /** Of the last file; 0 when there is none. */
  readonly bytes: number;
  readonly frontier: Frontier;
  readonly placed: PlacedHead;
  /** Of the last entry, or later. */
  readonly at: number;
};

/** What a torn group can be at most: its entries, their frames, the head of the file and the tree's. */
const CUT_BYTES_MAX = GROUP_BYTES_MAX + ENTRY_BYTES_MAX + 131_072;

export async function recoverLog(directory: string, key: AuditKey, sides: SideFiles): Promise<LogEnd> {
  const newest = await newestHead(directory, key);
  await finishPurges(directory);
  const { segments, torn } = await readSegments(directory);
  const frontier = await catchUp({ directory, segments, sides }, newest.head.size, Buffer.from(newest.head.root, 'hex'));
  const end = await walk(directory, segments, key, newest, frontier);
  await cut(directory, [...segments.slice(end.segments.length).map(({ name }) => name), ...torn], end);
  return end;
}

async function newestHead(directory: string, key: AuditKey): Promise<PlacedHead> {
  const slots = await readHeadFile(join(directory, headFileName()));
  const signed = (slots ?? []).filter((slot) => slot !== undefined).filter(({ head }) => isSignedHead(head, key.publicKey, key.id));
  const newest = signed.toSorted((one, other) => other.head.size - one.head.size || other.head.at - one.head.at)[0];
  if (newest === undefined) throw damaged('its newest head is missing, damaged or signed with another key');
  return newest;
}

/** A purge that a crash interrupted had written all it keeps. */
async function finishPurges(directory: string): Promise<void> {
  const names = (await listSegments(directory)).map(({ name }) => name);
  for (const name of names) {
    if (name.endsWith('.log') && names.includes(name.replace(/log$/, 'purged'))) await rm(join(directory, name));
  }
}

/** The last file may have no whole beginning: its first group was torn. */
async function readSegments(directory: string): Promise<{ readonly segments: readonly Segment[]; readonly torn: readonly string[] }> {
  const names = await listSegments(directory);
  const segments: Segment[] = [];
  for (const name of names) {
    const first = await readFileRecord(directory, name);
    if (first !== undefined) segments.push({ ...name, seq: first.record.seq });
    else if (name === names.at(-1) && !name.isPurged) return { segments, torn: [name.name] };
    else throw damaged(`the file ${name.name} does not begin as one of the log`);
  }
  return { segments, torn: [] };
}

/** Follows the log from its newest known head to the last that is signed. */
async function walk(directory: string, segments: readonly Segment[], key: AuditKey, newest: PlacedHead, start: Frontier): Promise<LogEnd> {
  const index = segments.findIndex(({ name }) => name === newest.file);
  if (index < 0 && newest.file !== '') throw damaged(`the file ${newest.file} is missing, which its newest head stands in`);
  const frontier = start.copy();
  let end: LogEnd = { segments: segments.slice(0, index + 1), bytes: 0, frontier: start, placed: newest, at: newest.head.at };
  let chain: Buffer = Buffer.from(newest.chain, 'hex');
  let isBegun = newest.file === '';
  for (const [position, segment] of [...segments.entries()].slice(Math.max(0, index))) {
    let isWhole = true;
    for await (const { frames, rest } of scanFrames(join(directory, segment.name), isBegun ? 0 : newest.offset)) {
      for (const { payload, isIntact, offset, end: bytes } of frames) {
        const record = isIntact ? decodeRecord(payload) : undefined;
        if (!isBegun) {
          if (record?.kind !== 'head' || !isSame(record, newest)) throw damaged('its newest head does not stand where it stood');
          isBegun = true;
          end = { ...end, bytes };
          continue;
        }
        if (record?.kind === 'entry' && record.seq === frontier.size && record.chain.equals(chain)) {
          const leaf = leafHash(payload);
          frontier.append(leaf);
          chain = leaf;
        } else if (record?.kind === 'file' && record.seq === frontier.size && record.chain.equals(chain)) {
          chain = chainAfter(chain, payload);
        } else if (record?.kind === 'head' && isHeadOf(record, frontier, key)) {
          chain = chainAfter(chain, payload);
          const placed = { head: toTreeHead(record), file: segment.name, offset, chain: chain.toString('hex') };
          end = { segments: segments.slice(0, position + 1), bytes, frontier: frontier.copy(), placed, at: record.at };
        } else {
          isWhole = false;
          break;
        }
      }
      if (!isWhole || (rest?.bytes ?? 0) > 0) {
        isWhole = false;
        break;
      }
    }
    if (!isWhole) break;
  }
  if (!isBegun) throw damaged('its newest head does not stand where it stood');
  return end;
}

async function cut(directory: string, files: readonly string[], { segments, bytes }: LogEnd): Promise<void> {
  const last = segments.at(-1);
  const lengths = await Promise.all(
    [...files, ...(last === undefined ? [] : [last.name])].map(async (name) => await readLength(join(directory, name))),
  );
  const surplus = lengths.reduce((sum, length) => sum + length, 0) - bytes;
  if (surplus === 0 && files.length === 0) return;
  if (surplus > CUT_BYTES_MAX) throw damaged(`${surplus} bytes follow its last whole group, more than a crash can leave`);
  for (const name of files) await rm(join(directory, name));
  if (last !== undefined) {
    await truncate(join(directory, last.name), bytes);
    const file = await open(join(directory, last.name), 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  }
  await syncDirectory(directory);
}

async function readLength(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function isSame(record: HeadRecord, { head }: PlacedHead): boolean {
  return JSON.stringify(toTreeHead(record)) === JSON.stringify(head);
}

function isHeadOf(record: HeadRecord, frontier: Frontier, key: AuditKey): boolean {
  return record.size === frontier.size && record.root.equals(frontier.root()) && isSignedHead(toTreeHead(record), key.publicKey, key.id);
}

function damaged(why: string): Fault {
  return new Fault('store_failed', `Cannot open the audit: ${why}`, { details: { audit: 'damaged' } });
}
