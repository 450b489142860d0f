/** Where secrets stand, and which. */
import { digit64 } from './encoded-runs.ts';

export type Range = {
  readonly start: number;
  readonly end: number;
  /** Which of those that were given. */
  readonly secret: number;
  /** Its marker was written before: a stream was cut within it. */
  readonly isTold?: boolean | undefined;
};

/** Between pieces of one value in base64 stands a character that belongs to both. */
const GAP_MAX = 2;

/** Ranges as they are found. Those of one secret that follow on each other are one: a text may consist of nothing else. */
export class RangeList {
  readonly #all: Range[] = [];

  get all(): readonly Range[] {
    return this.#all;
  }

  add(start: number, end: number, secret: number): void {
    const last = this.#all.at(-1);
    if (last === undefined || last.secret !== secret || start > last.end || end < last.start) this.#all.push({ start, end, secret });
    else if (start < last.start || end > last.end)
      this.#all[this.#all.length - 1] = { start: Math.min(start, last.start), end: Math.max(end, last.end), secret };
  }
}

/** By start, what was told first, then those that reach further, and then in the order in which they were given. */
export function sortRanges(ranges: readonly Range[]): readonly Range[] {
  const told = ({ isTold }: Range): number => (isTold === true ? 0 : 1);
  return ranges.toSorted(
    (one, other) => one.start - other.start || told(one) - told(other) || other.end - one.end || one.secret - other.secret,
  );
}

/** What overlaps becomes one, and so do pieces of one secret. Of sorted ranges. */
export function joinRanges(sorted: readonly Range[], bytes: Uint8Array): readonly Range[] {
  const joined: Range[] = [];
  let last: Range | undefined;
  for (const range of sorted) {
    if (last !== undefined && (range.start < last.end || (range.secret === last.secret && isJoint(bytes, last.end, range.start)))) {
      last = { ...last, end: Math.max(last.end, range.end) };
      joined[joined.length - 1] = last;
    } else {
      last = range;
      joined.push(range);
    }
  }
  return joined;
}

function isJoint(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > GAP_MAX) return false;
  for (let at = from; at < to; at++) if (digit64(bytes, at) < 0) return false;
  return true;
}
