/** How long calls take and how they fail, for Prometheus. Series are bounded: one for each operation there is, and one for all others. */
import type { ObserveCall } from './observe-calls.ts';

/** Seconds. From what a read takes to the longest wait. */
const BUCKETS = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

type Histogram = { readonly counts: number[]; sum: number; count: number };

export type CallMetrics = {
  readonly observe: ObserveCall;
  /** In the text form of Prometheus, with a line end at the end. */
  text(): string;
};

/** `now` gives milliseconds of a clock that never goes back. */
export function createCallMetrics(now: () => number = () => performance.now()): CallMetrics {
  const histograms = new Map<string, Histogram>();
  const failures = new Map<string, { readonly operation: string; readonly fault: string; readonly code: number; count: number }>();
  let running = 0;
  return {
    observe({ operation }) {
      const startedAt = now();
      running++;
      return (outcome) => {
        running--;
        record(histogramOf(histograms, operation), (now() - startedAt) / 1_000);
        if (outcome.kind === 'answered') return;
        const key = `${operation} ${outcome.fault} ${outcome.code}`;
        const failure = failures.get(key) ?? { operation, fault: outcome.fault, code: outcome.code, count: 0 };
        failure.count++;
        failures.set(key, failure);
      };
    },

    text() {
      const lines = [
        '# HELP warren_operations_running Calls under way.',
        '# TYPE warren_operations_running gauge',
        `warren_operations_running ${running}`,
        '# HELP warren_operation_seconds How long calls take.',
        '# TYPE warren_operation_seconds histogram',
        ...[...histograms].toSorted(byName).flatMap(([operation, histogram]) => histogramLines(operation, histogram)),
        '# HELP warren_operation_errors_total Calls that were answered with an error.',
        '# TYPE warren_operation_errors_total counter',
        ...[...failures].toSorted(byName).map(([, { operation, fault, code, count }]) => {
          return `warren_operation_errors_total{operation="${operation}",fault="${fault}",code="${code}"} ${count}`;
        }),
      ];
      return `${lines.join('\n')}\n`;
    },
  };
}

function histogramOf(histograms: Map<string, Histogram>, operation: string): Histogram {
  const known = histograms.get(operation);
  if (known !== undefined) return known;
  const made: Histogram = { counts: BUCKETS.map(() => 0), sum: 0, count: 0 };
  histograms.set(operation, made);
  return made;
}

function record(histogram: Histogram, seconds: number): void {
  const index = BUCKETS.findIndex((bound) => seconds <= bound);
  if (index >= 0) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
  histogram.sum += seconds;
  histogram.count++;
}

/** Names of operations are words of ours, so nothing needs escaping. */
function histogramLines(operation: string, { counts, sum, count }: Histogram): readonly string[] {
  let below = 0;
  return [
    ...counts.map((each, index) => {
      below += each;
      return `warren_operation_seconds_bucket{operation="${operation}",le="${BUCKETS[index]}"} ${below}`;
    }),
    `warren_operation_seconds_bucket{operation="${operation}",le="+Inf"} ${count}`,
    `warren_operation_seconds_sum{operation="${operation}"} ${sum}`,
    `warren_operation_seconds_count{operation="${operation}"} ${count}`,
  ];
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
