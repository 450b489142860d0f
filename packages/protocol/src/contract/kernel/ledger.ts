/** `kernel.ledger.*`: budgets of processes. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { breachPolicy, ledgerEntry } from '../record/ledger.ts';
import { belowIt, itsTree, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { listOf, table } from '../value/list.ts';
import { int, share } from '../value/number.ts';
import { word } from '../value/text.ts';

const one = { pid: int, dim: word };

export const LEDGER_OPERATIONS = {
  'kernel.ledger.create': operation({
    summary: 'Gives a process budgets in the dimensions named, all or none',
    tier: 'stable',
    effect: 'once',
    scope: belowIt(),
    params: z.object({ pid: int, grants: table(int, 100), warn_at: withDefault(share, 0.8), on_breach: optional(breachPolicy) }),
    result: z.object({ pid: int, dims: listOf(word) }),
    faults: ['unknown_pid', 'ledger_exists', 'ledger_amount_invalid', 'ledger_warn_invalid', 'too_large', ...ON_WRITE],
  }),
  'kernel.ledger.charge': operation({
    summary: 'Records what a process used, also beyond its budget, and in every budget above it',
    tier: 'stable',
    effect: 'once',
    scope: MEMBER,
    params: z.object({ ...one, amount: int }),
    result: z.object({
      ...one,
      amount: int,
      used: int,
      granted: int,
      over_limit: z.boolean(),
      warned: z.boolean(),
      first_breach: z.boolean(),
    }),
    faults: ['unknown_pid', 'ledger_not_found', 'ledger_amount_invalid', ...ON_WRITE],
  }),
  'kernel.ledger.check': operation({
    summary: 'Says whether an amount would go beyond the budget of a process',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ ...one, amount: int }),
    result: z.object({ ...one, used: int, reserved: int, granted: int, would_use: int, would_exceed: z.boolean() }),
    faults: ['ledger_not_found', 'ledger_amount_invalid', ...ON_READ],
  }),
  'kernel.ledger.get': operation({
    summary: 'Lists the budgets of a process, in the order they were given',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: z.object({ pid: int, entries: listOf(ledgerEntry) }),
    faults: [...ON_READ],
  }),
  'kernel.ledger.list_breached': operation({
    summary: 'Lists the budgets of processes that are exceeded, by pid and dimension',
    tier: 'stable',
    effect: 'read',
    scope: MEMBER,
    params: z.object({ limit }),
    result: z.object({ entries: listOf(ledgerEntry) }),
    faults: [...ON_READ],
  }),
  'kernel.ledger.refund': operation({
    summary: 'Takes back a part of what was recorded as used',
    tier: 'stable',
    effect: 'once',
    scope: MEMBER,
    params: z.object({ ...one, amount: int }),
    result: z.object({ ...one, used: int, granted: int }),
    faults: ['ledger_not_found', 'ledger_amount_invalid', 'ledger_refund_invalid', ...ON_WRITE],
  }),
  'kernel.ledger.update_grant': operation({
    summary: 'Sets the budget of a process in one dimension; what stopped because of it goes on if the new one allows that',
    tier: 'stable',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.object({ ...one, new_grant: int }),
    result: z.object({ ...one, granted: int, used: int }),
    faults: ['ledger_not_found', 'ledger_amount_invalid', ...ON_WRITE],
  }),
};
