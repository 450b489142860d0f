/** `agent.*`: agents by name. `agent.start` is what one needs to let one act: a process, its grants and its box in one step. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { closedGrantParams } from '../record/grant.ts';
import { MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { listOf, table } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

const BUDGETS_MAX = 32;

const agentRun = z.object({ agent: word, pid: int, state: word, paused: z.boolean(), created_at: seconds });
/** `kept`: whether there is a record of it, beyond the process somebody started in its name. */
const listedAgent = z.object({
  agent: word,
  purpose: prose,
  kept: z.boolean(),
  revoked: z.boolean(),
  paused: z.boolean(),
  pid: int.nullable(),
  state: word.nullable(),
  /** Of the record or, without one, of the process. */
  created_at: seconds,
});
/** `changed`: whether it was otherwise before. */
const agentPaused = z.object({ agent: word, paused: z.boolean(), changed: z.boolean() });

export const AGENT_RUN_OPERATIONS = {
  'agent.start': operation({
    summary:
      'Starts a process for an agent, with its grants, its budgets and a box for its mail; one that was not made is, with the grants given here',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ agent: word, ...closedGrantParams, budgets: optional(table(int, BUDGETS_MAX)) }),
    result: agentRun,
    faults: ['grant_invalid', 'ledger_amount_invalid', 'illegal_transition', 'conflict', 'too_large', ...ON_WRITE],
  }),
  'agent.open': operation({
    summary: 'Answers with the newest live process of an agent; where there is none, one begins with what the agent is kept with',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ agent: word }),
    result: agentRun,
    faults: ['illegal_transition', 'conflict', 'too_large', ...ON_WRITE],
  }),
  'agent.find': operation({
    summary: 'Answers with the newest live process of an agent',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ agent: word }),
    result: agentRun,
    faults: [...ON_READ],
  }),
  'agent.list': operation({
    summary: 'Lists agents that are kept or have a live process, with the newest of each',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({}),
    result: z.object({ agents: listOf(listedAgent) }),
    faults: [...ON_READ],
  }),
  'agent.pause': operation({
    summary: 'Stops all processes of an agent, those to come included: calls are refused and what runs is frozen until it is resumed',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ agent: word }),
    result: agentPaused,
    faults: ['illegal_transition', ...ON_WRITE],
  }),
  'agent.resume': operation({
    summary: 'Lets an agent that was paused go on; a process that was suspended for another reason stays so',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ agent: word }),
    result: agentPaused,
    faults: ['illegal_transition', ...ON_WRITE],
  }),
};
