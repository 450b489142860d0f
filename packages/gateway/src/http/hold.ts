import type { HeldBytes } from './held-bytes.ts';

/** What one request, or one connection, keeps in memory. The first `free` bytes are not counted. */
export class Hold {
  readonly #all: HeldBytes;
  readonly #free: number;
  #bytes = 0;
  #counted = 0;

  constructor(all: HeldBytes, free: number) {
    this.#all = all;
    this.#free = free;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False when there is no room; then nothing of it is counted. */
  add(bytes: number): boolean {
    const counted = Math.max(0, this.#bytes + bytes - this.#free) - this.#counted;
    if (counted > 0 && !this.#all.take(counted)) return false;
    this.#bytes += bytes;
    this.#counted += counted;
    return true;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    const counted = Math.max(0, this.#bytes - this.#free);
    this.#all.give(this.#counted - counted);
    this.#counted = counted;
  }

  clear(): void {
    this.remove(this.#bytes);
  }
}
