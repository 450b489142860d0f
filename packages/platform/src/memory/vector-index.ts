/**
 * The vectors of a memory, to find those nearest to another. In memory stands one bit for each dimension, its sign: 48 bytes of 384 dimensions. Those that differ in the fewest bits are candidates, and only
 * of them the vectors themselves are read and compared. Source: Charikar 2002, "Similarity estimation techniques from rounding algorithms".
 */

/** On disk a vector is as many bytes as it has dimensions, behind the factor they were scaled with. */
const HEAD_BYTES = 4;
const STEPS = 127;
const GROWTH = 1.5;
/** Words whose bits are counted together: their counts fit in four bits. */
const TOGETHER = 3;

export class VectorIndex {
  readonly #words: number;
  #bits: Uint32Array;
  #chunks: Float64Array;
  #count = 0;
  readonly #placeOf = new Map<number, number>();
  /** Of the last search; kept, because it is large. */
  #distances = new Uint16Array(0);

  constructor(dimensions: number, capacity = 1_024) {
    this.#words = Math.ceil(dimensions / 32 / TOGETHER) * TOGETHER;
    this.#bits = new Uint32Array(this.#words * capacity);
    this.#chunks = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** In place of what was known of this chunk. */
  add(chunk: number, packed: Uint8Array): void {
    const known = this.#placeOf.get(chunk);
    const place = known ?? this.#count++;
    if (place >= this.#chunks.length) this.#grow();
    this.#chunks[place] = chunk;
    this.#placeOf.set(chunk, place);
    this.#bits.set(signsOf(packed, this.#words), place * this.#words);
  }

  remove(chunk: number): void {
    const place = this.#placeOf.get(chunk);
    if (place === undefined) return;
    this.#placeOf.delete(chunk);
    const last = --this.#count;
    if (place === last) return;
    const moved = this.#chunks[last] ?? 0;
    this.#chunks[place] = moved;
    this.#placeOf.set(moved, place);
    this.#bits.copyWithin(place * this.#words, last * this.#words, (last + 1) * this.#words);
  }

  /** Chunks that are likely the nearest, the likeliest first. */
  candidates(packed: Uint8Array, most: number): readonly number[] {
    const counts = new Uint32Array(this.#words * 32 + 1);
    const distances = this.#measure(signsOf(packed, this.#words), counts);
    let limit = 0;
    for (let within = counts[0] ?? 0; within < most && limit + 1 < counts.length; within += counts[limit] ?? 0) limit++;
    const near: { readonly chunk: number; readonly distance: number }[] = [];
    for (let place = 0; place < this.#count; place++) {
      const distance = distances[place] as number; // It is within.
      if (distance <= limit) near.push({ chunk: this.#chunks[place] ?? 0, distance });
    }
    return near
      .sort((a, b) => a.distance - b.distance)
      .slice(0, most)
      .map(({ chunk }) => chunk);
  }

  /** In how many bits each differs, and how many differ in so many. The loop is what a search of a large memory takes its time for. */
  #measure(signs: Uint32Array, counts: Uint32Array): Uint16Array {
    if (this.#distances.length < this.#count) this.#distances = new Uint16Array(this.#chunks.length);
    const [bits, words, count, distances] = [this.#bits, this.#words, this.#count, this.#distances];
    for (let place = 0, at = 0; place < count; place++) {
      let distance = 0;
      for (let word = 0; word < words; word += TOGETHER, at += TOGETHER) {
        // All are within their arrays.
        let one = (bits[at] as number) ^ (signs[word] as number);
        let two = (bits[at + 1] as number) ^ (signs[word + 1] as number);
        let three = (bits[at + 2] as number) ^ (signs[word + 2] as number);
        one -= (one >>> 1) & 0x55555555;
        two -= (two >>> 1) & 0x55555555;
        three -= (three >>> 1) & 0x55555555;
        const fours =
          (one & 0x33333333) +
          ((one >>> 2) & 0x33333333) +
          (two & 0x33333333) +
          ((two >>> 2) & 0x33333333) +
          (three & 0x33333333) +
          ((three >>> 2) & 0x33333333);
        distance += Math.imul((fours & 0x0f0f0f0f) + ((fours >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
      }
      distances[place] = distance;
      counts[distance] = (counts[distance] as number) + 1;
    }
    return distances;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#chunks.length * GROWTH) + 1;
    const [bits, chunks] = [new Uint32Array(capacity * this.#words), new Float64Array(capacity)];
    bits.set(this.#bits);
    chunks.set(this.#chunks);
    [this.#bits, this.#chunks] = [bits, chunks];
  }
}

/** Of length one, a byte for each dimension. What is no number counts as 0. */
export function packVector(vector: Float32Array): Uint8Array {
  const dimensions = vector.length;
  let most = 0;
  for (let index = 0; index < dimensions; index++) most = Math.max(most, Math.abs(finite(vector[index])));
  most ||= 1;
  const packed = new Uint8Array(HEAD_BYTES + dimensions);
  let squares = 0;
  for (let index = 0; index < dimensions; index++) {
    // Between -1 and 1: its square neither vanishes nor runs over.
    const value = finite(vector[index]) / most;
    squares += value * value;
    packed[HEAD_BYTES + index] = Math.round(value * STEPS);
  }
  new DataView(packed.buffer).setFloat32(0, 1 / (Math.sqrt(squares) || 1) / STEPS, true);
  return packed;
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}

/** 0 to 1; what points away counts as 0. Of vectors of different lengths 0. */
export function likenessOfVectors(a: Uint8Array, b: Uint8Array): number {
  if (a.byteLength !== b.byteLength) return 0;
  const [left, right] = [new Int8Array(a.buffer, a.byteOffset), new Int8Array(b.buffer, b.byteOffset)];
  let sum = 0;
  for (let index = HEAD_BYTES; index < a.byteLength; index++) sum += (left[index] as number) * (right[index] as number); // As above.
  const scale = (packed: Uint8Array): number => new DataView(packed.buffer, packed.byteOffset).getFloat32(0, true);
  return Math.min(1, Math.max(0, sum * scale(a) * scale(b)));
}

export function dimensionsOf(packed: Uint8Array): number {
  return packed.byteLength - HEAD_BYTES;
}

function signsOf(packed: Uint8Array, words: number): Uint32Array {
  const signs = new Uint32Array(words);
  for (let index = 0; index + HEAD_BYTES < packed.byteLength; index++) {
    if ((packed[HEAD_BYTES + index] as number) < 128) signs[index >>> 5] = ((signs[index >>> 5] as number) | (1 << (index & 31))) >>> 0; // As above.
  }
  return signs;
}
