/** `skill.*`: folders with instructions and a program. Agents run them by the capability `skill.run`; here is what people do with them. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { skill, skillSummary, skillTrial } from '../record/skill.ts';
import { MEMBER, OPERATOR } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { withDefault } from '../value/absent.ts';
import { jsonObject, NO_PAYLOAD } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { word } from '../value/text.ts';

const named = z.strictObject({ name: word });
const changed = z.object({ changed: z.boolean() });

export const SKILL_OPERATIONS = {
  'skill.list': operation({
    summary: 'Lists the skills there are, as they are now, and which of them agents of the workspace may use',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({}),
    result: z.object({ skills: listOf(skillSummary) }),
    faults: [...ON_READ],
  }),
  'skill.get': operation({
    summary: 'Shows a skill: its instructions, and the secrets, hosts and folders that it declares',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: named,
    result: skill,
    faults: [...ON_READ],
  }),
  'skill.add': operation({
    summary: 'Copies a folder of the machine of the daemon, in place of the skill of that name, and approves it as it is',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ path: word }),
    result: skill,
    faults: ['too_large', ...ON_WRITE],
  }),
  'skill.approve': operation({
    summary: 'Approves a skill as it is by the hash of its files, so that it may run',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ name: word, hash: word }),
    result: skill,
    faults: ['conflict', ...ON_WRITE],
  }),
  'skill.remove': operation({
    summary: 'Removes a skill from all workspaces; runs of it that are under way go on',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: named,
    result: z.object({ removed: z.boolean() }),
    faults: [...ON_WRITE],
  }),
  'skill.enable': operation({
    summary: 'Lets agents of the workspace use a skill',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named,
    result: changed,
    faults: ['too_large', ...ON_WRITE],
  }),
  'skill.disable': operation({
    summary: 'Lets no agent of the workspace use a skill any more',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named,
    result: changed,
    faults: [...ON_WRITE],
  }),
  'skill.test': operation({
    summary: 'Runs a skill once as an agent of the workspace would have it run, whether it is enabled there or not',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ name: word, params: withDefault(jsonObject, NO_PAYLOAD) }),
    result: skillTrial,
    faults: ['too_large', 'unavailable', 'vault_locked', ...ON_WRITE],
  }),
};
