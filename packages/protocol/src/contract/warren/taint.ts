/** `taint.*`: labels of untrusted content that a process carries. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { itsTree, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const TAINT_OPERATIONS = {
  'taint.list': operation({
    summary: 'Lists the labels a process carries, since when, and from which call',
    tier: 'experimental',
    effect: 'read',
    scope: itsTree(),
    params: z.strictObject({ pid: int }),
    result: z.object({ labels: listOf(z.object({ label: word, since: seconds, call_id: word.nullable() })) }),
    faults: ['unknown_pid', ...ON_READ],
  }),
  'taint.clear': operation({
    summary: 'Takes all labels off a process: somebody looked at what it was given',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ pid: int }),
    result: z.object({ cleared: int }),
    faults: ['unknown_pid', ...ON_WRITE],
  }),
  'taint.list_files': operation({
    summary: 'Lists the labels that files of the workspace carry, by the path they lie below',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({}),
    result: z.object({ labels: listOf(z.object({ path: z.string(), label: word, since: seconds })) }),
    faults: [...ON_READ],
  }),
  'taint.clear_files': operation({
    summary: 'Takes all labels off the files of the workspace: somebody looked at them',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({}),
    result: z.object({ cleared: int }),
    faults: [...ON_WRITE],
  }),
};
