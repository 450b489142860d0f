/**
 * What a kind of pattern can do. A pattern stands for a set of things, and what a process asks for is a pattern too: one that stands for
 * that thing alone. So there is one relation, `covers`, for checks and for derivation.
 *
 * Within each kind two sets are nested, apart, or meet in a set that one pattern can say, and no set is the union of finitely many smaller
 * ones as long as names may go on. That is why comparing pattern with pattern, one by one, is exact.
 */
import type { GrantField } from './grant-field.ts';

export type PatternKind<Value, Pattern = Value> = {
  readonly field: GrantField;
  /** What an entry may look like, for messages. */
  readonly shape: string;
  /** Undefined for what is no pattern. */
  parse(entry: unknown): Pattern | undefined;
  /** A pattern in the form it is kept in, and back. */
  write(pattern: Pattern): Value;
  read(value: Value): Pattern;
  /** Whether everything in `inner` is in `outer`. */
  covers(outer: Pattern, inner: Pattern): boolean;
  /** All that is in both; undefined when nothing is. */
  meet(a: Pattern, b: Pattern): Pattern | undefined;
};
