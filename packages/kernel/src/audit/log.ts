/**
 * The files that are appended to. One group at a time: all of it is written and flushed, the file is still the one that its name leads to, and then it counts.
 * When anything of that fails the file is cut back to where it was, and nothing of the group was ever there.
 */
import { statSync, writeSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { toFault } from './audit-faults.ts';
import type { AuditKey } from './audit-key.ts';
import { toFrame } from './frame.ts';
import type { PlacedHead } from './head-file.ts';
import { type Frontier, leafHash } from './merkle.ts';
import { chainAfter, encodeRecord } from './records.ts';
import type { LogEnd } from './recover-log.ts';
import { dayOf, PARTS_MAX, type Segment, segmentName } from './segment.ts';
import { signHead, toTreeHead } from './tree-head.ts';
import { syncDirectory } from './write-new-file.ts';

export type NewEntry = { readonly at: number; readonly body: Uint8Array };

/** A group that is on disk. */
export type WrittenGroup = {
  readonly seq: number;
  readonly leaves: readonly Buffer[];
  /** Nodes of the tree that it completed, in their order. */
  readonly nodes: Buffer;
  readonly places: readonly number[];
  readonly placed: PlacedHead;
};

type Current = { readonly segment: Segment; readonly file: FileHandle; readonly inode: number };

export class Log {
  readonly #directory: string;
  readonly #key: AuditKey;
  readonly #segmentBytesMax: number;
  #segments: readonly Segment[];
  #current: Current | undefined;
  #bytes: number;
  #frontier: Frontier;
  #placed: PlacedHead;
  /** A file whose first group is not yet on disk. */
  #begun: Current | undefined;
  /** The file may have bytes of a group that failed. */
  #isSpoiled = false;

  constructor(directory: string, key: AuditKey, end: LogEnd, segmentBytesMax: number) {
    this.#directory = directory;
    this.#key = key;
    this.#segmentBytesMax = segmentBytesMax;
    this.#segments = end.segments;
    this.#bytes = end.bytes;
    this.#frontier = end.frontier;
    this.#placed = end.placed;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get placed(): PlacedHead {
    return this.#placed;
  }

  /** Replaces a file by what is left of it. */
  replace(segment: Segment): void {
    this.#segments = this.#segments.map((each) => (each.day === segment.day && each.part === segment.part ? segment : each));
  }

  /** All of one day, oldest first, not before the last. Throws what the disk says, as a fault; nothing of the group is there then. */
  async write(group: readonly NewEntry[], now: number): Promise<WrittenGroup> {
    try {
      if (this.#isSpoiled) await this.#repair();
      return await this.#write(group, now);
    } catch (error) {
      await this.#repair().catch(() => {}); // It stays marked as spoiled, and the next group tries again.
      throw toFault(error);
    }
  }

  /** Looks whether what is written next could be found. Throws `store_failed`. */
  check(): void {
    const last = this.#segments.at(-1);
    const name = last === undefined || last.isPurged ? '' : last.name;
    const found = statSync(join(this.#directory, name), { throwIfNoEntry: false });
    const inode = this.#current?.segment.name === name ? this.#current.inode : found?.ino;
    if (found === undefined || found.ino !== inode)
      throw new Fault('store_failed', 'Cannot record in the audit: its file or directory was removed; nothing was done');
  }

  async close(): Promise<void> {
    await this.#begun?.file.close().catch(() => {}); // Nothing in it counts.
    await this.#current?.file.close();
    this.#current = undefined;
  }

  async #write(group: readonly NewEntry[], now: number): Promise<WrittenGroup> {
    const last = group.at(-1);
    if (last === undefined) throw new Error('A group without entries is not written');
    const day = dayOf(last.at);
    const length = group.reduce((sum, { body }) => sum + body.length + 128, 0);
    const open_ = this.#segments.at(-1);
    const isNew = open_ === undefined || open_.isPurged || open_.day !== day || this.#bytes + length > this.#segmentBytesMax;
    const segment = isNew ? this.#nextSegment(day) : open_;
    const start = isNew ? 0 : this.#bytes;
    this.#isSpoiled = true;
    const file = isNew ? await this.#create(segment) : await this.#open(segment);
    this.#check(file, start);
    const built = this.#build(group, segment, isNew, start, now);
    writeAll(file.file, built.bytes, start);
    await file.file.datasync();
    if (isNew) await syncDirectory(this.#directory);
    this.#check(file, start + built.bytes.length);
    if (isNew) {
      await this.#current?.file.close();
      this.#current = file;
      this.#begun = undefined;
      this.#segments = [...this.#segments, segment];
    }
    this.#bytes = start + built.bytes.length;
    this.#frontier = built.frontier;
    this.#placed = built.written.placed;
    this.#isSpoiled = false;
    return built.written;
  }

  #build(group: readonly NewEntry[], segment: Segment, isNew: boolean, start: number, now: number) {
    const frames: Buffer[] = [];
    const nodes: Buffer[] = [];
    const leaves: Buffer[] = [];
    const places: number[] = [];
    const frontier = this.#frontier.copy();
    const seq = frontier.size;
    let offset = start;
    let chain: Buffer = Buffer.from(this.#placed.chain, 'hex');
    const add = (payload: Uint8Array): void => {
      const frame = toFrame(payload);
      frames.push(frame);
      offset += frame.length;
    };
    if (isNew) {
      const payload = encodeRecord({ kind: 'file', day: segment.day, part: segment.part, seq, chain });
      add(payload);
      chain = chainAfter(chain, payload);
    }
    for (const { at, body } of group) {
      const payload = encodeRecord({ kind: 'entry', seq: frontier.size, at, chain, body: body as Buffer }); // Any bytes will do.
      places.push(offset);
      add(payload);
      chain = leafHash(payload);
      leaves.push(chain);
      frontier.append(chain, (node) => nodes.push(node));
    }
    const head = signHead(this.#key, frontier.size, frontier.root(), Math.max(now, group.at(-1)?.at ?? 0));
    const payload = encodeRecord(head);
    const headOffset = offset;
    add(payload);
    chain = chainAfter(chain, payload);
    const placed = { head: toTreeHead(head), file: segment.name, offset: headOffset, chain: chain.toString('hex') };
    return { bytes: Buffer.concat(frames), frontier, written: { seq, leaves, nodes: Buffer.concat(nodes), places, placed } };
  }

  #nextSegment(day: string): Segment {
    const last = this.#segments.at(-1);
    const part = last?.day === day ? last.part + 1 : 0;
    if (part > PARTS_MAX) throw new Fault('storage_full', `Cannot record in the audit: the day has ${PARTS_MAX} files`);
    return { ...segmentName(day, part), seq: this.#frontier.size };
  }

  async #create(segment: Segment): Promise<Current> {
    const path = join(this.#directory, segment.name);
    const file = await open(path, 'wx', 0o600);
    this.#begun = { segment, file, inode: 0 };
    this.#begun = { segment, file, inode: (await file.stat()).ino };
    return this.#begun;
  }

  async #open(segment: Segment): Promise<Current> {
    if (this.#current?.segment.name === segment.name) return this.#current;
    const file = await open(join(this.#directory, segment.name), 'r+');
    this.#current = { segment, file, inode: (await file.stat()).ino };
    return this.#current;
  }

  /** What was written counts only where somebody will look for it. The name is in the kernel's cache, so this waits for no disk. */
  #check({ segment, inode }: Current, bytes: number): void {
    const found = statSync(join(this.#directory, segment.name), { throwIfNoEntry: false });
    if (found === undefined || found.ino !== inode) {
      throw new Fault('store_failed', 'Cannot record in the audit: its file or directory was removed; nothing was recorded');
    }
    if (found.size !== bytes)
      throw new Fault('store_failed', 'Cannot record in the audit: something else changed its file; nothing was recorded');
  }

  /** Back to the last whole group: a file that was begun goes, the one before is cut. */
  async #repair(): Promise<void> {
    const last = this.#segments.at(-1);
    if (this.#begun !== undefined) {
      await this.#begun.file.close().catch(() => {}); // Closed before, by an attempt that failed at the next line.
      await rm(join(this.#directory, this.#begun.segment.name), { force: true });
      this.#begun = undefined;
    }
    if (last !== undefined && !last.isPurged) {
      const { file, inode } = await this.#open(last);
      const found = statSync(join(this.#directory, last.name), { throwIfNoEntry: false });
      if (found === undefined || found.ino !== inode || found.size < this.#bytes) {
        throw new Fault('store_failed', 'Cannot record in the audit: its file or directory was removed or cut; nothing was recorded');
      }
      await file.truncate(this.#bytes);
      await file.datasync();
    }
    this.#isSpoiled = false;
  }
}

/**
 * Into the kernel's cache, which is a copy and waits for no disk. Not in another thread: whoever writes here commits to the store in the same turn, and the flush that
 * follows has to be under way before that commit keeps this thread, so that one call waits for one flush and not for two.
 */
function writeAll({ fd }: FileHandle, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
