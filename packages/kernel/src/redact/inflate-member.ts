/** What stands compressed in bytes, within a budget: a few bytes can be a gigabyte. */
import { constants, gunzipSync, inflateSync } from 'node:zlib';

export type Member =
  | { readonly kind: 'read'; readonly end: number; readonly plain: Uint8Array }
  /** It goes on after what is there. */
  | { readonly kind: 'cut'; readonly plain: Uint8Array }
  | { readonly kind: 'too_large' };

export class Inflater {
  #bytesLeft: number;
  #failuresLeft: number;

  /** `failuresMax`: how many beginnings are tried in vain. */
  constructor(bytesMax: number, failuresMax: number) {
    this.#bytesLeft = bytesMax;
    this.#failuresLeft = failuresMax;
  }

  /** Undefined when nothing compressed begins there. */
  read(bytes: Uint8Array, at: number, end: number): Member | undefined {
    const format = formatAt(bytes, at, end);
    if (format === undefined) return undefined;
    if (this.#failuresLeft <= 0) return undefined;
    if (this.#bytesLeft <= 0) return { kind: 'too_large' };
    const source = bytes.subarray(at, end);
    const options = { info: true, finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: this.#bytesLeft };
    try {
      const inflated: unknown = format === 'gzip' ? gunzipSync(source, options) : inflateSync(source, options);
      const { buffer, engine } = inflated as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }; // So it is with `info`.
      if (buffer.byteLength === 0) this.#failuresLeft -= 1;
      this.#bytesLeft -= buffer.byteLength;
      return engine.bytesWritten < source.byteLength
        ? { kind: 'read', end: at + engine.bytesWritten, plain: buffer }
        : { kind: 'cut', plain: buffer };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        this.#bytesLeft = 0;
        return { kind: 'too_large' };
      }
      this.#failuresLeft -= 1;
      return undefined; // It only looked like it.
    }
  }
}

function formatAt(bytes: Uint8Array, at: number, end: number): 'gzip' | 'zlib' | undefined {
  if (bytes[at] === 0x1f) {
    const isGzip = at + 18 <= end && bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && ((bytes[at + 3] as number) & 0xe0) === 0; // Eighteen are there.
    return isGzip ? 'gzip' : undefined;
  }
  if (at + 8 > end || bytes[at] !== 0x78) return undefined;
  const level = bytes[at + 1] as number; // Eight are there.
  if (level !== 0x01 && level !== 0x5e && level !== 0x9c && level !== 0xda) return undefined;
  const blockType = ((bytes[at + 2] as number) >> 1) & 3;
  if (blockType === 3) return undefined;
  const isStored = blockType === 0;
  const word = (from: number): number => (bytes[from] as number) | ((bytes[from + 1] as number) << 8);
  return isStored && (word(at + 3) ^ word(at + 5)) !== 0xffff ? undefined : 'zlib';
}
