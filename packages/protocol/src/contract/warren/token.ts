/**
 * `token.*`: who may call. A token for an operator has a name of its own, so that nobody who may only make the other ones can ask for it.
 */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { memberRole, newToken, tokenRecord } from '../record/token.ts';
import { MEMBER, OPERATOR } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { list, listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

const described = { label: optional(word), owner: optional(word), groups: optional(list(word, 32)), expires_at: optional(seconds) };

export const TOKEN_OPERATIONS = {
  'token.create': operation({
    summary:
      'Makes a token for a process, an agent or a member with a role, of the workspace named or that of the caller; without any of them for an admin',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({
      pid: optional(int),
      agent: optional(word),
      role: optional(memberRole),
      workspace: optional(word),
      ...described,
    }),
    result: newToken,
    faults: ['unknown_pid', 'illegal_transition', 'conflict', 'too_large', ...ON_WRITE],
  }),
  'token.create_operator': operation({
    summary: 'Makes a token for an operator',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject(described),
    result: newToken,
    faults: ['conflict', 'too_large', ...ON_WRITE],
  }),
  'token.list': operation({
    summary: 'Lists the tokens of a workspace: the one named, or that of the caller; for an operator who names none, all',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ workspace: optional(word) }),
    result: z.object({ tokens: listOf(tokenRecord) }),
    faults: [...ON_READ],
  }),
  'token.revoke': operation({
    summary: 'Makes a token worthless from now on, of those the caller could list, and those that were made with it',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ token_id: word }),
    result: z.object({ revoked: z.boolean(), also_revoked: listOf(word) }),
    faults: [...ON_WRITE],
  }),
};
