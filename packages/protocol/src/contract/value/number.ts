/** Numbers on the wire. */
import { z } from 'zod';

/** A whole number that a double holds exactly. A boolean is none, and -0 is 0. */
export const int = z.int().overwrite((value) => value + 0);

/** Seconds, as a duration or since 1970, fractions allowed, and -0 is 0. The bound is that of dates, so that they are exact as milliseconds. */
const SECONDS_MAX = 8_640_000_000_000;
export const seconds = z
  .number()
  .min(-SECONDS_MAX)
  .max(SECONDS_MAX)
  .overwrite((value) => value + 0);

/** A number between 0 and 1, as the kernel checks. */
export const share = z.number();

/** Whole milliseconds, as a duration; the name of the field says so. */
export function milliseconds(most: number) {
  return int.min(0).max(most);
}

/** `int`, or text that says one: earlier clients send either. */
export const looseInt = z.union(
  [
    int,
    z
      .string()
      .max(32)
      .regex(/^\s*[+-]?\d+\s*$/)
      .transform(Number)
      .pipe(int),
  ],
  { error: 'is not a whole number' },
);

/** `seconds`, or text that says some. */
export const looseSeconds = z.union(
  [
    seconds,
    z
      .string()
      .max(64)
      .regex(/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/)
      .transform(Number)
      .pipe(seconds),
  ],
  { error: 'is not a number of seconds' },
);
