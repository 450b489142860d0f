/** `alert.*`: what agents and Warren tell people. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { alert } from '../record/alert.ts';
import { MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { word } from '../value/text.ts';

export const ALERT_OPERATIONS = {
  'alert.list': operation({
    summary: 'Lists alerts, the newest first',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({
      status: optional(z.enum(['pending', 'acknowledged', 'all'])),
      agent: optional(word),
      before: optional(word),
      limit,
    }),
    result: z.object({ alerts: listOf(alert), pending: int }),
    faults: [...ON_READ],
  }),
  'alert.acknowledge': operation({
    summary: 'Says that somebody has seen an alert',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ alert_id: word }),
    result: z.object({ acknowledged: z.boolean() }),
    faults: [...ON_WRITE],
  }),
};
