/** `process.*`: what `kernel.agent.*` has no word for. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { agentProcess, processSignal } from '../record/process.ts';
import { belowIt, itsTree } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';

export const PROCESS_OPERATIONS = {
  'process.signal': operation({
    summary: 'Stops a process, continues it, asks whoever runs it to interrupt or terminate, or kills it',
    tier: 'experimental',
    effect: 'idempotent',
    scope: belowIt(),
    params: z.strictObject({ pid: int, signal: processSignal }),
    result: agentProcess,
    faults: ['unknown_pid', 'illegal_transition', ...ON_WRITE],
  }),
  'process.tree': operation({
    summary: 'Lists a process and all below it, parents before children',
    tier: 'experimental',
    effect: 'read',
    scope: itsTree(),
    params: z.strictObject({ pid: int }),
    result: z.object({ processes: listOf(agentProcess) }),
    faults: ['unknown_pid', ...ON_READ],
  }),
};
