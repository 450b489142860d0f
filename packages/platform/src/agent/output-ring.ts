/** The newest bytes of a stream, up to a bound; positions count everything that was ever pushed. */
export class OutputRing {
  readonly #bytesMax: number;
  readonly #chunks: Uint8Array[] = [];
  #kept = 0;
  #total = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get totalBytes(): number {
    return this.#total;
  }

  /** Where the kept part begins. */
  get firstOffset(): number {
    return this.#total - this.#kept;
  }

  push(bytes: Uint8Array): void {
    this.#total += bytes.length;
    // A copy: a few kept bytes may not hold on to a large chunk.
    const kept = bytes.slice(Math.max(0, bytes.length - this.#bytesMax));
    this.#chunks.push(kept);
    this.#kept += kept.length;
    while (this.#kept > this.#bytesMax) {
      const first = this.#chunks[0] as Uint8Array; // More is kept than allowed, so there is one.
      const excess = this.#kept - this.#bytesMax;
      if (first.length <= excess) this.#chunks.shift();
      else this.#chunks[0] = first.slice(excess);
      this.#kept -= Math.min(first.length, excess);
    }
  }

  /** At most `bytesMax` bytes from `offset` on, or from where the kept part begins when that is later. */
  read(offset: number, bytesMax: number): Uint8Array {
    const start = Math.max(0, offset - this.firstOffset);
    return Buffer.concat(this.#chunks).subarray(start, start + bytesMax);
  }
}
