/** `agent.*`: agents as they are kept, whether they have a process or not. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { agentRecord } from '../record/agent.ts';
import { pathGrant } from '../record/grant.ts';
import { newToken } from '../record/token.ts';
import { MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { list, table } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

const BUDGETS_MAX = 32;
const GRANTS_MAX = 1_000;

/** What is left out stays as it is; of a new agent it is nothing. */
const terms = {
  purpose: optional(prose),
  tool_grants: optional(list(word, GRANTS_MAX)),
  fs_grants: optional(list(pathGrant.strict(), GRANTS_MAX)),
  net_grants: optional(list(word, GRANTS_MAX)),
  model_grants: optional(list(word, GRANTS_MAX)),
  sub_agent: optional(z.boolean()),
  budgets: optional(table(int, BUDGETS_MAX)),
};
const named = z.strictObject({ agent: word });
/** `changed`: whether it was otherwise before. */
const changed = z.object({ agent: word, changed: z.boolean() });

export const AGENT_RECORD_OPERATIONS = {
  'agent.create': operation({
    summary: 'Makes an agent, with what each of its processes is given, and a token for it',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: named.extend({ ...terms, expires_at: optional(seconds) }),
    result: z.object({ agent: agentRecord, token: newToken }),
    faults: ['already_exists', 'conflict', 'grant_invalid', 'ledger_amount_invalid', 'too_large', ...ON_WRITE],
  }),
  'agent.get': operation({
    summary: 'Answers with an agent as it is kept',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: named,
    result: agentRecord,
    faults: [...ON_READ],
  }),
  'agent.update': operation({
    summary: 'Changes what the processes of an agent are given from now on; those that run keep what they have',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named.extend(terms),
    result: agentRecord,
    faults: ['grant_invalid', 'ledger_amount_invalid', ...ON_WRITE],
  }),
  'agent.rotate_token': operation({
    summary: 'Makes a new token for an agent, and every one before worthless',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: named.extend({ expires_at: optional(seconds) }),
    result: newToken,
    faults: ['illegal_transition', 'too_large', ...ON_WRITE],
  }),
  'agent.revoke': operation({
    summary: 'Makes every token of an agent worthless and ends its processes, until it is restored',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named,
    result: changed,
    faults: [...ON_WRITE],
  }),
  'agent.restore': operation({
    summary: 'Makes an agent that was revoked active again, and a new token for it; what it kept is still there',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: named.extend({ expires_at: optional(seconds) }),
    result: newToken,
    faults: ['conflict', 'too_large', ...ON_WRITE],
  }),
  'agent.delete': operation({
    summary: 'Deletes an agent with its tokens, and ends its processes; what it did stays in the records',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: named,
    result: z.object({ agent: word, deleted: z.boolean() }),
    faults: [...ON_WRITE],
  }),
};
