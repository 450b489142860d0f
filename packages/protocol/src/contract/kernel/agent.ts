/** `kernel.agent.*`: processes and their states. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { agentProcess, exitKind, parentEndPolicy, processState } from '../record/process.ts';
import { itsTree, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit, offset } from '../value/clamped.ts';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

const moved = { pid: int, prev_state: processState, event_id: int };

export const AGENT_OPERATIONS = {
  'kernel.agent.create': operation({
    summary: 'Creates a process in state READY, as a child of `parent_pid` if that is given',
    tier: 'stable',
    effect: 'once',
    scope: itsTree('parent_pid'),
    params: z.object({
      name: word,
      template: word,
      parent_pid: optional(int),
      metadata: optional(jsonObject),
      agent: optional(word),
      on_parent_end: optional(parentEndPolicy),
    }),
    result: z.object({ pid: int, state: z.literal('READY') }),
    faults: ['unknown_pid', 'illegal_transition', 'invalid_payload', 'grant_exceeds_parent', 'too_large', ...ON_WRITE],
  }),
  'kernel.agent.get': operation({
    summary: 'Answers with a process',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: agentProcess,
    faults: ['unknown_pid', ...ON_READ],
  }),
  'kernel.agent.list': operation({
    summary: 'Lists processes by pid, of one state, one parent or one agent where that is given',
    tier: 'stable',
    effect: 'read',
    scope: itsTree('parent_pid'),
    params: z.object({ state: optional(processState), parent_pid: optional(int), agent: optional(word), limit, offset }),
    result: z.object({ agents: listOf(agentProcess), total: int }),
    faults: [...ON_READ],
  }),
  'kernel.agent.transition': operation({
    summary: 'Moves a process to another state, if `expected_state` is given only from that one',
    tier: 'stable',
    effect: 'once',
    scope: MEMBER,
    params: z.object({ pid: int, target_state: processState, reason: optional(prose), expected_state: optional(processState) }),
    result: z.object({ ...moved, state: processState }),
    faults: ['unknown_pid', 'illegal_transition', 'invalid_payload', ...ON_WRITE],
  }),
  'kernel.agent.terminate': operation({
    summary: 'Ends a process and says how, and with it those of its descendants that end with their parent',
    tier: 'stable',
    effect: 'once',
    scope: itsTree(),
    params: z.object({ pid: int, exit_kind: exitKind, exit_detail: optional(jsonObject) }),
    result: z.object({ ...moved, state: z.literal('DEAD') }),
    faults: ['unknown_pid', 'illegal_transition', 'invalid_payload', 'too_large', ...ON_WRITE],
  }),
};
