/** Text on the wire. The kernel refuses much less than fits here, with the fault of its rule; these bounds only keep a request cheap. */
import { z } from 'zod';

/** A name, a kind, a topic, a path: whatever is looked up. */
export const word = text(4_096);

/** A reason, an error: whatever people read. */
export const prose = text(65_536);

/** What is looked for. */
export const question = text(10_000);

/** What somebody wrote, whole. */
export const writing = text(1_000_000);

/** Base 64, complete and padded, of up to 24 MiB. The largest body of a file is smaller. */
export const base64 = z
  .string()
  .max(33_554_432)
  .refine((value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value), { error: 'is not base 64' })
  .meta({ contentEncoding: 'base64' });

/** Characters, of which a lone half of a surrogate pair is none: it could not be stored as it came. */
function text(charactersMax: number) {
  return z
    .string()
    .max(charactersMax)
    .refine((value) => value.isWellFormed(), { error: 'is not well-formed Unicode' });
}
