/** `capability.*`: what can be called. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { capabilityDescription, capabilitySummary } from '../record/capability.ts';
import { ANYONE, itself, OPERATOR } from '../scope.ts';
import { ON_READ } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

export const CAPABILITY_OPERATIONS = {
  'capability.list': operation({
    summary: 'Lists the capabilities there are, of one category or of all',
    tier: 'experimental',
    effect: 'read',
    scope: ANYONE,
    params: z.strictObject({ category: optional(word) }),
    result: z.object({ capabilities: listOf(capabilitySummary) }),
    faults: [...ON_READ],
  }),
  'capability.offered': operation({
    summary: 'Lists the capabilities a process may call, each with the tier it would get; what is blocked or not granted is left out',
    tier: 'experimental',
    effect: 'read',
    scope: itself(),
    params: z.strictObject({ pid: int, category: optional(word) }),
    result: z.object({ capabilities: listOf(capabilitySummary) }),
    faults: ['unknown_pid', 'conflict', ...ON_READ],
  }),
  'capability.describe': operation({
    summary: 'Says everything about a capability: when to use it, arguments, results, errors',
    tier: 'experimental',
    effect: 'read',
    scope: ANYONE,
    params: z.strictObject({ name: word }),
    result: capabilityDescription,
    faults: [...ON_READ],
  }),
  'capability.reload': operation({
    summary: 'Reads the definitions and packs of the operator again; what is wrong with them keeps those before in force',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: z.object({
      revision: int,
      capabilities: int,
      problems: listOf(z.object({ file: word, line: int.nullable(), severity: z.enum(['error', 'warning']), message: prose })),
    }),
    faults: [...ON_READ],
  }),
};
