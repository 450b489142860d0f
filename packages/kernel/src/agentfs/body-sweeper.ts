/**
 * Removes large bodies that nothing names any more, a few chunks in a transaction: a gigabyte in one would keep every other writer waiting.
 * Their bytes were given back to the workspace when the last name went; this gives them back to the disk. What a crash left behind, half
 * written or half removed, looks the same and goes the same way at the next start.
 */
import type { WorkspaceStore } from '../store/store.ts';
import type { OpenBodies } from './open-bodies.ts';

/** 8 MiB. */
const CHUNKS_IN_STEP = 32;
const BODIES_IN_LOOK = 1_000;

export class BodySweeper {
  readonly #store: WorkspaceStore;
  readonly #open: OpenBodies;
  #running: Promise<number> | undefined;
  #isWanted = false;

  constructor(store: WorkspaceStore, open: OpenBodies) {
    this.#store = store;
    this.#open = open;
  }

  /** Resolves with how many bodies went, when there are no more to remove. Throws what the store throws; the next sweep goes on. */
  sweep(): Promise<number> {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Sweeps soon and tells nobody: what is left when it fails is found by the next sweep. */
  wake(): void {
    this.sweep().catch(() => {}); // As above.
  }

  async #run(): Promise<number> {
    let removed = 0;
    while (this.#isWanted) {
      this.#isWanted = false;
      removed += await this.#pass();
    }
    return removed;
  }

  async #pass(): Promise<number> {
    let removed = 0;
    let after = 0;
    for (;;) {
      const found = await this.#store.read(({ files }) => files.listUnnamed(after, BODIES_IN_LOOK));
      for (const { body, isComplete } of found) {
        if (this.#open.has(body) || (!isComplete && this.#open.isStarting)) continue;
        await this.#remove(body);
        removed++;
      }
      after = found.at(-1)?.body ?? after;
      if (found.length < BODIES_IN_LOOK) return removed;
    }
  }

  /** A body without a name never gets one again, so nobody can open it meanwhile. */
  async #remove(body: number): Promise<void> {
    while (!(await this.#store.write(({ files }) => files.deleteUnnamed(body, CHUNKS_IN_STEP)))) {
      // Each step removes some; the last says so.
    }
  }
}
