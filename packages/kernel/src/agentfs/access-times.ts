/** When files were last read, to the minute. Written behind the reader's back and all together: a read waits for no write and fails for none. */
import type { WorkspaceStore } from '../store/store.ts';
import type { FileRow } from '../store/tables/file-table.ts';

const PRECISION_MS = 60_000;
/** Files noted at once; reads of more are not noted. */
const NOTED_MAX = 10_000;
/** In one transaction. */
const STEP = 500;

export class AccessTimes {
  readonly #store: WorkspaceStore;
  readonly #noted = new Map<string, number>();
  #isWriting = false;

  constructor(store: WorkspaceStore) {
    this.#store = store;
  }

  /** This file was read at this time. */
  note({ path, accessedAt }: Pick<FileRow, 'path' | 'accessedAt'>, at: number): void {
    if (accessedAt !== undefined && at - accessedAt < PRECISION_MS) return;
    if (this.#noted.has(path) || this.#noted.size >= NOTED_MAX) return;
    this.#noted.set(path, at);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#write()
      .catch(() => this.#noted.clear()) // They are not worth an error: the next reads note them again.
      .finally(() => {
        this.#isWriting = false;
      });
  }

  /** What is being written stays noted, so that the many readers of one file note it once. */
  async #write(): Promise<void> {
    while (this.#noted.size > 0) {
      const step = [...this.#noted].slice(0, STEP);
      await this.#store.write(({ files }) => {
        for (const [path, at] of step) files.setAccessedAt(path, at);
      });
      for (const [path] of step) this.#noted.delete(path);
    }
  }
}
