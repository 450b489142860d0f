/** Numbers that are brought within bounds and never refused, because a list is still a list when somebody asks for too much of it. */
import { z } from 'zod';

type Bounds = { readonly least: number; readonly most: number; readonly otherwise: number };

/** How many of a list. */
export const limit = clamped({ least: 1, most: 10_000, otherwise: 100 });

/** How many of a list to leave out before the first. */
export const offset = clamped({ least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });

function clamped(bounds: Bounds) {
  return z
    .custom<number | string | null | undefined>()
    .optional()
    .transform((value) => clamp(value, bounds))
    .meta({ type: 'integer', minimum: bounds.least, maximum: bounds.most, default: bounds.otherwise });
}

/** Text that says a number counts as one; whatever is no number counts as absent. */
export function clamp(value: unknown, { least, most, otherwise }: Bounds): number {
  const isNumeral = typeof value === 'string' && value.length <= 32 && value.trim() !== '';
  const number = isNumeral ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return otherwise;
  return Math.min(most, Math.max(least, Math.trunc(number) + 0)); // -0 + 0 is 0.
}
