import { Fault } from '@warren/protocol';

export type Range = { readonly default: number; readonly least: number; readonly most: number };

/** A whole number within the range, or its default. Throws `mail_invalid` with the field. */
export function checkNumber(value: number | undefined, range: Range, field: string): number {
  if (value === undefined) return range.default;
  if (Number.isSafeInteger(value) && value >= range.least && value <= range.most) return value;
  throw new Fault('mail_invalid', `Cannot use ${field}: it is no whole number from ${range.least} to ${range.most}`, {
    details: { field },
  });
}
