/**
 * Who waits for a flush. While one runs the next group gathers, so many callers share a flush and a lone one waits for nobody. Callers of one turn of the loop
 * come into one group.
 */
import { Fault } from '@warren/protocol';
import type { Receipt } from './audit.ts';
import { GROUP_BYTES_MAX, GROUP_ENTRIES_MAX, WAITING_BYTES_MAX, WAITING_ENTRIES_MAX } from './limits.ts';
import type { NewEntry, WrittenGroup } from './log.ts';
import { dayNumber } from './segment.ts';

type Waiting<T extends NewEntry> = {
  readonly entry: T;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
};

export class AppendQueue<T extends NewEntry> {
  readonly #write: (group: readonly T[]) => Promise<WrittenGroup>;
  #waiting: Waiting<T>[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** `write` is never called again before it settled. */
  constructor(write: (group: readonly T[]) => Promise<WrittenGroup>) {
    this.#write = write;
  }

  add(entry: T): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new Fault('unavailable', 'Cannot record in the audit: it is closed'));
      const count = this.#waiting.length;
      if (count >= WAITING_ENTRIES_MAX || this.#bytes + entry.body.length > WAITING_BYTES_MAX) {
        return reject(new Fault('busy', `Cannot record in the audit: ${count} entries with ${this.#bytes} bytes wait for the disk`));
      }
      this.#bytes += entry.body.length;
      this.#waiting.push({ entry, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Refuses more; resolves when everything accepted is settled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    do {
      await new Promise(setImmediate);
      await this.#flush(this.#takeGroup());
    } while (this.#waiting.length > 0);
    this.#running = undefined;
  }

  /** A group is of one day, because a file is. */
  #takeGroup(): readonly Waiting<T>[] {
    const day = dayNumber(this.#waiting[0]?.entry.at ?? 0);
    let bytes = 0;
    let count = 0;
    for (const { entry } of this.#waiting) {
      bytes += entry.body.length;
      if (count > 0 && (count >= GROUP_ENTRIES_MAX || bytes > GROUP_BYTES_MAX || dayNumber(entry.at) !== day)) break;
      count += 1;
    }
    const group = this.#waiting.splice(0, count);
    for (const { entry } of group) this.#bytes -= entry.body.length;
    return group;
  }

  async #flush(group: readonly Waiting<T>[]): Promise<void> {
    try {
      const { seq, leaves } = await this.#write(group.map(({ entry }) => entry));
      for (const [index, { entry, resolve }] of group.entries()) {
        resolve({ seq: seq + index, at: entry.at, hash: leaves[index]?.toString('hex') ?? '' });
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
