/** People on the wire: never a passphrase, nor its hash. */
import { z } from 'zod';
import { listOf } from '../value/list.ts';
import { seconds } from '../value/number.ts';
import { word } from '../value/text.ts';
import { memberRole } from './token.ts';

/** Who vouches for somebody, and what they are called there. */
export const identity = z.object({ issuer: word, subject: word });

export const personRecord = z.object({
  /** What they sign in as. */
  name: word,
  /** Null, with the role: an operator. */
  workspace: word.nullable(),
  role: memberRole.nullable(),
  groups: listOf(word),
  has_passphrase: z.boolean(),
  identity: identity.nullable(),
  created_at: seconds,
  updated_at: seconds,
  disabled_at: seconds.nullable(),
});

export type PersonRecord = z.output<typeof personRecord>;
