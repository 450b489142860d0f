/** `hook.*`: what the operator wants to happen at points of agents' lives. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { hook, hookPoint } from '../record/hook.ts';
import { OPERATOR } from '../scope.ts';
import { ON_READ } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { jsonObject, NO_PAYLOAD } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { prose, word } from '../value/text.ts';

export const HOOK_OPERATIONS = {
  'hook.list': operation({
    summary: 'Lists what happens at points of agents’ lives as `hooks.yaml` says it, first what runs first',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: z.object({ hooks: listOf(hook) }),
    faults: [],
  }),
  'hook.test': operation({
    summary: 'Runs one hook as if there were such a call, which is not made, and says what it would make of it',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({
      name: word,
      point: optional(hookPoint),
      capability: withDefault(word, 'system.info'),
      input: withDefault(jsonObject, NO_PAYLOAD),
      agent: withDefault(word, ''),
    }),
    result: z.object({
      outcome: z.enum(['nothing', 'changes', 'vetoes', 'fails']),
      /** What it makes of the arguments; null unless it changes them. */
      input: jsonObject.nullable(),
      /** Of a veto or a failure. */
      reason: prose.nullable(),
    }),
    faults: ['conflict', ...ON_READ],
  }),
};
