/** Vectors of an answer that nobody vouches for. */
const DIMENSIONS_MAX = 8_192;

/** Of length one, what is no finite number as 0. A string: what is wrong with them. */
export function readVectors(
  vectors: readonly unknown[] | undefined,
  { count, dimensions }: { readonly count: number; readonly dimensions: number | undefined },
): readonly Float32Array[] | string {
  if (vectors === undefined) return 'it has no vectors';
  if (vectors.length !== count) return `it has ${vectors.length} vectors for ${count} texts`;
  const wanted = dimensions ?? lengthOf(vectors[0]);
  if (wanted < 1 || wanted > DIMENSIONS_MAX) return `its vectors have ${wanted} dimensions, 1 to ${DIMENSIONS_MAX} are allowed`;
  const read: Float32Array[] = [];
  for (const vector of vectors) {
    if (!Array.isArray(vector)) return 'one of its vectors is no list';
    if (vector.length !== wanted) return `one of its vectors has ${vector.length} dimensions, not ${wanted}`;
    read.push(normalize(vector));
  }
  return read;
}

function lengthOf(vector: unknown): number {
  return Array.isArray(vector) ? vector.length : 0;
}

/** One of zeros stays so: it is like nothing. */
export function normalize(values: readonly unknown[]): Float32Array {
  const clean = Float64Array.from(values, (value) => (typeof value === 'number' && Number.isFinite(value) ? value : 0));
  const most = clean.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  // Of values between -1 and 1, whose squares neither vanish nor run over.
  const length = Math.sqrt(clean.reduce((sum, value) => sum + (value / most) ** 2, 0)) || 1;
  return Float32Array.from(clean, (value) => value / most / length);
}
