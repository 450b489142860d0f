/** Tokens on the wire: never the token itself but where it is made. */
import { z } from 'zod';
import { MEMBER_ROLES } from '../../member-role.ts';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const memberRole = z.enum(MEMBER_ROLES);

/** In whose name a call is made. */
export const principal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('operator') }),
  z.object({ kind: z.literal('member'), workspace: word, role: memberRole }),
  z.object({ kind: z.literal('agent'), workspace: word, agent: word }),
  z.object({ kind: z.literal('process'), workspace: word, pid: int }),
]);

export const tokenRecord = z.object({
  /** Names it without revealing it. */
  token_id: word,
  principal,
  /** Who signed in to get it. */
  person: word.nullable(),
  label: word,
  /** Whoever holds it; all tokens of one person have the same, and so that person has one vote. */
  owner: word,
  /** The token of the member who made it, null for those that operators made. */
  made_by: word.nullable(),
  /** Of whoever holds it: they say who may decide about what. */
  groups: listOf(word),
  created_at: seconds,
  expires_at: seconds.nullable(),
  revoked_at: seconds.nullable(),
});

/** The only time the token is shown. */
export const newToken = tokenRecord.extend({ token: word });

export type Principal = z.output<typeof principal>;
export type TokenRecord = z.output<typeof tokenRecord>;
export type NewToken = z.output<typeof newToken>;
