/**
 * A body on its way in. It is collected in a buffer of fixed size and written to chunks that nothing names, one buffer at a time; the source
 * is asked for more only when that is on disk. So memory is bounded, several bodies come in at once, and a crash leaves nothing that can be
 * seen. A body that turns out to be small never touches the disk here.
 */
import assert from 'node:assert/strict';
import { createHash, hash } from 'node:crypto';
import { Fault } from '@warren/protocol';
import type { FaultPoints } from '../internal/fault-points.ts';
import type { Transaction, WorkspaceStore } from '../store/store.ts';
import { CHUNK_BYTES } from '../store/tables/file-table.ts';
import type { Content } from './file-changes.ts';
import type { Hold, OpenBodies } from './open-bodies.ts';

const STREAM_BYTES_MAX = 1_073_741_824;
/** Collected before it is written: whole chunks, for a flush costs more than a chunk. */
const UPLOAD_BYTES = 4 * CHUNK_BYTES;

export type UploadParts = {
  readonly store: WorkspaceStore;
  readonly open: OpenBodies;
  readonly faults: FaultPoints;
  /** Throws if a body of at least so many bytes, so many of them on disk and not counted yet, cannot be linked. */
  readonly admit: (transaction: Transaction, bytes: number, uncountedBytes: number) => void;
};

/** Throws `busy`. To be disposed of when what it collected is linked, or will not be. */
export class Upload implements Disposable {
  readonly #parts: UploadParts;
  readonly #place: Hold;
  readonly #buffer = Buffer.allocUnsafeSlow(UPLOAD_BYTES);
  readonly #hash = createHash('sha256');
  #filled = 0;
  #size = 0;
  #chunks = 0;
  #writtenBytes = 0;
  #body: { readonly number: number; readonly hold: Hold } | undefined;

  constructor(parts: UploadParts) {
    this.#parts = parts;
    this.#place = parts.open.upload();
  }

  /** Faults: `too_large`, `storage_full`, what `admit` throws. What the source throws is thrown. */
  async collect(pieces: AsyncIterable<Uint8Array>): Promise<Content> {
    for await (const piece of pieces) {
      this.#size += piece.length;
      if (this.#size > STREAM_BYTES_MAX) throw tooLarge(this.#size);
      for (let offset = 0; offset < piece.length; ) offset += await this.#put(piece.subarray(offset));
    }
    if (this.#size <= CHUNK_BYTES) return this.#small();
    if (this.#filled > 0) await this.#flush();
    assert(this.#body !== undefined); // More than a chunk was collected.
    return { kind: 'large', body: this.#body.number, size: this.#size, hash: this.#hash.digest('hex') };
  }

  [Symbol.dispose](): void {
    this.#parts.open.uploadedBytes -= this.#writtenBytes;
    this.#writtenBytes = 0;
    this.#body?.hold[Symbol.dispose]();
    this.#place[Symbol.dispose]();
  }

  async #put(piece: Uint8Array): Promise<number> {
    const taken = piece.subarray(0, UPLOAD_BYTES - this.#filled);
    this.#buffer.set(taken, this.#filled);
    this.#filled += taken.length;
    if (this.#filled === UPLOAD_BYTES) await this.#flush();
    return taken.length;
  }

  #small(): Content {
    const data = new Uint8Array(this.#buffer.subarray(0, this.#filled));
    return { kind: 'small', size: data.length, hash: hash('sha256', data), data };
  }

  async #flush(): Promise<void> {
    const { store, open, faults, admit } = this.#parts;
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#hash.update(bytes);
    this.#writtenBytes += bytes.length;
    open.uploadedBytes += bytes.length;
    const [size, uncountedBytes, known, firstChunk] = [this.#size, open.uploadedBytes, this.#body?.number, this.#chunks];
    using _ = open.start(); // Until its number is known and held.
    const number = await store.write((transaction) => {
      admit(transaction, size, uncountedBytes);
      const body = known ?? transaction.files.insertLarge();
      for (let seq = firstChunk, offset = 0; offset < bytes.length; seq++, offset += CHUNK_BYTES) {
        faults.reach('body.chunk');
        transaction.files.insertChunk(body, seq, bytes.subarray(offset, offset + CHUNK_BYTES));
      }
      return body;
    });
    this.#body ??= { number, hold: open.hold(number) };
    this.#chunks += Math.ceil(bytes.length / CHUNK_BYTES);
    this.#filled = 0;
  }
}

function tooLarge(size: number): Fault {
  return new Fault('too_large', `Cannot write a body: it has ${size} bytes and more, the limit is ${STREAM_BYTES_MAX}`, {
    details: { limit: STREAM_BYTES_MAX },
  });
}
