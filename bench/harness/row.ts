/** One line of a result: what was measured, in numbers, and what it was to reach. */
import { type Statistics, summarize } from './statistics.ts';

export type Unit = 'µs' | 'ms' | 's' | 'MiB' | 'MB/s' | 'sandboxes/s' | '/s' | 'calls' | 'share';

export type Bound = { readonly kind: 'at_most' | 'at_least' | 'below'; readonly value: number };

/** How two medians of one run relate. */
export type Ratio = { readonly label: string; readonly value: number; readonly bound?: Bound };

export type Row = {
  readonly what: string;
  readonly unit: Unit;
  /** Undefined when it was not measured; `note` says why, and what to type. */
  readonly statistics: Statistics | undefined;
  readonly bound?: Bound;
  /** What is held to it; default the median. */
  readonly boundOf?: 'p50' | 'p95';
  readonly ratio?: Ratio;
  readonly note?: string;
};

export type RowOptions = { readonly bound?: Bound; readonly boundOf?: 'p50' | 'p95'; readonly ratio?: Ratio; readonly note?: string };

export function measured(what: string, unit: Unit, samples: readonly number[], options: RowOptions = {}): Row {
  return { what, unit, statistics: summarize(samples), ...options };
}

export function notMeasured(what: string, unit: Unit, note: string): Row {
  return { what, unit, statistics: undefined, note };
}

/** The ratio of two medians, `of ÷ to`. */
export function ratio(label: string, of: readonly number[], to: readonly number[], bound?: Bound): Ratio {
  const value = summarize(of).p50 / summarize(to).p50;
  return bound === undefined ? { label, value } : { label, value, bound };
}

export function atMost(value: number): Bound {
  return { kind: 'at_most', value };
}

export function atLeast(value: number): Bound {
  return { kind: 'at_least', value };
}

export function below(value: number): Bound {
  return { kind: 'below', value };
}

/** Whether everything the row is held to is reached. Undefined: it is held to nothing, or was not measured. */
export function isMet(row: Row): boolean | undefined {
  const held = [
    row.statistics === undefined || row.bound === undefined ? undefined : holds(row.statistics[row.boundOf ?? 'p50'], row.bound),
    row.ratio?.bound === undefined ? undefined : holds(row.ratio.value, row.ratio.bound),
  ].filter((one) => one !== undefined);
  return held.length === 0 ? undefined : held.every((one) => one);
}

function holds(value: number, bound: Bound): boolean {
  switch (bound.kind) {
    case 'at_most':
      return value <= bound.value;
    case 'at_least':
      return value >= bound.value;
    case 'below':
      return value < bound.value;
    default:
      return bound.kind satisfies never;
  }
}
