export type Statistics = {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
};

/** Percentiles by nearest rank: each is a value that was measured. */
export function summarize(samples: readonly number[]): Statistics {
  const sorted = samples.toSorted((one, other) => one - other);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { n: sorted.length, min: rank(0), p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}
