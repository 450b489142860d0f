/** `call.*`: what agents do. A call takes the steps of the gate, whoever passes it on; a process calls as itself and as nobody else. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { callAnswer, callParams } from '../record/call.ts';
import { itself, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { listOf } from '../value/list.ts';
import { int, milliseconds, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';
import { WAIT_MS_MAX } from '../value/wait.ts';

export const CALL_OPERATIONS = {
  'call.make': operation({
    summary: 'Calls a capability as a process: checked, decided, recorded, carried out, recorded',
    tier: 'experimental',
    effect: 'once',
    scope: itself(),
    params: z.strictObject({ pid: int, ...callParams }),
    result: callAnswer,
    faults: ['unknown_pid', 'conflict', 'too_large', 'unavailable', ...ON_WRITE],
  }),
  'call.result': operation({
    summary: 'Answers a call of a process again that was pending or had a key, and waits up to `wait_ms` for it',
    tier: 'experimental',
    effect: 'read',
    scope: itself(),
    params: z.strictObject({ pid: int, call_id: word, wait_ms: optional(milliseconds(WAIT_MS_MAX)) }),
    result: callAnswer,
    faults: ['unknown_pid', ...ON_READ],
  }),
  'call.cancel': operation({
    summary: 'Ends a call of a process that is under way or waits for approval',
    tier: 'experimental',
    effect: 'idempotent',
    scope: itself(),
    params: z.strictObject({ pid: int, call_id: word }),
    result: z.object({ cancelled: z.boolean() }),
    faults: ['unknown_pid', ...ON_WRITE],
  }),
  'call.list': operation({
    summary: 'Lists calls that are under way or wait for approval, of one process or of all',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ pid: optional(int), limit }),
    result: z.object({
      calls: listOf(
        z.object({
          call_id: word,
          pid: int,
          capability: word,
          state: z.enum(['asked', 'open']),
          approval_id: word.nullable(),
          created_at: seconds,
          attempts: int,
        }),
      ),
    }),
    faults: [...ON_READ],
  }),
};
