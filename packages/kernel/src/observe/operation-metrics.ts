/** How long operations take and how they end. The names are those of the contract, so there are no more series than operations. */
import type { HistogramMetric, Metric } from './exposition.ts';

/** Seconds. From a read of one row to a large body. */
const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Names and codes come from closed tables; this holds should that ever change. */
const SERIES_MAX = 2_000;

export interface OperationMetrics {
  /** `fault` is the code it failed with; undefined when it succeeded. */
  observe(operation: string, durationMs: number, fault?: string | undefined): void;
  collect(): readonly (Metric | HistogramMetric)[];
}

type Series = { readonly counts: number[]; sum: number; count: number };

export function createOperationMetrics(): OperationMetrics {
  const durations = new Map<string, Series>();
  const faults = new Map<string, { readonly operation: string; readonly fault: string; count: number }>();
  return {
    observe(operation, durationMs, fault) {
      const series = find(durations, operation, () => ({ counts: BOUNDS.map(() => 0), sum: 0, count: 0 }));
      if (series !== undefined) add(series, durationMs / 1_000);
      if (fault === undefined) return;
      const counter = find(faults, `${operation} ${fault}`, () => ({ operation, fault, count: 0 }));
      if (counter !== undefined) counter.count++;
    },

    collect: () => [
      {
        name: 'warren_operation_duration_seconds',
        help: 'How long operations took, answered or failed',
        type: 'histogram',
        samples: [...durations].map(([operation, { counts, sum, count }]) => ({
          labels: { operation },
          bounds: BOUNDS,
          counts,
          sum,
          count,
        })),
      },
      {
        name: 'warren_operation_faults_total',
        help: 'Operations that failed, by fault',
        type: 'counter',
        samples: [...faults.values()].map(({ operation, fault, count }) => ({ labels: { operation, fault }, value: count })),
      },
    ],
  };
}

function find<T>(all: Map<string, T>, key: string, make: () => T): T | undefined {
  const known = all.get(key);
  if (known !== undefined || all.size >= SERIES_MAX) return known;
  const made = make();
  all.set(key, made);
  return made;
}

function add(series: Series, seconds: number): void {
  series.sum += seconds;
  series.count++;
  for (const [index, bound] of BOUNDS.entries()) if (seconds <= bound) series.counts[index] = (series.counts[index] ?? 0) + 1;
}
