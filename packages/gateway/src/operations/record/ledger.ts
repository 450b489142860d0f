import type { LedgerEntry } from '@warren/kernel';
import type { AccountEntry, LedgerEntry as ProcessEntry } from '@warren/protocol/contract';

export function toAccountEntry({ account, dim, used, reserved, granted, warnAt, onBreach }: LedgerEntry): AccountEntry {
  return { account, dim, used, reserved, granted, warn_at: warnAt, on_breach: onBreach };
}

/** Those of processes among them. */
export function toProcessEntries(entries: readonly LedgerEntry[]): readonly ProcessEntry[] {
  return entries.flatMap((entry) => {
    const { account, ...amounts } = toAccountEntry(entry);
    return account.kind === 'process' ? [{ pid: account.pid, ...amounts, hard_limit: amounts.granted }] : [];
  });
}
