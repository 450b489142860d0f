/**
 * Reads a deflate stream (RFC 1951) as lenient readers do: what stands before a break, or before the end of what is there, is told too. The inflater of the platform throws it away, and lets what follows a stream, or
 * a checksum that is wrong, hide what it holds.
 */

export type Inflated = {
  /** It breaks where no stream can go on; it is cut where it goes on after the end. */
  readonly kind: 'whole' | 'cut' | 'broken' | 'too_large';
  readonly plain: Uint8Array;
  /** Behind the last byte that was read. */
  readonly end: number;
  /** What it took, in bytes written to memory: up to a half more than it may, and the tables of a last block. */
  readonly work: number;
};

/** Reads from `at` on; it does no more work than `workMax`. */
export function inflate(bytes: Uint8Array, at: number, end: number, workMax: number): Inflated {
  return new Inflation(bytes, at, end, workMax).read();
}

const LENGTH_BITS_MAX = 15;
const END_OF_BLOCK = 256;
/** Lengths and distances by their symbols: the first of each, and how many bits tell which of it. */
const LENGTHS = rangesOf(29, 3, (index) => (index < 8 || index === 28 ? 0 : (index >> 2) - 1), { 28: 258 });
const DISTANCES = rangesOf(30, 1, (index) => (index < 4 ? 0 : (index >> 1) - 1), {});
/** In which order a block has the lengths of the codes of its lengths. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A table by the next bits: `symbol << 4 | length`, and 0 where no code is. */
type Codes = { readonly table: Uint16Array; readonly bits: number };
type Stop = Exclude<Inflated['kind'], 'whole'>;

class Inflation {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #workMax: number;
  #work = 0;
  #at: number;
  #bits = 0;
  #bitCount = 0;
  #plain: Uint8Array = new Uint8Array(256);
  #length = 0;
  #stop: Stop | undefined;

  constructor(bytes: Uint8Array, at: number, end: number, workMax: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#workMax = workMax;
  }

  read(): Inflated {
    for (let isLast = false; !isLast && this.#stop === undefined; ) {
      isLast = this.#take(1) === 1;
      const type = this.#take(2);
      if (this.#stop !== undefined) break;
      if (type === 0) this.#readStored();
      else if (type === 1) this.#readCodes(FIXED_LITERALS, FIXED_DISTANCES);
      else if (type === 2) this.#readDynamic();
      else this.#stop = 'broken';
    }
    const end = this.#at - (this.#bitCount >> 3);
    return { kind: this.#stop ?? 'whole', plain: this.#plain.subarray(0, this.#length), end, work: this.#work + this.#length };
  }

  #readStored(): void {
    this.#at -= this.#bitCount >> 3;
    this.#bits = this.#bitCount = 0;
    if (this.#at + 4 > this.#end) {
      this.#stop = 'cut';
      this.#at = this.#end;
      return;
    }
    const [length, inverse] = [this.#word(this.#at), this.#word(this.#at + 2)];
    this.#at += 4;
    if ((length ^ inverse) !== 0xffff) {
      this.#stop = 'broken';
      return;
    }
    const count = Math.min(length, this.#end - this.#at);
    if (!this.#hasRoom(count)) return;
    this.#plain.set(this.#bytes.subarray(this.#at, this.#at + count), this.#length);
    this.#length += count;
    this.#at += count;
    if (count < length) this.#stop = 'cut';
  }

  #word(at: number): number {
    return (this.#bytes[at] as number) | ((this.#bytes[at + 1] as number) << 8); // Before the end.
  }

  #readDynamic(): void {
    const literalCount = this.#take(5) + 257;
    const distanceCount = this.#take(5) + 1;
    const count = this.#take(4) + 4;
    const ofLengths = new Uint8Array(19);
    for (let index = 0; index < count; index++) ofLengths[LENGTH_ORDER[index] as number] = this.#take(3); // Nineteen at most.
    const codes = this.#stop === undefined ? this.#codesOf(ofLengths) : undefined;
    const lengths = codes === undefined ? undefined : this.#readLengths(codes, literalCount + distanceCount);
    if (lengths === undefined) return;
    const literals = this.#codesOf(lengths.subarray(0, literalCount));
    const distances = this.#codesOf(lengths.subarray(literalCount));
    if (literals !== undefined && distances !== undefined) this.#readCodes(literals, distances);
  }

  #readLengths(codes: Codes, count: number): Uint8Array | undefined {
    const lengths = new Uint8Array(count);
    for (let index = 0; index < count; ) {
      const symbol = this.#symbol(codes);
      if (this.#stop !== undefined) return undefined;
      if (symbol < 16) {
        lengths[index++] = symbol;
        continue;
      }
      const again = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (index + again > count || (symbol === 16 && index === 0)) this.#stop ??= 'broken';
      if (this.#stop !== undefined) return undefined;
      const length = symbol === 16 ? (lengths[index - 1] as number) : 0; // Not the first.
      lengths.fill(length, index, index + again);
      index += again;
    }
    return lengths;
  }

  #codesOf(lengths: Uint8Array): Codes | undefined {
    const codes = makeCodes(lengths);
    if (codes === undefined) this.#stop = 'broken';
    else this.#work += 2 * codes.table.length;
    return codes;
  }

  #readCodes(literals: Codes, distances: Codes): void {
    for (;;) {
      const symbol = this.#symbol(literals);
      if (this.#stop !== undefined || symbol === END_OF_BLOCK) return;
      if (symbol > END_OF_BLOCK) this.#copy(symbol - END_OF_BLOCK - 1, distances);
      else if (this.#length < this.#plain.length || this.#hasRoom(1)) this.#plain[this.#length++] = symbol;
    }
  }

  #copy(symbol: number, distances: Codes): void {
    const length = this.#numberOf(symbol, LENGTHS);
    const distance = this.#stop === undefined ? this.#numberOf(this.#symbol(distances), DISTANCES) : 0;
    if (distance > this.#length) this.#stop ??= 'broken';
    if (this.#stop !== undefined || !this.#hasRoom(length)) return;
    const plain = this.#plain;
    for (let to = this.#length, end = to + length; to < end; to++) plain[to] = plain[to - distance] as number; // Not before the beginning.
    this.#length += length;
  }

  #numberOf(symbol: number, { first, bits }: Ranges): number {
    if (symbol >= first.length) this.#stop ??= 'broken';
    return this.#stop === undefined ? (first[symbol] as number) + this.#take(bits[symbol] as number) : 0; // Within them.
  }

  /** The next symbol; what it is says nothing when there is a stop. */
  #symbol({ table, bits }: Codes): number {
    this.#fill();
    const entry = table[this.#bits & ((1 << bits) - 1)] as number; // Within the table.
    const length = entry & 15;
    if (length === 0 || length > this.#bitCount) {
      this.#stop ??= length > this.#bitCount || this.#bitCount < bits ? 'cut' : 'broken';
      return 0;
    }
    this.#bits >>>= length;
    this.#bitCount -= length;
    return entry >> 4;
  }

  #take(count: number): number {
    this.#fill();
    if (count > this.#bitCount) {
      this.#stop ??= 'cut';
      return 0;
    }
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#bitCount -= count;
    return value;
  }

  #fill(): void {
    while (this.#bitCount <= 16 && this.#at < this.#end) {
      this.#bits |= (this.#bytes[this.#at++] as number) << this.#bitCount; // Before the end.
      this.#bitCount += 8;
    }
  }

  #hasRoom(count: number): boolean {
    const least = this.#length + count;
    if (least <= this.#plain.length) return true;
    if (this.#work + this.#plain.length + least > this.#workMax) {
      this.#stop = 'too_large';
      return false;
    }
    this.#work += this.#plain.length; // What was written is written again.
    const plain = new Uint8Array(Math.max(least, 2 * this.#plain.length));
    plain.set(this.#plain);
    this.#plain = plain;
    return true;
  }
}

/** Undefined when there are more codes than such lengths have room for. */
function makeCodes(lengths: Uint8Array): Codes | undefined {
  const counts = new Uint16Array(LENGTH_BITS_MAX + 1);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1; // Fifteen at most.
  counts[0] = 0;
  const next = new Uint32Array(LENGTH_BITS_MAX + 1);
  let bits = 0;
  for (let length = 1, code = 0; length <= LENGTH_BITS_MAX; length++) {
    code = (code + (counts[length - 1] as number)) << 1; // As above.
    const count = counts[length] as number;
    if (code + count > 1 << length) return undefined;
    if (count > 0) bits = length;
    next[length] = code;
  }
  const table = new Uint16Array(1 << bits);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const code = next[length] as number; // As above.
    next[length] = code + 1;
    for (let index = mirrored(code, length); index < table.length; index += 1 << length) table[index] = (symbol << 4) | length;
  }
  return { table, bits };
}

/** Codes stand in a stream from their highest bit on. */
function mirrored(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result = (result << 1) | ((code >> bit) & 1);
  return result;
}

type Ranges = { readonly first: readonly number[]; readonly bits: readonly number[] };

function rangesOf(count: number, least: number, bitsOf: (index: number) => number, others: Readonly<Record<number, number>>): Ranges {
  const bits = Array.from({ length: count }, (_, index) => bitsOf(index));
  const first: number[] = [];
  for (let index = 0, start = least; index < count; start += 1 << (bits[index++] as number)) first.push(others[index] ?? start); // One of them.
  return { first, bits };
}

const FIXED_LENGTHS = Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8));
const NO_CODES: Codes = { table: new Uint16Array(1), bits: 0 };
const FIXED_LITERALS = makeCodes(FIXED_LENGTHS) ?? NO_CODES;
const FIXED_DISTANCES = makeCodes(new Uint8Array(32).fill(5)) ?? NO_CODES;
