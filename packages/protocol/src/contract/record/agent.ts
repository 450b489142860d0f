/** Agents on the wire. */
import { z } from 'zod';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { pathGrant } from './grant.ts';

/** `revoked`: none of its tokens works, and it has no processes, until it is restored. */
export const agentState = z.enum(['active', 'revoked']);

export const agentRecord = z.object({
  agent: word,
  /** What it is for, in words for people. */
  purpose: prose,
  state: agentState,
  paused: z.boolean(),
  /** What each of its processes is given. */
  tool_grants: listOf(word),
  fs_grants: listOf(pathGrant),
  net_grants: listOf(word),
  model_grants: listOf(word),
  sub_agent: z.boolean(),
  /** Of each of its processes, by dimension. */
  budgets: z.record(word, int),
  created_at: seconds,
  updated_at: seconds,
});

export type AgentRecord = z.output<typeof agentRecord>;
