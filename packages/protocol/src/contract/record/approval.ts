/** Questions to people and standing answers, on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { askTerms, ruleRef } from './rule.ts';

export const approvalState = z.enum(['pending', 'approved', 'rejected', 'expired', 'cancelled']);

/** What an approver would allow from now on without asking; it holds when all who say yes say it. */
const alwaysSaid = z.object({ scope: z.enum(['exact', 'capability', 'when']), when: jsonObject.nullable(), for_ms: int });

export const approval = z.object({
  approval_id: word,
  state: approvalState,
  call_id: word,
  pid: int,
  agent: word,
  capability: word,
  /** Redacted; in lists long arguments are shortened. */
  input: jsonObject,
  /** Whether all of what would be carried out is shown: `edited_input`, or `input` where there is none. */
  input_is_whole: z.boolean(),
  call_hash: word,
  rule: ruleRef.nullable(),
  reasoning: prose.nullable(),
  terms: askTerms,
  created_at: seconds,
  expires_at: seconds,
  escalated_at: seconds.nullable(),
  decided_at: seconds.nullable(),
  votes: listOf(z.object({ approver: word, at: seconds, note: prose.nullable(), always: alwaysSaid.nullable() })),
  reason: prose.nullable(),
  edited_input: jsonObject.nullable(),
});

export const allowRule = z.object({
  rule_id: word,
  agent: word,
  capability: word,
  when: jsonObject.nullable(),
  created_at: seconds,
  created_by: word,
  approval_id: word.nullable(),
  expires_at: seconds,
  revoked_at: seconds.nullable(),
});

export type ApprovalRecord = z.output<typeof approval>;
export type AllowRuleRecord = z.output<typeof allowRule>;
