/**
 * Verifies a log with nothing but its files and the public key.
 *
 * Each record is bound to the one before by the chain, each entry is a leaf of the tree, and the last head signs the root of all of them. So one signature is
 * enough for the whole: what stands before an entry, earlier heads and beginnings of files included, is in the hash of that entry. Only what no entry follows, the last
 * head, and what stands in the place of entries, a purge, have to be checked by themselves.
 */
import { hash, type KeyObject } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { AuditProblem, AuditReport, TreeHead } from './audit.ts';
import { readPublicKey } from './audit-key.ts';
import { headFileName, type PlacedHead, readHeadFile } from './head-file.ts';
import { Frontier, HASH_BYTES, leafHash } from './merkle.ts';
import { type AuditRecord, chainAfter, decodeRecord, type HeadRecord } from './records.ts';
import { type ScannedFrame, scanFrames } from './scan-frames.ts';
import { dayNumber, listSegments, type SegmentName } from './segment.ts';
import { isSignedHead, isSignedPurge, toTreeHead } from './tree-head.ts';
import { isHead } from './verify-proof.ts';

export type VerifyAuditOptions = {
  readonly directory: string;
  /** As it was kept elsewhere: one that lies beside the files is as good as the files. */
  readonly publicKey: string;
  /** Heads that were kept elsewhere. */
  readonly anchors?: readonly TreeHead[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((entries: number) => void) | undefined;
};

/** A report names this many; one is enough. */
const PROBLEMS_MAX = 100;
/** Entries after which the root is compared with a head: so that a problem is found near its place. */
const ROOT_EVERY = 1_000;

/** Faults: `invalid_argument` (the key), `not_found` (no such directory), `aborted` by the reason of the signal. */
export async function verifyAudit(options: VerifyAuditOptions): Promise<AuditReport> {
  const key = readPublicKey(options.publicKey);
  let segments: readonly SegmentName[];
  let slots: readonly (PlacedHead | undefined)[] | undefined;
  try {
    segments = await listSegments(options.directory);
    slots = await readHeadFile(join(options.directory, headFileName()));
  } catch (error) {
    throw new Fault('not_found', 'Cannot verify: the directory of the audit cannot be read', { cause: error });
  }
  const verifier = new Verifier(key.publicKey, key.id, slots, options.anchors ?? []);
  for (const segment of segments) {
    options.signal?.throwIfAborted();
    if (segment.isPurged && segments.some(({ name }) => name === segment.name.replace(/purged$/, 'log'))) {
      verifier.report('unreadable', segment.name, undefined, 'a purge was not finished: the next start finishes it');
      continue;
    }
    await verifyFile(verifier, segment, options);
  }
  return verifier.finish(segments.length);
}

async function verifyFile(verifier: Verifier, segment: SegmentName, { directory, signal, onProgress }: VerifyAuditOptions): Promise<void> {
  const path = join(directory, segment.name);
  verifier.beginFile(segment);
  try {
    if (!(await lstat(path)).isFile()) throw new Error('it is no plain file');
    for await (const { frames, rest } of scanFrames(path, 0, signal)) {
      for (const frame of frames) verifier.take(frame);
      if (rest !== undefined) verifier.endFile(rest);
      onProgress?.(verifier.entries);
      await new Promise(setImmediate);
    }
  } catch (error) {
    signal?.throwIfAborted();
    verifier.report('unreadable', segment.name, undefined, error instanceof Error ? error.message : 'it cannot be read');
    verifier.lose();
  }
}

class Verifier {
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #problems: AuditProblem[] = [];
  readonly #slots: readonly (PlacedHead | undefined)[] | undefined;
  readonly #found = new Set<PlacedHead>();
  readonly #anchors: TreeHead[];
  readonly #frontier = new Frontier();
  #segment: SegmentName = { name: '', day: '', part: 0, isPurged: false };
  #day = 0;
  #offset = 0;
  #chain: Buffer = Buffer.alloc(HASH_BYTES);
  #seq = 0;
  #at = 0;
  #purged = 0;
  /** Something is missing or changed, so roots say nothing any more. */
  #isBroken = false;
  /** What comes next cannot be foretold; it is taken as it comes. */
  #isLost = false;
  #last: 'file' | 'entry' | 'head' | 'hashes' | 'purge' | 'none' = 'none';
  #head: HeadRecord | undefined;
  #comparedAt = 0;
  #purgedHashes: Buffer[] = [];
  #purgedFrom = 0;

  constructor(publicKey: KeyObject, keyId: string, slots: readonly (PlacedHead | undefined)[] | undefined, anchors: readonly TreeHead[]) {
    this.#publicKey = publicKey;
    this.#keyId = keyId;
    this.#slots = slots;
    const isGood = (anchor: TreeHead): boolean => isHead(anchor) && isSignedHead(anchor, publicKey, keyId);
    for (const anchor of anchors)
      if (!isGood(anchor)) this.report('forged_head', 'anchor', undefined, 'an anchor is not signed with this key');
    this.#anchors = anchors.filter(isGood).toSorted((one, other) => one.size - other.size);
    this.#checkSlots();
    this.#compareAnchors();
  }

  get entries(): number {
    return this.#seq;
  }

  report(kind: AuditProblem['kind'], file: string, seq: number | undefined, detail: string, offset?: number): void {
    this.#isBroken = true;
    if (this.#problems.length >= PROBLEMS_MAX) return;
    const problem = { kind, file, seq, offset, detail };
    const text = JSON.stringify(problem); // Both slots of the head file say the same, most of the time.
    if (!this.#problems.some((known) => JSON.stringify(known) === text)) this.#problems.push(problem);
  }

  lose(): void {
    this.#isLost = true;
  }

  beginFile(segment: SegmentName): void {
    this.#segment = segment;
    this.#day = dayNumber(Date.parse(segment.day));
    this.#offset = 0;
    this.#last = 'none';
    this.#purgedHashes = [];
  }

  take({ payload, isIntact, offset }: ScannedFrame): void {
    this.#offset = offset;
    const record = isIntact ? decodeRecord(payload) : undefined;
    if (record === undefined) {
      this.#problem('modified', this.#seq, isIntact ? 'a record is not as this version writes it' : 'the check of a frame fails');
      this.#isLost = true;
      return;
    }
    if ((this.#last === 'none') !== (record.kind === 'file')) {
      this.#problem(
        'reordered',
        this.#seq,
        record.kind === 'file' ? 'a file begins in the middle of another' : 'the beginning of a file is missing',
      );
      if (this.#last === 'none') this.#isLost = true;
    }
    if ((record.kind === 'hashes' || record.kind === 'purge') !== this.#segment.isPurged && record.kind !== 'file') {
      this.#problem('modified', this.#seq, 'a record does not belong into a file of this kind');
    }
    this.#takeRecord(record, payload);
    this.#last = record.kind;
  }

  endFile({ offset, bytes }: { readonly offset: number; readonly bytes: number }): void {
    this.#offset = offset;
    if (bytes > 0) {
      this.#problem('truncated', this.#seq, `${bytes} bytes at the end are no whole record`);
      this.#isLost = true;
    }
    if (this.#last === 'purge' || this.#last === 'head') return;
    const kind = this.#last === 'entry' ? 'unsigned_tail' : 'truncated';
    this.#problem(kind, this.#seq, this.#segment.isPurged ? 'a purge is not signed' : 'no signed head follows what stands last');
    this.#isLost = true;
  }

  finish(files: number): AuditReport {
    const last = this.#head;
    if (last !== undefined && !isSignedHead(toTreeHead(last), this.#publicKey, this.#keyId)) {
      this.report('forged_head', this.#segment.name, last.size, 'the last head is not signed with this key');
    }
    if (last === undefined && this.#frontier.size > 0)
      this.report('truncated', this.#segment.name, this.#frontier.size, 'no signed head stands last');
    this.#compareSlots();
    for (const anchor of this.#anchors) {
      this.report(
        'rolled_back',
        this.#segment.name,
        anchor.size,
        `an anchor says that there were ${anchor.size} entries, there are ${this.#frontier.size}`,
      );
    }
    return {
      entries: this.#frontier.size,
      purged: this.#purged,
      files,
      head: last === undefined ? this.#slots?.find((slot) => slot !== undefined)?.head : toTreeHead(last),
      problems: this.#problems,
    };
  }

  #takeRecord(record: AuditRecord, payload: Buffer): void {
    switch (record.kind) {
      case 'file':
        if (record.day !== this.#segment.day || record.part !== this.#segment.part) {
          this.#problem('reordered', record.seq, `the file was written as the one of ${record.day}, part ${record.part}`);
        }
        this.#follow(record.seq, record.chain);
        this.#chain = chainAfter(record.chain, payload);
        return;
      case 'entry':
        this.#follow(record.seq, record.chain);
        if (record.at < this.#at || dayNumber(record.at) !== this.#day) this.#problem('modified', record.seq, 'its time does not fit');
        this.#at = record.at;
        this.#chain = leafHash(payload);
        this.#append(this.#chain);
        return;
      case 'head':
        this.#takeHead(record);
        this.#chain = chainAfter(this.#chain, payload);
        this.#checkPlace(record);
        return;
      case 'hashes':
        if (record.seq !== this.#seq)
          this.#problem(record.seq > this.#seq ? 'missing' : 'reordered', this.#seq, `hashes from ${record.seq} on follow`);
        this.#seq = record.seq;
        if (this.#purgedHashes.length === 0) this.#purgedFrom = record.seq;
        for (let at = 0; at < record.hashes.length; at += HASH_BYTES) this.#append(record.hashes.subarray(at, at + HASH_BYTES));
        this.#purgedHashes.push(record.hashes);
        this.#purged += record.hashes.length / HASH_BYTES;
        return;
      case 'purge': {
        const hashes = Buffer.concat(this.#purgedHashes);
        const isWhole =
          record.seq === this.#purgedFrom &&
          record.count * HASH_BYTES === hashes.length &&
          hash('sha256', hashes, 'buffer').equals(record.digest);
        if (!isWhole || this.#last !== 'hashes')
          this.#problem('modified', record.seq, 'hashes of purged entries are not those that were signed');
        if (!isSignedPurge(record, this.#publicKey, this.#keyId))
          this.#problem('forged_head', record.seq, 'a purge is not signed with this key');
        if (record.at < this.#at) this.#problem('reordered', record.seq, 'its time does not fit');
        this.#at = record.at;
        this.#chain = record.chain;
        this.#head = undefined;
        return;
      }
      default:
        record satisfies never;
    }
  }

  /** What is next has to follow what was last, in number and in hash. */
  #follow(seq: number, chain: Buffer): void {
    if (!this.#isLost) {
      if (seq > this.#seq) this.#problem('missing', this.#seq, `entries ${this.#seq} to ${seq - 1} are missing`);
      else if (seq < this.#seq) this.#problem('reordered', seq, `entry ${this.#seq} was to follow`);
      else if (!chain.equals(this.#chain))
        this.#problem('modified', Math.max(0, seq - 1), 'what stands before does not have the hash that the next record says');
    }
    this.#isLost = false;
    this.#seq = seq;
  }

  #append(leaf: Buffer): void {
    this.#frontier.append(leaf);
    this.#seq += 1;
    this.#compareAnchors();
  }

  #takeHead(head: HeadRecord): void {
    if (this.#last !== 'entry' && !this.#isLost) this.#problem('modified', head.size, 'a head follows no entry');
    if (this.#isLost) {
      this.#seq = head.size;
      this.#isLost = false;
    }
    const { size } = this.#frontier;
    const isDue = size - this.#comparedAt >= ROOT_EVERY;
    if (!this.#isBroken && (head.size !== size || head.keyId !== this.#keyId || (isDue && !head.root.equals(this.#frontier.root())))) {
      this.#problem('forged_head', head.size, `a head does not belong to the ${size} entries before it`);
    }
    if (isDue) this.#comparedAt = size;
    this.#head = head;
  }

  /** The head file says where its heads stand. */
  #checkPlace(head: HeadRecord): void {
    for (const slot of this.#slots ?? []) {
      if (slot === undefined || slot.file !== this.#segment.name || slot.offset !== this.#offset) continue;
      if (JSON.stringify(toTreeHead(head)) === JSON.stringify(slot.head) && slot.chain === this.#chain.toString('hex'))
        this.#found.add(slot);
    }
  }

  #checkSlots(): void {
    const name = headFileName();
    if (this.#slots === undefined) this.report('missing', name, undefined, 'the file with the newest head is missing');
    for (const slot of this.#slots ?? []) {
      if (slot === undefined) this.report('unreadable', name, undefined, 'a head is not as it was written');
      else if (!isSignedHead(slot.head, this.#publicKey, this.#keyId))
        this.report('forged_head', name, slot.head.size, 'a head is not signed with this key');
    }
  }

  #compareSlots(): void {
    const name = headFileName();
    if (this.#head !== undefined && !this.#isBroken && !this.#head.root.equals(this.#frontier.root())) {
      this.report('forged_head', this.#segment.name, this.#head.size, 'the last head is not that of the entries before it');
    }
    for (const slot of this.#slots ?? []) {
      if (slot === undefined || this.#found.has(slot)) continue;
      const { size } = slot.head;
      if (size > this.#frontier.size)
        this.report('truncated', name, this.#frontier.size, `there were ${size} entries, there are ${this.#frontier.size}`);
      else if (size > 0 || slot.file !== '')
        this.report('modified', name, size, `the head of ${size} entries does not stand where it stood`);
      else if (slot.offset !== 0 || !/^0{64}$/.test(slot.chain))
        this.report('modified', name, size, 'the head of the empty log is not as it was written');
    }
  }

  #compareAnchors(): void {
    while (this.#anchors[0]?.size === this.#frontier.size) {
      const anchor = this.#anchors.shift();
      if (anchor === undefined || this.#isBroken || anchor.root === this.#frontier.root().toString('hex')) continue;
      this.#problem('rolled_back', anchor.size, `the first ${anchor.size} entries are not those that an anchor was made of`);
    }
  }

  #problem(kind: AuditProblem['kind'], seq: number | undefined, detail: string): void {
    this.report(kind, this.#segment.name, seq, detail, this.#offset);
  }
}
