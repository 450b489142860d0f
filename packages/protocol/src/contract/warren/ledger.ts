/**
 * `ledger.*`: what `kernel.ledger.*` has no word for. The budget of a workspace has names of its own, because who acts for a workspace may
 * give out what it has and not more.
 */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { account, accountEntry, askedAccount, breachPolicy, givenAccount } from '../record/ledger.ts';
import { MEMBER, OPERATOR } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { listOf, table } from '../value/list.ts';
import { int, share } from '../value/number.ts';
import { word } from '../value/text.ts';

const amounts = table(int, 100);
const budget = { grants: amounts, warn_at: withDefault(share, 0.8), on_breach: optional(breachPolicy) };
const entries = z.object({ entries: listOf(accountEntry) });

export const LEDGER_ACCOUNT_OPERATIONS = {
  'ledger.reserve': operation({
    summary: 'Sets amounts aside in every budget of a process at once, or says which one has too little left',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ pid: int, amounts }),
    result: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('reserved'), reservation_id: int, pid: int, amounts: z.record(word, int) }),
      z.object({ kind: z.literal('denied'), account, dim: word, used: int, reserved: int, granted: int }),
    ]),
    faults: ['unknown_pid', 'conflict', 'ledger_amount_invalid', 'too_large', ...ON_WRITE],
  }),
  'ledger.settle': operation({
    summary: 'Replaces what was set aside by what was used; the second time nothing',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ reservation_id: int, used: amounts }),
    result: z.object({ settled: z.boolean() }),
    faults: ['ledger_amount_invalid', 'too_large', ...ON_WRITE],
  }),
  'ledger.account.create': operation({
    summary: 'Gives a process or an agent budgets in the dimensions named, all or none',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ account: givenAccount, ...budget }),
    result: entries,
    faults: ['unknown_pid', 'ledger_exists', 'ledger_amount_invalid', 'ledger_warn_invalid', 'too_large', ...ON_WRITE],
  }),
  'ledger.account.list': operation({
    summary: 'Lists the budgets of a process, an agent or the workspace, in the order they were given',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ account: askedAccount }),
    result: entries,
    faults: [...ON_READ],
  }),
  'ledger.account.list_breached': operation({
    summary: 'Lists the budgets that are exceeded, of whomever',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ limit }),
    result: entries,
    faults: [...ON_READ],
  }),
  'ledger.account.refund': operation({
    summary: 'Takes back a part of what was recorded as used by a process or an agent',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ account: givenAccount, dim: word, amount: int }),
    result: accountEntry,
    faults: ['ledger_not_found', 'ledger_amount_invalid', 'ledger_refund_invalid', ...ON_WRITE],
  }),
  'ledger.account.update_grant': operation({
    summary: 'Sets the budget of a process or an agent in one dimension; what stopped because of it goes on if the new one allows that',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ account: givenAccount, dim: word, new_grant: int }),
    result: accountEntry,
    faults: ['ledger_not_found', 'ledger_amount_invalid', ...ON_WRITE],
  }),
  'ledger.workspace.create': operation({
    summary: 'Gives a workspace budgets in the dimensions named, all or none',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject(budget),
    result: entries,
    faults: ['ledger_exists', 'ledger_amount_invalid', 'ledger_warn_invalid', 'too_large', ...ON_WRITE],
  }),
  'ledger.workspace.refund': operation({
    summary: 'Takes back a part of what was recorded as used by a workspace',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ dim: word, amount: int }),
    result: accountEntry,
    faults: ['ledger_not_found', 'ledger_amount_invalid', 'ledger_refund_invalid', ...ON_WRITE],
  }),
  'ledger.workspace.update_grant': operation({
    summary: 'Sets the budget of a workspace in one dimension; what stopped because of it goes on if the new one allows that',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ dim: word, new_grant: int }),
    result: accountEntry,
    faults: ['ledger_not_found', 'ledger_amount_invalid', ...ON_WRITE],
  }),
};
