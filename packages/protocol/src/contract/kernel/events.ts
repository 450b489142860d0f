/** `kernel.events.*` and `kernel.info`: what happened. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { event } from '../record/event.ts';
import { itself, itsTree, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, looseInt } from '../value/number.ts';
import { word } from '../value/text.ts';

export const EVENTS_OPERATIONS = {
  'kernel.events.append': operation({
    summary: 'Writes an event of a process into the log; kinds that begin with `kernel.` are the own ones of the kernel',
    tier: 'stable',
    effect: 'once',
    scope: itself(),
    params: z.object({ pid: int, kind: word, payload: jsonObject, causation_id: optional(int), correlation_id: optional(word) }),
    result: z.object({ event_id: int }),
    faults: ['unknown_pid', 'invalid_payload', 'too_large', ...ON_WRITE],
  }),
  'kernel.events.tail': operation({
    summary: 'Lists events after `since_event_id`, oldest first, of one process and one kind where those are given',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: optional(int), kind: optional(word), since_event_id: withDefault(looseInt, 0), limit }),
    result: z.object({ events: listOf(event), next_cursor: int }),
    faults: [...ON_READ],
  }),
  'kernel.info': operation({
    summary: 'Counts the processes and events, and says the ids that come next',
    tier: 'stable',
    effect: 'read',
    scope: MEMBER,
    params: z.object({}),
    result: z.object({
      schema_version: int,
      next_pid: int,
      next_event_id: int,
      agent_count: int,
      event_count: int,
      live_states: z.object({ READY: int, RUNNING: int, WAITING: int, SUSPENDED: int }),
    }),
    faults: [...ON_READ],
  }),
};
