/**
 * Overwriting what is deleted is not all: when a page overflows, SQLite moves rows to another and leaves the bytes where they were, in a gap between rows that are there. Only writing the whole file anew leaves none. That keeps
 * everybody: for some seconds at most while others work, and as long as it takes before anybody does. A file beside the store says that it is still to be done.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { isFault } from '@warren/protocol';
import { type Database, storeFault } from './database.ts';

/** 512 MiB: some seconds. */
const REWRITTEN_BYTES_MAX = 536_870_912;

export class StoreWipe {
  readonly #database: Database;
  readonly #owed: string;
  readonly #bytesMax: number;

  constructor(database: Database, path: string, bytesMax = REWRITTEN_BYTES_MAX) {
    this.#database = database;
    this.#owed = `${path}-rewrite`;
    this.#bytesMax = bytesMax;
  }

  /** Now, or with the next start when the file is too large. On disk when it returns. */
  wipe(): void {
    if (this.#bytes() > this.#bytesMax) this.#owe();
    else this.#rewrite();
  }

  /** To be called before anybody works. Without room for a second copy it stays to be done. */
  settle(): void {
    if (!existsSync(this.#owed)) return;
    try {
      this.#rewrite();
    } catch (error) {
      if (!isFault(error, 'storage_full')) throw error;
    }
  }

  #rewrite(): void {
    try {
      this.#database.execute('VACUUM');
    } catch (error) {
      throw storeFault(error, 'wipe what was deleted');
    }
    if (existsSync(this.#owed) && this.#database.truncateLog()) rmSync(this.#owed);
  }

  #owe(): void {
    const directory = dirname(this.#owed);
    for (const [path, flags] of [
      [this.#owed, 'w'],
      [directory, 'r'],
    ] as const) {
      // biome-ignore format: one line
      const file = openSync(path, flags, 0o600);
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    }
  }

  #bytes(): number {
    const { bytes } = this.#database.query('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size').get() ?? {};
    return Number(bytes);
  }
}
