/** Deletes what is past its time in one workspace, when something is, in small steps between which others write. */
import type { WorkspaceStore } from '../store/store.ts';
import type { Alarm } from './alarm.ts';
import { expireStep } from './expire.ts';
import { SWEEP_DELAY_MS, SWEEP_RETRY_MS } from './limits.ts';

export type SweeperParts = { readonly store: WorkspaceStore; readonly alarm: Alarm; readonly now: () => number };

export class Sweeper {
  readonly #parts: SweeperParts;
  #bell: { readonly at: number; readonly handle: Disposable } | undefined;
  #looking: Promise<void> | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** Finds out when something is due next. Asked for again and again at once, it looks once. */
  lookAhead(): Promise<void> {
    this.#looking ??= Promise.resolve().then(async () => {
      this.#looking = undefined;
      await this.#lookAhead();
    });
    return this.#looking;
  }

  /** Resolves when no sweep is running. */
  async idle(): Promise<void> {
    await this.#sweeping;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#bell?.handle[Symbol.dispose]();
    await this.#looking;
    await this.#sweeping;
  }

  async #lookAhead(): Promise<void> {
    if (this.#isClosed) return;
    try {
      const dueAt = await this.#parts.store.read(({ mail }) => mail.nextDueAt());
      if (dueAt !== undefined) this.#setBell(dueAt + SWEEP_DELAY_MS);
    } catch {
      this.#setBell(this.#parts.now() + SWEEP_RETRY_MS); // Nothing is lost: what is past its time is invisible all the same.
    }
  }

  #setBell(at: number): void {
    if (this.#isClosed || (this.#bell !== undefined && this.#bell.at <= at)) return;
    this.#bell?.handle[Symbol.dispose]();
    this.#bell = { at, handle: this.#parts.alarm.set({ at, ring: () => this.#ring(), isAwaited: false }) };
  }

  #ring(): void {
    this.#bell = undefined;
    this.#sweeping = this.#sweeping.then(() => this.#sweep());
  }

  async #sweep(): Promise<void> {
    try {
      const at = this.#parts.now();
      for (let isDone = false; !isDone && !this.#isClosed; ) {
        isDone = (await this.#parts.store.write((transaction) => expireStep(transaction, at))).isDone;
      }
      await this.#lookAhead();
    } catch {
      this.#setBell(this.#parts.now() + SWEEP_RETRY_MS); // As above.
    }
  }
}
