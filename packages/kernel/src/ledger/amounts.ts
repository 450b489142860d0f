/** Checks of what callers hand in as amounts. */
import { Fault } from '@warren/protocol';
import { checkWord } from '../internal/payload.ts';
import { BREACH_POLICIES, type BreachPolicy } from '../store/tables/ledger-table.ts';

/** Dimensions of an account, and so of a call. */
export const DIMENSIONS_MAX = 32;
const DIMENSION_BYTES_MAX = 64;

export type Amount = readonly [dim: string, amount: number];

export function checkDimension(dim: string): string {
  return checkWord(dim, 'dim', 'invalid_argument', DIMENSION_BYTES_MAX);
}

/** A whole number from 0 on. Throws `ledger_amount_invalid`. */
export function checkAmount(amount: number): number {
  return checkNumber(amount, 0);
}

/** A whole number from 1 on: what may use nothing at all is not given the capability instead. */
export function checkGrant(granted: number): number {
  return checkNumber(granted, 1);
}

function checkNumber(amount: number, least: number): number {
  if (Number.isSafeInteger(amount) && amount >= least) return amount;
  throw new Fault(
    'ledger_amount_invalid',
    `Cannot use amount ${String(amount)}: it is no whole number from ${least} to ${Number.MAX_SAFE_INTEGER}`,
    { details: { amount } },
  );
}

export function checkAmounts(amounts: Readonly<Record<string, number>>, field: string): readonly Amount[] {
  return checkRecord(amounts, field, checkAmount);
}

export function checkGrants(grants: Readonly<Record<string, number>>): readonly Amount[] {
  const checked = checkRecord(grants, 'grants', checkGrant);
  if (checked.length === 0) throw invalid('grants', 'it is empty');
  return checked;
}

function checkRecord(amounts: Readonly<Record<string, number>>, field: string, check: (amount: number) => number): readonly Amount[] {
  if (typeof amounts !== 'object' || amounts === null || Array.isArray(amounts)) throw invalid(field, 'it is not an object');
  const entries = Object.entries(amounts);
  if (entries.length > DIMENSIONS_MAX) throw tooMany(field, entries.length);
  return entries.map(([dim, amount]) => [checkDimension(dim), check(amount)]);
}

export function tooMany(field: string, count: number): Fault {
  return new Fault('too_large', `Cannot use ${field}: ${count} dimensions are too many, the limit is ${DIMENSIONS_MAX}`, {
    details: { field },
  });
}

/** Throws `ledger_warn_invalid`. */
export function checkWarnAt(warnAt: number): number {
  if (typeof warnAt === 'number' && warnAt >= 0 && warnAt <= 1) return warnAt;
  throw new Fault('ledger_warn_invalid', `Cannot warn at ${String(warnAt)}: it is no share between 0 and 1`, {
    details: { value: warnAt },
  });
}

export function checkPolicy(onBreach: BreachPolicy): BreachPolicy {
  if (BREACH_POLICIES.includes(onBreach)) return onBreach;
  throw invalid('on_breach', `it is none of ${BREACH_POLICIES.join(', ')}`);
}

function invalid(field: string, reason: string): Fault {
  return new Fault('invalid_argument', `Cannot use ${field}: ${reason}`, { details: { field } });
}
