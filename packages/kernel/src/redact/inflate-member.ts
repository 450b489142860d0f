/** What stands compressed in bytes, as gzip (RFC 1952) or zlib (RFC 1950), within a budget: a few bytes can be a gigabyte. Checksums are not looked at: no reader has to. */
import { inflate } from './inflate.ts';

export type Member =
  | {
      readonly kind: 'read';
      readonly plain: Uint8Array;
      /** Members that follow on each other are read as one: what stands from `start` to `end` is from `plainStart` on in what was read. */
      readonly parts: readonly MemberPart[];
      /** It goes on after what is there, or may, with a next member. */
      readonly isCut: boolean;
    }
  | { readonly kind: 'too_large' };

export type MemberPart = { readonly start: number; readonly end: number; readonly plainStart: number };

/** What it takes to find that nothing begins, in bytes written: a text may have one beginning after another. */
const WORK_MIN = 64;
const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;
const PARTS_MAX = 1_000;
const [FLAG_CHECKSUM, FLAG_EXTRA, FLAG_NAME, FLAG_COMMENT, FLAGS_RESERVED] = [2, 4, 8, 16, 0xe0];

export class Inflater {
  #workLeft: number;

  /** `workMax`: in bytes written to memory, over all that is read. */
  constructor(workMax: number) {
    this.#workLeft = workMax;
  }

  /** Undefined when nothing compressed begins there. */
  read(bytes: Uint8Array, at: number, end: number): Member | undefined {
    const parts: MemberPart[] = [];
    const plains: Uint8Array[] = [];
    for (let [start, plainStart] = [at, 0]; ; ) {
      const isGzip = bytes[start] === 0x1f;
      const stream = isGzip ? this.#afterGzipHeader(bytes, start, end) : afterZlibHeader(bytes, start, end);
      if (stream < 0) break;
      if (this.#workLeft <= 0) return { kind: 'too_large' };
      const { kind, plain, end: stop, work } = inflate(bytes, stream, end, this.#workLeft);
      this.#workLeft -= WORK_MIN + work;
      if (kind === 'too_large') return { kind };
      const partEnd = kind === 'whole' ? Math.min(end, stop + (isGzip ? GZIP_TRAILER_BYTES : 4)) : stop;
      parts.push({ start, end: partEnd, plainStart });
      plains.push(plain);
      plainStart += plain.byteLength;
      const mayGoOn = kind === 'cut' || (kind === 'whole' && isGzip && partEnd + GZIP_HEADER_BYTES > end);
      if (mayGoOn) return { kind: 'read', plain: joined(plains), parts, isCut: true };
      if (kind === 'broken' || !isGzip || parts.length === PARTS_MAX) break;
      start = partEnd;
    }
    return parts.length === 0 ? undefined : { kind: 'read', plain: joined(plains), parts, isCut: false };
  }

  /** Where the stream begins, or -1. */
  #afterGzipHeader(bytes: Uint8Array, at: number, end: number): number {
    if (at + 10 > end || bytes[at] !== 0x1f || bytes[at + 1] !== 0x8b || bytes[at + 2] !== 8) return -1;
    const flags = bytes[at + 3] as number; // Ten are there.
    if ((flags & FLAGS_RESERVED) !== 0) return -1;
    let next = at + 10;
    if ((flags & FLAG_EXTRA) !== 0) next += 2 + ((bytes[next] ?? 0) | ((bytes[next + 1] ?? 0) << 8));
    for (const flag of [FLAG_NAME, FLAG_COMMENT]) if ((flags & flag) !== 0) next = this.#afterZero(bytes, next, end);
    if ((flags & FLAG_CHECKSUM) !== 0) next += 2;
    return Math.min(next, end);
  }

  #afterZero(bytes: Uint8Array, from: number, end: number): number {
    const zero = bytes.subarray(0, end).indexOf(0, from);
    const next = zero < 0 ? end : zero + 1;
    this.#workLeft -= Math.max(0, next - from) >> 3; // It is no more than looked at.
    return next;
  }
}

/** As above. A dictionary that is kept elsewhere is not to be had. */
function afterZlibHeader(bytes: Uint8Array, at: number, end: number): number {
  if (at + 3 > end || bytes[at] !== 0x78) return -1;
  const level = bytes[at + 1] as number; // Three are there.
  return level === 0x01 || level === 0x5e || level === 0x9c || level === 0xda ? at + 2 : -1;
}

function joined(plains: readonly Uint8Array[]): Buffer {
  const [first] = plains;
  return plains.length === 1 && first !== undefined ? Buffer.from(first.buffer, first.byteOffset, first.byteLength) : Buffer.concat(plains);
}
