/** `grant.*`: taking away what `kernel.cap.*` gives. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { closedGrantParams, grant } from '../record/grant.ts';
import { itsTree } from '../scope.ts';
import { ON_WRITE } from '../store-faults.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';

export const GRANT_OPERATIONS = {
  'grant.narrow': operation({
    summary: 'Leaves a process only the grants named, and everything below it at most those, at once',
    tier: 'experimental',
    effect: 'idempotent',
    scope: itsTree(),
    params: z.strictObject({ pid: int, ...closedGrantParams }),
    result: z.object({ grant, narrowed: listOf(int) }),
    faults: ['grant_not_found', 'grant_invalid', 'grant_exceeds_parent', ...ON_WRITE],
  }),
  'grant.revoke': operation({
    summary: 'Takes all grants away, from a process and everything below it, at once and for good',
    tier: 'experimental',
    effect: 'idempotent',
    scope: itsTree(),
    params: z.strictObject({ pid: int }),
    result: z.object({ revoked: listOf(int) }),
    faults: ['unknown_pid', ...ON_WRITE],
  }),
};
