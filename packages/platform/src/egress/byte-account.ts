/** Bytes on their way into the ledger: one record at a time, of all that came up meanwhile. */
import { Fault } from '@warren/protocol';

export class ByteAccount implements AsyncDisposable {
  readonly #record: (bytes: number) => Promise<unknown>;
  readonly #onBroken: () => void;
  #waiting = 0;
  #recording: Promise<void> | undefined;
  #isBroken = false;

  /** `onBroken`: what was used cannot be recorded, so nothing more may be. */
  constructor(record: (bytes: number) => Promise<unknown>, onBroken: () => void) {
    this.#record = record;
    this.#onBroken = onBroken;
  }

  add(bytes: number): void {
    this.#waiting += bytes;
    this.#recording ??= this.#recordAll();
  }

  /** Throws `unavailable` when what was used before could not be recorded; it is tried again then. */
  requireWhole(): void {
    if (!this.#isBroken) return;
    this.#recording ??= this.#recordAll();
    throw new Fault('unavailable', 'Cannot reach hosts: what was used before could not be recorded');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#recording ?? (this.#waiting > 0 ? this.#recordAll() : undefined));
  }

  /** Never rejects. */
  async #recordAll(): Promise<void> {
    while (this.#waiting > 0) {
      const bytes = this.#waiting;
      this.#waiting = 0;
      try {
        await this.#record(bytes);
        this.#isBroken = false;
      } catch {
        this.#waiting += bytes;
        this.#isBroken = true;
        this.#onBroken();
        break;
      }
    }
    this.#recording = undefined;
  }
}
