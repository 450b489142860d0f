/** `event.*`: what `kernel.events.*` has no word for. To follow events as they happen, there is the stream of the daemon. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { event } from '../record/event.ts';
import { itsTree, MEMBER } from '../scope.ts';
import { ON_READ } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { word } from '../value/text.ts';

export const EVENT_OPERATIONS = {
  'event.newest': operation({
    summary: 'Lists the newest events, oldest first, of one process and one kind where those are given',
    tier: 'experimental',
    effect: 'read',
    scope: itsTree(),
    params: z.strictObject({ pid: optional(int), kind: optional(word), limit }),
    result: z.object({ events: listOf(event) }),
    faults: [...ON_READ],
  }),
  'event.extent': operation({
    summary: 'Says which events are kept',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({}),
    result: z.object({ first_event_id: int, next_event_id: int, count: int }),
    faults: [...ON_READ],
  }),
};
