/** A queue of bytes. Small pieces are copied together, so that what it holds stays close to what it counts, however finely a guest cuts. */

/** From this size on a piece is kept as the view it is: it is at least a quarter of the socket chunk it keeps alive. */
const VIEW_BYTES_MIN = 16_384;
const TAIL_BYTES = 16_384;

export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  /** Of the first chunk that is still there. */
  #head = 0;
  /** The last chunk, when it has room: its first `#tailUsed` bytes are filled. It is not in `#chunks`. */
  #tail: Uint8Array | undefined;
  #tailUsed = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes over large pieces and copies small ones. */
  push(piece: Uint8Array): void {
    const wasEmpty = this.#bytes === 0;
    this.#bytes += piece.length;
    if (piece.length >= VIEW_BYTES_MIN) {
      this.#closeTail();
      this.#chunks.push(piece);
      return;
    }
    if (wasEmpty) {
      this.#chunks.push(new Uint8Array(piece)); // Most commands say a few bytes once: no room is set aside for more.
      return;
    }
    if (this.#tail === undefined || this.#tailUsed + piece.length > this.#tail.length) {
      this.#closeTail();
      this.#tail = new Uint8Array(TAIL_BYTES);
    }
    this.#tail.set(piece, this.#tailUsed);
    this.#tailUsed += piece.length;
  }

  /** The oldest bytes, which are the caller's now; `undefined` when it is empty. */
  shift(): Uint8Array | undefined {
    if (this.#head === this.#chunks.length) this.#closeTail();
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return undefined;
    this.#chunks[this.#head++] = EMPTY; // Lets go of it.
    if (this.#head === this.#chunks.length || this.#head === HEAD_MAX) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    this.#bytes -= chunk.length;
    return chunk;
  }

  /** Everything in one array, leaving the queue empty. */
  takeAll(): Uint8Array {
    const first = this.shift() ?? EMPTY;
    if (this.#bytes === 0) return first;
    const all = new Uint8Array(first.length + this.#bytes);
    let at = 0;
    for (let chunk: Uint8Array | undefined = first; chunk !== undefined; chunk = this.shift()) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** Drops everything and says how much it was. */
  clear(): number {
    const bytes = this.#bytes;
    this.#chunks = [];
    this.#head = 0;
    this.#tail = undefined;
    this.#tailUsed = 0;
    this.#bytes = 0;
    return bytes;
  }

  #closeTail(): void {
    if (this.#tail === undefined) return;
    this.#chunks.push(this.#tail.subarray(0, this.#tailUsed));
    this.#tail = undefined;
    this.#tailUsed = 0;
  }
}

const EMPTY = new Uint8Array(0);
const HEAD_MAX = 64;
