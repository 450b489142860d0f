/**
 * The laws every kind of pattern obeys, checked against a meaning of patterns that is written down a second time, as simply as can be, in the
 * test of the kind. Alphabets are small, so that patterns really meet; things are tried exhaustively, and some are longer than any pattern.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PatternKind } from '../pattern-kind.ts';
import { coversList, hasOne, meetLists, parsePatterns } from '../pattern-list.ts';

const SEED = process.env['WARREN_PROPERTY_SEED'];
/** A failure prints its seed. */
const SETTINGS = { numRuns: Number(process.env['WARREN_PROPERTY_RUNS'] ?? 500), ...(SEED === undefined ? {} : { seed: Number(SEED) }) };

export type Subject<Value, Pattern, Thing> = {
  readonly kind: PatternKind<Value, Pattern>;
  /** Entries as a caller writes them. */
  readonly entry: fc.Arbitrary<unknown>;
  readonly things: readonly Thing[];
  readonly named: (thing: Thing) => Pattern | undefined;
  /** Whether the thing is what the (canonical) value stands for. */
  readonly means: (value: Value, thing: Thing) => boolean;
};

export function testPatternLaws<Value, Pattern, Thing>({ kind, entry, things, named, means }: Subject<Value, Pattern, Thing>): void {
  const list = fc.array(entry, { maxLength: 4 }).map((entries) => parsePatterns(kind, entries));
  const asked = things.map((thing) => [thing, named(thing)] as const);
  const allowed = (values: readonly Value[]): readonly Thing[] =>
    asked.filter(([, one]) => hasOne(kind, values, one)).map(([thing]) => thing);
  const meant = (values: readonly Value[]): readonly Thing[] => things.filter((thing) => values.some((value) => means(value, thing)));

  describe(`patterns of ${kind.field}`, () => {
    it('allow exactly what they mean', () => {
      fc.assert(
        fc.property(list, (values) => {
          expect(allowed(values)).toEqual(meant(values));
        }),
        SETTINGS,
      );
    });

    it('are within others exactly when all they allow is allowed by the others', () => {
      fc.assert(
        fc.property(list, list, (outer, inner) => {
          const isSubset = meant(inner).every((thing) => outer.some((value) => means(value, thing)));
          expect(coversList(kind, outer, inner)).toBe(isSubset);
        }),
        SETTINGS,
      );
    });

    it('are within themselves, and within whatever is around what is around them', () => {
      fc.assert(
        fc.property(list, list, list, (a, b, c) => {
          expect(coversList(kind, a, a)).toBe(true);
          if (coversList(kind, a, b) && coversList(kind, b, c)) expect(coversList(kind, a, c)).toBe(true);
        }),
        SETTINGS,
      );
    });

    it('meet in exactly what both allow, in either order, and within both', () => {
      fc.assert(
        fc.property(list, list, (a, b) => {
          const both = meetLists(kind, a, b);
          expect(allowed(both)).toEqual(allowed(a).filter((thing) => b.some((value) => means(value, thing))));
          expect(allowed(meetLists(kind, b, a))).toEqual(allowed(both));
          expect(coversList(kind, a, both) && coversList(kind, b, both)).toBe(true);
        }),
        SETTINGS,
      );
    });

    it('come back from where they meet as patterns like others, and stay as they are where nothing is lost', () => {
      fc.assert(
        fc.property(list, list, (a, b) => {
          const both = meetLists(kind, a, b);
          expect(parsePatterns(kind, both)).toEqual(both);
          if (coversList(kind, b, a)) expect(both).toEqual(a);
        }),
        SETTINGS,
      );
    });

    it('are canonical after one parse, and written as they are read', () => {
      fc.assert(
        fc.property(list, (values) => {
          expect(parsePatterns(kind, values)).toEqual(values);
          expect(values.map((value) => kind.write(kind.read(value)))).toEqual(values);
        }),
        SETTINGS,
      );
    });
  });
}
