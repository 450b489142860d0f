/** How use adds up, and when it is too much. Integers from 0 to 2^53-1; more than that stays there rather than losing its last digits. */
import type { LedgerRow } from '../store/tables/ledger-table.ts';

/** Of these the largest measure counts, not the sum. There is nothing to set aside of a peak; asking for one is a check. */
const PEAKS: ReadonlySet<string> = new Set(['memory_bytes']);

export function isPeak(dim: string): boolean {
  return PEAKS.has(dim);
}

export function addUse(dim: string, used: number, amount: number): number {
  return isPeak(dim) ? Math.max(used, amount) : Math.min(Number.MAX_SAFE_INTEGER, used + amount);
}

/** What would be used if everything reserved, and this, were used. */
export function wouldUse({ dim, used, reserved }: LedgerRow, amount: number): number {
  return addUse(dim, addUse(dim, used, reserved), amount);
}

export function wouldExceed(row: LedgerRow, amount: number): boolean {
  return isPeak(row.dim) ? wouldUse(row, amount) > row.granted : amount > row.granted - row.used - row.reserved;
}

/** As much as granted is not over. */
export function isOver({ used, granted }: LedgerRow): boolean {
  return used > granted;
}

/** Divided, because a share such as 0.1 times 30 is more than 3. */
export function isPastWarning({ used, granted, warnAt }: LedgerRow): boolean {
  return used / granted >= warnAt;
}
