import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';
import { AppendQueue } from './append-queue.ts';
import type { Audit, AuditEntry, AuditQuery, ConsistencyProof, InclusionProof, Receipt, RecordedEntry, TreeHead } from './audit.ts';
import { toFault, toReadFault } from './audit-faults.ts';
import type { OpenAuditIndex } from './audit-index.ts';
import { type AuditKey, openAuditKey, stageAuditKey } from './audit-key.ts';
import { catchUp } from './catch-up.ts';
import { encodeEntry } from './entry-body.ts';
import { HeadFile, headFileName, readHeadFile } from './head-file.ts';
import { IndexKeeper, toIndexed } from './index-keeper.ts';
import { SEGMENT_BYTES_MAX } from './limits.ts';
import { Log, type NewEntry, type WrittenGroup } from './log.ts';
import { consistencyPath, EMPTY_ROOT, inclusionPath, isConsistent, nodePlace, rangeRoot, rootFromInclusion } from './merkle.ts';
import { purgeSegment } from './purge-segment.ts';
import { readEntries } from './read-entries.ts';
import { readLog } from './read-log.ts';
import { recoverLog } from './recover-log.ts';
import { searchEntries } from './search-entries.ts';
import { listSegments } from './segment.ts';
import { SideFiles } from './side-files.ts';
import { signHead, toTreeHead } from './tree-head.ts';
import { Wakers } from './wakers.ts';
import { writeNewFile } from './write-new-file.ts';

export type AuditOptions = {
  /** Of this audit alone; made when it is not there. Two at a time on one directory is for the caller to prevent. */
  readonly directory: string;
  /** The private key, mode 0600; made at the first start. It belongs outside of the directory, which people copy to verify it. */
  readonly keyFile: string;
  readonly clock: Clock;
  readonly openIndex: OpenAuditIndex;
  /** There was one: a directory without it is refused, and none is begun. Where its key lies this is known anyway. */
  readonly isExpected?: boolean | undefined;
  /** A file that would get longer is followed by another of the same day. Default 64 MiB, at most that. */
  readonly segmentBytesMax?: number | undefined;
};

const DAY_MS = 86_400_000;

/**
 * Opens the audit of a directory, or begins it where none was ever. What a crash left unacknowledged is cut off; a log that has less than its newest head says is refused.
 * Faults: `store_failed`, `storage_full`.
 */
export async function openAudit(options: AuditOptions): Promise<Audit> {
  const { directory, keyFile } = options;
  const opened: AsyncDisposable[] = [];
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    const headPath = join(directory, headFileName());
    const isNew = (await readHeadFile(headPath)) === undefined && (await listSegments(directory)).length === 0;
    if (isNew && (options.isExpected === true || existsSync(keyFile))) throw missing(directory);
    if (isNew) await begin(directory, await stageAuditKey(keyFile), options.clock.now());
    const key = await openAuditKey(keyFile);
    const sides = await SideFiles.open(join(directory, 'tree'), join(directory, 'places'));
    opened.push({ [Symbol.asyncDispose]: () => sides.close() });
    const end = await recoverLog(directory, key, sides);
    const headFile = await HeadFile.open(headPath);
    opened.push({ [Symbol.asyncDispose]: () => headFile.close() });
    await headFile.fill(end.placed);
    await catchUp({ directory, segments: end.segments, sides }, end.placed.head.size, Buffer.from(end.placed.head.root, 'hex'));
    const log = new Log(directory, key, end, Math.min(options.segmentBytesMax ?? SEGMENT_BYTES_MAX, SEGMENT_BYTES_MAX));
    return new FileAudit({ options, key, sides, headFile, log, at: end.at });
  } catch (error) {
    for (const one of opened) await one[Symbol.asyncDispose]();
    throw toFault(error);
  }
}

/** Whoever deletes a log must not get another that looks as if nothing had been before. */
function missing(directory: string): Fault {
  return new Fault('store_failed', `Cannot open the audit: there was one, and its files are not in ${directory}`, {
    details: { audit: 'missing', path: directory },
  });
}

/** The head of an empty log comes first, so that a log without one is never the work of a crash. */
async function begin(directory: string, key: AuditKey, now: number): Promise<void> {
  await writeNewFile(join(directory, 'public-key.pem'), key.pem);
  const head = toTreeHead(signHead(key, 0, EMPTY_ROOT, now));
  const beside = join(directory, `${headFileName()}.new`);
  await rm(beside, { force: true });
  const file = await HeadFile.open(beside);
  try {
    await file.fill({ head, file: '', offset: 0, chain: '0'.repeat(64) });
  } finally {
    await file.close();
  }
  await rename(beside, join(directory, headFileName()));
}

type Parts = {
  readonly options: AuditOptions;
  readonly key: AuditKey;
  readonly sides: SideFiles;
  readonly headFile: HeadFile;
  readonly log: Log;
  readonly at: number;
};

type Waiting = NewEntry & { readonly entry: AuditEntry };

class FileAudit implements Audit {
  readonly publicKey: string;
  readonly #parts: Parts;
  readonly #queue: AppendQueue<Waiting>;
  readonly #keeper: IndexKeeper;
  readonly #wakers = new Wakers();
  /** What is written beside the log and not waited for, in its order. */
  #behind: Promise<void> = Promise.resolve();
  #purging: Promise<unknown> = Promise.resolve();
  #at: number;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { options, key, log } = parts;
    this.#parts = parts;
    this.#at = parts.at;
    this.publicKey = key.pem;
    this.#queue = new AppendQueue((group) => this.#write(group));
    const index = options.openIndex(join(options.directory, 'index.db'));
    this.#keeper = new IndexKeeper({
      index,
      size: () => log.placed.head.size,
      read: (from, to) => readLog(options.directory, log.segments, { from, to, placeOf: (seq) => parts.sides.placeOf(seq) }),
    });
    index.use(key.id);
    if (index.size() > log.placed.head.size) index.clear();
  }

  async append(entry: AuditEntry): Promise<Receipt> {
    const body = encodeEntry(entry);
    this.#at = Math.max(this.#at, this.#parts.options.clock.now());
    return await this.#queue.add({ at: this.#at, body, entry });
  }

  check(): void {
    this.#parts.log.check();
  }

  head(): TreeHead {
    return this.#parts.log.placed.head;
  }

  async search(query: AuditQuery): Promise<{ readonly entries: readonly RecordedEntry[]; readonly next: number | undefined }> {
    const { entries, through, isComplete } = await this.#search(query);
    return { entries, next: isComplete ? undefined : through };
  }

  async get(seq: number): Promise<RecordedEntry> {
    if (!Number.isSafeInteger(seq) || seq < 0 || seq >= this.head().size)
      throw new Fault('not_found', `Cannot read entry ${seq} of the audit: it does not exist`);
    const found = await reading(async () => {
      await this.#settleSides();
      for await (const { entry } of readEntries(this.#readParts(), [seq])) return entry;
      return undefined;
    });
    if (found !== undefined) return found;
    throw new Fault('not_found', `Cannot read entry ${seq} of the audit: it was purged, its hash is kept`);
  }

  async *follow(query: AuditQuery, signal: AbortSignal): AsyncGenerator<RecordedEntry, void> {
    let cursor = query.cursor ?? -1;
    using waker = this.#wakers.add(signal);
    while (!signal.aborted && this.#closing === undefined) {
      waker.arm(); // Before looking: what comes after the look wakes us.
      const { entries, through } = await this.#search({ ...query, cursor, newest: false });
      for (const entry of entries) {
        if (signal.aborted) return;
        yield entry;
      }
      cursor = Math.max(cursor, through);
      if (entries.length === 0) await waker.wait();
    }
  }

  async proveInclusion(seq: number, size: number = this.head().size): Promise<InclusionProof> {
    const now = this.head();
    if (!isCount(seq) || !isCount(size) || size > now.size || seq >= size) {
      throw new Fault('not_found', `Cannot prove that entry ${seq} is in the tree of ${size}: the log has ${now.size}`);
    }
    return await this.#withTree((read) => {
      const leaf = read(nodePlace(seq, 1));
      const path = inclusionPath(seq, size, read);
      const head = this.#headOf(size, now, read);
      const root = rootFromInclusion(seq, size, leaf, path);
      if (head === undefined || root?.toString('hex') !== head.root) return undefined;
      return { seq, hash: leaf.toString('hex'), path: path.map((node) => node.toString('hex')), head };
    });
  }

  async proveConsistency(fromSize: number, toSize: number = this.head().size): Promise<ConsistencyProof> {
    const now = this.head();
    if (!isCount(fromSize) || !isCount(toSize) || fromSize > toSize || toSize > now.size) {
      throw new Fault('not_found', `Cannot prove that the tree of ${toSize} begins with that of ${fromSize}: the log has ${now.size}`);
    }
    return await this.#withTree((read) => {
      const path = consistencyPath(fromSize, toSize, read);
      const [from, to] = [this.#headOf(fromSize, now, read), this.#headOf(toSize, now, read)];
      if (from === undefined || to === undefined) return undefined;
      if (!isConsistent(fromSize, Buffer.from(from.root, 'hex'), toSize, Buffer.from(to.root, 'hex'), path)) return undefined;
      return { from, to, path: path.map((node) => node.toString('hex')) };
    });
  }

  async purge(before: number): Promise<number> {
    const work = this.#purging.then(() => this.#purge(before));
    this.#purging = work.catch(() => {}); // Its caller hears it.
    return await work;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #write(group: readonly Waiting[]): Promise<WrittenGroup> {
    const { log, options } = this.#parts;
    const written = await log.write(group, options.clock.now());
    this.#keeper.add(group.map(({ at, entry }, index) => toIndexed(written.seq + index, at, entry))); // At once, or it reads them from the log.
    await this.#behind;
    this.#later(() => this.#writeBeside(written)).catch(() => {}); // Made again from the log when it is needed.
    this.#wakers.wake();
    return written;
  }

  async #writeBeside({ seq, places, nodes, placed }: WrittenGroup): Promise<void> {
    const { headFile, sides } = this.#parts;
    headFile.write(placed);
    if (sides.add(seq, places, nodes)) await sides.write();
  }

  async #search(query: AuditQuery) {
    return await reading(async () => {
      await this.#keeper.catchUp();
      await this.#settleSides(); // Afterwards: the index may know entries by now whose places are not written.
      return await searchEntries(this.#keeper.index, { ...this.#readParts(), size: this.#parts.sides.size }, query);
    });
  }

  #readParts() {
    const { options, log, sides } = this.#parts;
    return { directory: options.directory, segments: log.segments, placeOf: (seq: number) => sides.placeOf(seq) };
  }

  /** Until the side files know all that is in the log. */
  async #settleSides(): Promise<void> {
    const { size } = this.head();
    await this.#later(() => this.#parts.sides.write()).catch(() => {}); // Made again from the log below.
    if (this.#parts.sides.size < size) await this.#rebuildSides();
  }

  async #rebuildSides(): Promise<void> {
    const { options, log, sides } = this.#parts;
    await this.#later(async () => {
      const { size, root } = log.placed.head;
      await catchUp({ directory: options.directory, segments: log.segments, sides }, size, Buffer.from(root, 'hex'));
    });
  }

  /** After what is being written beside the log. */
  #later(work: () => Promise<void>): Promise<void> {
    const done = this.#behind.then(work);
    this.#behind = done.catch(() => {}); // Whoever asked hears it.
    return done;
  }

  /** Undefined from `build`: nodes are wrong. They are made again, once. */
  async #withTree<T>(build: (read: (place: number) => Buffer) => T | undefined): Promise<T> {
    const { sides } = this.#parts;
    const found = await reading(async () => {
      await this.#settleSides();
      const first = build(sides.readNode);
      if (first !== undefined) return first;
      sides.cut(0);
      await this.#rebuildSides();
      return build(sides.readNode);
    });
    if (found !== undefined) return found;
    throw new Fault(
      'store_failed',
      'Cannot prove anything about the audit: its entries do not lead to its signed head; see: warren audit verify',
    );
  }

  /** Of an earlier size a head is signed now, after it is shown that today's tree begins with it. */
  #headOf(size: number, now: TreeHead, read: (place: number) => Buffer): TreeHead | undefined {
    if (size === now.size) return now;
    const root = rangeRoot(0, size, read);
    const nowRoot = Buffer.from(now.root, 'hex');
    if (!isConsistent(size, root, now.size, nowRoot, consistencyPath(size, now.size, read))) return undefined;
    return toTreeHead(signHead(this.#parts.key, size, root, this.#parts.options.clock.now()));
  }

  async #purge(before: number): Promise<number> {
    const { options, log, key } = this.#parts;
    await this.#settleSides();
    let count = 0;
    for (;;) {
      const { segments } = log;
      const index = segments.findIndex(({ isPurged }) => !isPurged);
      const [segment, next] = [segments[index], segments[index + 1]];
      if (segment === undefined || next === undefined || Date.parse(segment.day) + DAY_MS > before) break;
      // The older of the two newest heads may stand in the file that goes. The newest stands in the last, which stays.
      if (count === 0) await this.#later(() => this.#parts.headFile.fill(log.placed));
      log.replace(await purgeSegment({ directory: options.directory, key, now: options.clock.now() }, segment, next));
      count += next.seq - segment.seq;
      while (this.#keeper.index.forget(next.seq)) await new Promise(setImmediate);
    }
    return count;
  }

  async #close(): Promise<void> {
    const { log, sides, headFile } = this.#parts;
    await this.#queue.close();
    await this.#purging;
    this.#wakers.wake();
    await this.#later(() => sides.write()).catch(() => {}); // Made again from the log at the next start.
    const steps = await Promise.allSettled([
      this.#keeper.close(),
      headFile.fill(log.placed).finally(() => headFile.close()),
      sides.close(),
      log.close(),
    ]);
    const failed = steps.filter((step) => step.status === 'rejected').map(({ reason }) => reason as unknown);
    if (failed.length > 0) throw new AggregateError(failed, 'The audit is closed, but not all of it well');
  }
}

/** Whoever asks hears what the disk says as a fault. */
async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toReadFault(error);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
