/** Scheduled work on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';
import { exitKind } from './process.ts';

export const queueState = z.enum(['queued', 'dispatched', 'completed', 'expired', 'cancelled', 'dead']);

export const readyEntry = z.object({
  sched_id: int,
  pid: int,
  priority: int,
  runnable_at: seconds,
  deadline: seconds.nullable(),
  trigger: word,
  payload: jsonObject,
  state: queueState,
  worker_id: word.nullable(),
  created_at: seconds,
  dispatched_at: seconds.nullable(),
  completed_at: seconds.nullable(),
  exit_kind: exitKind.nullable(),
  /** Claims so far that count. */
  attempts: int,
  attempts_max: int,
  backoff_ms: int,
  /** Until when it belongs to its worker. */
  lease_until: seconds.nullable(),
  /** What the last attempt failed with. */
  error: z.string().nullable(),
  cron: z.object({ pattern: word, zone: word }).nullable(),
});

/** With what its worker must show to complete it: only the newest claim may. */
export const claimedEntry = readyEntry.extend({ fence: int });

/** Claimed over workspaces. */
export const claim = z.object({ workspace: word, entry: readyEntry, fence: int, lease_until: seconds });

export type ReadyEntry = z.output<typeof readyEntry>;
export type ClaimedEntry = z.output<typeof claimedEntry>;
export type Claim = z.output<typeof claim>;
