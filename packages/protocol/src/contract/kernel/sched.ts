/** `kernel.sched.*`: scheduled work. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { exitKind } from '../record/process.ts';
import { claimedEntry, queueState, readyEntry } from '../record/queue.ts';
import { itsTree, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit, offset } from '../value/clamped.ts';
import { jsonObject, NO_PAYLOAD } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, looseInt, looseSeconds, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

const CLAIM_MAX = 1_000;
/** Earlier clients know of no lease and cannot prolong one, so it is as long as they let work take. */
const LEASE_S_DEFAULT = 300;

export const SCHED_OPERATIONS = {
  'kernel.sched.enqueue': operation({
    summary: 'Queues work for a process, from `runnable_at` and until `deadline` where those are given',
    tier: 'stable',
    effect: 'once',
    scope: itsTree(),
    params: z.object({
      pid: int,
      priority: withDefault(looseInt, 0),
      runnable_at: withDefault(looseSeconds, 0),
      deadline: optional(looseSeconds),
      trigger: withDefault(word, 'manual'),
      payload: withDefault(jsonObject, NO_PAYLOAD),
    }),
    result: z.object({ sched_id: int }),
    faults: ['unknown_pid', 'queue_entry_invalid', 'queue_admission_denied', 'too_large', ...ON_WRITE],
  }),
  'kernel.sched.claim': operation({
    summary: 'Takes the best entries that can run, under a lease; what is not completed by its end is queued again',
    tier: 'stable',
    effect: 'once',
    scope: MEMBER,
    params: z.object({
      worker_id: word,
      max_n: withDefault(looseInt, 1)
        .transform((value) => Math.min(value, CLAIM_MAX))
        .meta({ default: 1 }),
      now: optional(looseSeconds),
      admission_check: withDefault(z.boolean(), true),
      lease_s: withDefault(seconds, LEASE_S_DEFAULT),
      starts_process: withDefault(z.boolean(), false),
    }),
    result: z.object({ entries: listOf(claimedEntry) }),
    faults: ['queue_entry_invalid', ...ON_WRITE],
  }),
  'kernel.sched.complete': operation({
    summary: 'Says that claimed work is done, if `fence` is given only while the claim still holds',
    tier: 'stable',
    effect: 'once',
    scope: MEMBER,
    params: z.object({ sched_id: int, exit_kind: exitKind, fence: optional(int), ends_process: withDefault(z.boolean(), false) }),
    result: z.object({ sched_id: int, prev_state: queueState, state: z.literal('completed') }),
    faults: ['queue_entry_not_found', 'queue_illegal_transition', 'lease_lost', ...ON_WRITE],
  }),
  'kernel.sched.cancel': operation({
    summary: 'Takes queued work out of the queue',
    tier: 'stable',
    effect: 'once',
    scope: MEMBER,
    params: z.object({ sched_id: int }),
    result: z.object({ sched_id: int, prev_state: queueState, state: z.literal('cancelled') }),
    faults: ['queue_entry_not_found', 'queue_illegal_transition', ...ON_WRITE],
  }),
  'kernel.sched.get': operation({
    summary: 'Answers with an entry of the queue',
    tier: 'stable',
    effect: 'read',
    scope: MEMBER,
    params: z.object({ sched_id: int }),
    result: readyEntry,
    faults: ['queue_entry_not_found', ...ON_READ],
  }),
  'kernel.sched.list': operation({
    summary: 'Lists entries of the queue by id, of one state and one process where those are given',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ state: optional(queueState), pid: optional(int), limit, offset }),
    result: z.object({ entries: listOf(readyEntry), total: int }),
    faults: ['queue_state_invalid', ...ON_READ],
  }),
  'kernel.sched.gc_expired': operation({
    summary: 'Marks queued work whose deadline passed, which also happens by itself in time',
    tier: 'stable',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.object({ now: optional(looseSeconds) }),
    result: z.object({ swept: int }),
    faults: ['queue_entry_invalid', ...ON_WRITE],
  }),
};
