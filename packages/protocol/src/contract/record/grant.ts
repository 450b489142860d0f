/** Grants on the wire. */
import { z } from 'zod';
import { optional, withDefault } from '../value/absent.ts';
import { list, listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const pathMode = z.enum(['r', 'rw']);
export const pathGrant = z.object({ prefix: word, mode: pathMode });

const GRANTS_MAX = 1_000;

/** What to grant, as parameters. What is left out is not granted. */
export const grantParams = {
  tool_grants: optional(list(word, GRANTS_MAX)),
  fs_grants: optional(list(pathGrant, GRANTS_MAX)),
  net_grants: optional(list(word, GRANTS_MAX)),
  model_grants: optional(list(word, GRANTS_MAX)),
  sub_agent: withDefault(z.boolean(), false),
};

/** The same, of operations that refuse what they do not know. */
export const closedGrantParams = { ...grantParams, fs_grants: optional(list(pathGrant.strict(), GRANTS_MAX)) };

export const grant = z.object({
  cap_id: int,
  parent_cap_id: int.nullable(),
  pid: int,
  tool_grants: listOf(word),
  fs_grants: listOf(pathGrant),
  net_grants: listOf(word),
  model_grants: listOf(word),
  sub_agent: z.boolean(),
  created_at: seconds,
});

export type Grant = z.output<typeof grant>;
