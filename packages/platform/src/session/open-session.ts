/** One session: its entries in memory, its file open for what comes. Appends are made one after the other, each one write and one flush. */
import type { FileHandle } from 'node:fs/promises';
import { Fault } from '@warren/protocol';
import { diskFault } from '../internal/disk-fault.ts';
import { EntryTree } from './entry-tree.ts';
import type { Damage, EntryBody, Session, SessionEntry } from './sessions.ts';
import { type Transcript, type TranscriptHeader, writeEntry } from './transcript.ts';

/** All of it is in memory while it is open, and read when it is looked through. */
export const SESSION_BYTES_MAX = 268_435_456;
const AT_ONCE_MAX = 1_000;

export type SessionParts = {
  readonly file: FileHandle;
  readonly transcript: Transcript;
  readonly newId: () => string;
  readonly now: () => number;
  /** Throws when so many bytes more may not be stored. */
  readonly requireRoom?: ((bytes: number) => Promise<void>) | undefined;
  /** Of its file. Default: 256 MiB. */
  readonly bytesMax?: number | undefined;
};

/** Owns the file. */
export class FileSession implements Session, AsyncDisposable {
  readonly id: string;
  readonly damage: readonly Damage[];
  readonly header: TranscriptHeader;
  readonly #file: FileHandle;
  readonly #newId: () => string;
  readonly #now: () => number;
  readonly #requireRoom: SessionParts['requireRoom'];
  readonly #bytesMax: number;
  readonly #tree: EntryTree;
  #bytes: number;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor({ file, transcript, newId, now, requireRoom, bytesMax = SESSION_BYTES_MAX }: SessionParts) {
    this.id = transcript.header.id;
    this.damage = transcript.damage;
    this.header = transcript.header;
    this.#file = file;
    this.#newId = newId;
    this.#now = now;
    this.#requireRoom = requireRoom;
    this.#bytesMax = bytesMax;
    this.#bytes = transcript.bytes;
    this.#tree = new EntryTree(this.id);
    for (const entry of transcript.entries) this.#tree.take(entry);
  }

  get tip(): string | undefined {
    return this.#tree.tip;
  }

  append(bodies: readonly EntryBody[]): Promise<readonly SessionEntry[]> {
    return this.#inTurn(async () => {
      if (bodies.length > AT_ONCE_MAX)
        throw new Fault('too_large', `Cannot append ${bodies.length} entries at once: the limit is ${AT_ONCE_MAX}`);
      let parent = this.#tree.tip;
      const entries = bodies.map((body) => {
        const entry: SessionEntry = { ...body, id: this.#newId(), parent, at: this.#now() };
        this.#checkReferences(entry);
        parent = entry.id;
        return entry;
      });
      await this.#write(entries);
      return entries;
    });
  }

  /** Whether there is such an entry, on this way or another. */
  has(entry: string): boolean {
    return this.#tree.has(entry);
  }

  /** All that its file has, where it branched too. */
  written(): readonly SessionEntry[] {
    return this.#tree.written();
  }

  path(to = this.#tree.tip): readonly SessionEntry[] {
    return this.#tree.path(to);
  }

  context(): readonly SessionEntry[] {
    return this.#tree.context();
  }

  entries(): readonly SessionEntry[] {
    return this.#tree.entries();
  }

  branch(entry: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#tree.has(entry)) throw missing(this.id, entry);
      await this.#write([{ type: 'tip', entry, id: this.#newId(), parent: undefined, at: this.#now() }]);
    });
  }

  /** After what is being appended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#last;
    await this.#file.close();
  }

  async #write(entries: readonly SessionEntry[]): Promise<void> {
    const bytes = Buffer.concat(entries.map(writeEntry));
    if (this.#bytes + bytes.byteLength > this.#bytesMax)
      throw new Fault('too_large', `Cannot append to session ${this.id}: it would have more than ${this.#bytesMax} bytes; begin a new one`);
    await this.#requireRoom?.(bytes.byteLength);
    try {
      for (let written = 0; written < bytes.byteLength; ) {
        const { bytesWritten } = await this.#file.write(bytes, written, bytes.byteLength - written, this.#bytes + written);
        if (bytesWritten === 0) throw new Error('nothing more can be written');
        written += bytesWritten;
      }
      await this.#file.datasync();
    } catch (cause) {
      await this.#file.truncate(this.#bytes).catch(() => {}); // Whoever opens it next cuts it off where the last line ends.
      const fault = diskFault(cause, `append to session ${this.id}`);
      throw fault instanceof Fault
        ? fault
        : new Fault('store_failed', `Cannot append to session ${this.id}: it cannot be written`, { cause });
    }
    this.#bytes += bytes.byteLength;
    for (const entry of entries) this.#tree.take(entry);
  }

  #checkReferences(entry: SessionEntry): void {
    if (entry.type === 'tip')
      throw new Fault('invalid_argument', 'Cannot append to the session: type: only a branch writes a tip', { details: { field: 'type' } });
    if (entry.type === 'summary' && entry.first !== undefined && !this.path().some(({ id }) => id === entry.first))
      throw missing(this.id, entry.first);
  }

  /** One after the other: each begins at the tip that the one before it left. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed)
      throw new Fault('unavailable', `Cannot append to session ${this.id}: it is closed`, { details: { is_sent: false } });
    const done = this.#last.then(work);
    this.#last = done.catch(() => {}); // Its own caller is told.
    return done;
  }
}

function missing(session: string, entry: string): Fault {
  return new Fault('not_found', `Cannot find entry ${JSON.stringify(entry.slice(0, 80))} of session ${session}: there is none`, {
    details: { entry: entry.slice(0, 80) },
  });
}
