/** `kernel.observe.*`: what the kernel says about itself. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { event } from '../record/event.ts';
import { processView, summary } from '../record/observation.ts';
import { itsTree, MEMBER, OPERATOR } from '../scope.ts';
import { ON_READ } from '../store-faults.ts';
import { withDefault } from '../value/absent.ts';
import { listOf } from '../value/list.ts';
import { int, looseInt } from '../value/number.ts';

const DEPTH_DEFAULT = 10;
const DEPTH_MAX = 100;

export const OBSERVE_OPERATIONS = {
  'kernel.observe.proc': operation({
    summary: 'Answers with everything about one process; an unknown one is empty',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: processView,
    faults: [...ON_READ],
  }),
  'kernel.observe.summary': operation({
    summary: 'Counts everything there is',
    tier: 'stable',
    effect: 'read',
    scope: MEMBER,
    params: z.object({}),
    result: summary,
    faults: [...ON_READ],
  }),
  'kernel.observe.trace': operation({
    summary: 'Lists an event, the one that led to it, and so on',
    tier: 'stable',
    effect: 'read',
    scope: MEMBER,
    params: z.object({
      event_id: int,
      depth: withDefault(looseInt, DEPTH_DEFAULT)
        .transform((depth) => (depth < 1 ? DEPTH_DEFAULT : Math.min(depth, DEPTH_MAX)))
        .meta({ default: DEPTH_DEFAULT }),
    }),
    result: z.object({ events: listOf(event), depth: int, truncated: z.boolean() }),
    faults: [...ON_READ],
  }),
  'kernel.observe.prometheus': operation({
    summary: 'Answers with the metrics of the whole daemon in the text form of Prometheus',
    tier: 'stable',
    effect: 'read',
    scope: OPERATOR,
    params: z.object({}),
    result: z.object({ text: z.string() }),
    faults: [...ON_READ],
  }),
};
