/** `approval.*`: questions about calls, and the people who answer them. An agent cannot. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { allowRule, approval, approvalState } from '../record/approval.ts';
import { APPROVER, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, milliseconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { WAIT_MS_MAX } from '../value/wait.ts';

const approval_id = word;
/** `call_hash` of what was read: if it is another by now, nothing is decided (`conflict`). */
const call_hash = optional(word);
const YEAR_MS = 31_536_000_000;

/** What to allow from now on without asking; `when` is a condition as in policies. */
const always = optional(
  z.strictObject({ scope: z.enum(['exact', 'capability', 'when']), when: optional(jsonObject), for_ms: milliseconds(YEAR_MS) }),
);

export const APPROVAL_OPERATIONS = {
  'approval.list': operation({
    summary: 'Lists questions, the newest first',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({
      state: optional(approvalState),
      agent: optional(word),
      pid: optional(int),
      before: optional(approval_id),
      limit,
    }),
    result: z.object({ approvals: listOf(approval), pending: int }),
    faults: [...ON_READ],
  }),
  'approval.get': operation({
    summary: 'Answers with a question and the whole arguments, and waits up to `wait_ms` until it is decided',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ approval_id, wait_ms: optional(milliseconds(WAIT_MS_MAX)) }),
    result: approval,
    faults: [...ON_READ],
  }),
  'approval.approve': operation({
    summary: 'Says yes; with the last yes that is needed the call is carried out, with other arguments if `input` is given',
    tier: 'experimental',
    effect: 'once',
    scope: APPROVER,
    params: z.strictObject({ approval_id, call_hash, note: optional(prose), input: optional(jsonObject), always }),
    result: approval,
    faults: ['conflict', ...ON_WRITE],
  }),
  'approval.reject': operation({
    summary: 'Says no, and why',
    tier: 'experimental',
    effect: 'once',
    scope: APPROVER,
    params: z.strictObject({ approval_id, call_hash, reason: optional(prose) }),
    result: approval,
    faults: ['conflict', ...ON_WRITE],
  }),
  'approval.cancel': operation({
    summary: 'Takes a question off the table; for those who may decide it',
    tier: 'experimental',
    effect: 'once',
    scope: APPROVER,
    params: z.strictObject({ approval_id, reason: optional(prose) }),
    result: approval,
    faults: ['conflict', ...ON_WRITE],
  }),
  'approval.list_rules': operation({
    summary: 'Lists what is allowed without asking because somebody said "always": what is in force, or all there was',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ all: optional(z.boolean()) }),
    result: z.object({ rules: listOf(allowRule) }),
    faults: [...ON_READ],
  }),
  'approval.revoke_rule': operation({
    summary: 'Takes such an "always" back',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ rule_id: word }),
    result: z.object({ revoked: z.boolean() }),
    faults: [...ON_WRITE],
  }),
};
