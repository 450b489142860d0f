/** `policy.*`: the rules in force, and what they would say. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { tier } from '../record/call.ts';
import { decision, policyStatus } from '../record/rule.ts';
import { MEMBER, OPERATOR } from '../scope.ts';
import { ON_READ } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { jsonObject } from '../value/json-object.ts';
import { list, listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

export const POLICY_OPERATIONS = {
  'policy.show': operation({
    summary: 'Says which policy files are in force for a workspace, and what is wrong with those that are not',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({}),
    result: policyStatus,
    faults: [...ON_READ],
  }),
  'policy.explain': operation({
    summary: 'Says what would be decided about a call of an agent, and by which rule; carries nothing out and counts nothing',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({
      agent: word,
      capability: word,
      input: jsonObject,
      taint: optional(z.array(word).max(32)),
      at: optional(seconds),
    }),
    result: decision,
    faults: [...ON_READ],
  }),
  'policy.reload': operation({
    summary: 'Reads the policy files again, all or none',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: policyStatus,
    faults: [...ON_READ],
  }),
  'policy.simulate': operation({
    summary: 'Decides recorded calls of a time again under other policy files, and says which would have gone another way',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.strictObject({
      files: list(z.strictObject({ path: word, text: z.string().max(1_048_576) }), 1_000),
      from: optional(seconds),
      to: optional(seconds),
      workspace: optional(word),
      limit: optional(int.min(1).max(1_000)),
    }),
    result: z.object({
      calls: int,
      same: int,
      stricter: int,
      milder: int,
      /** Calls of capabilities that are not there any more: not decided. */
      gone: int,
      changes: listOf(
        z.object({
          seq: int,
          at: seconds,
          workspace: word,
          agent: word,
          capability: word,
          before: tier,
          after: tier,
          rule: word.nullable(),
        }),
      ),
      problems: listOf(z.object({ file: word, line: int.nullable(), severity: z.enum(['error', 'warning']), message: prose })),
    }),
    faults: ['invalid_argument', ...ON_READ],
  }),
};
