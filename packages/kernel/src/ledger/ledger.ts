/** Budgets as the rest of Warren sees them. */
import type { BreachPolicy } from '../store/tables/ledger-table.ts';

export type { BreachPolicy };

/** What the kernel and the walls measure. Other dimensions may be added by name. Integers; the unit is in the name where it is not a count. */
export const DIMENSIONS = ['tokens', 'cost_micro', 'cpu_s', 'wall_s', 'memory_bytes', 'tool_calls', 'fs_w_bytes', 'net_bytes'] as const;

/**
 * Whose budget. A charge to a process is a charge to its ancestors, to the agents that it and they run for, and to its workspace, where those
 * have one. So nobody escapes a budget by having children.
 */
export type Account =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'agent'; readonly agent: string }
  | { readonly kind: 'workspace' };

export type LedgerEntry = {
  readonly account: Account;
  readonly dim: string;
  readonly used: number;
  /** Promised to calls that are under way. */
  readonly reserved: number;
  readonly granted: number;
  /** A share of `granted` between 0 and 1. */
  readonly warnAt: number;
  readonly onBreach: BreachPolicy;
};

export type Charged = {
  readonly dim: string;
  readonly amount: number;
  readonly used: number;
  readonly granted: number;
  readonly isOver: boolean;
  /** Crossed the warning line with this charge. */
  readonly isWarning: boolean;
  /** Crossed the limit with this charge. */
  readonly isFirstBreach: boolean;
};

export type Reservation = { readonly id: number; readonly pid: number; readonly amounts: Readonly<Record<string, number>> };

export type Reserved =
  | { readonly kind: 'reserved'; readonly reservation: Reservation }
  | {
      readonly kind: 'denied';
      readonly account: Account;
      readonly dim: string;
      readonly used: number;
      readonly reserved: number;
      readonly granted: number;
    };

export interface Ledger {
  /**
   * All dimensions or none. Later calls may add others. `warnAt` is 0.8 unless said otherwise, `onBreach` is `suspend`. Faults: `unknown_pid`,
   * `ledger_exists`, `ledger_amount_invalid`, `ledger_warn_invalid`, `too_large` (dimensions of one account).
   */
  create(
    account: Account,
    grants: Readonly<Record<string, number>>,
    options?: { readonly warnAt?: number | undefined; readonly onBreach?: BreachPolicy | undefined },
  ): Promise<readonly LedgerEntry[]>;
  /**
   * Records what was used, also beyond the limit: it was used. The answer is about the process's own entry, or the nearest there is. Faults: `ledger_not_found` when
   * the process itself has no such dimension, `ledger_amount_invalid`.
   */
  charge(pid: number, dim: string, amount: number): Promise<Charged>;
  /**
   * Records what was measured, in every account of the process that has the dimension; the others are left out. Never refuses for lack of
   * budget, nor because the process ended. Faults: `unknown_pid`, `ledger_amount_invalid`, `too_large`.
   */
  record(
    pid: number,
    amounts: Readonly<Record<string, number>>,
  ): Promise<readonly { readonly account: Account; readonly charged: Charged }[]>;
  /**
   * Sets aside, in every account at once, or says which one has too little left, or used too much already in whatever dimension. Dimensions
   * without an entry are unlimited. When the process ends it is given back. Faults: `unknown_pid`, `conflict` (it is DEAD), `busy` (too many
   * are open), `ledger_amount_invalid`, `too_large`.
   */
  reserve(pid: number, amounts: Readonly<Record<string, number>>): Promise<Reserved>;
  /**
   * Replaces what was set aside by what was used (which may be more: it was used). A dimension that is not named counts as used in full; 0
   * gives it back. Once; later calls answer `false` and change nothing. What was given back because the process ended or the kernel restarted can be settled within a day. Faults: `ledger_amount_invalid`, `too_large`.
   */
  settle(reservationId: number, used: Readonly<Record<string, number>>): Promise<boolean>;
  /**
   * Whether the process's own entry has this much left beside what is used and reserved. Changes nothing. Faults: `ledger_not_found`,
   * `ledger_amount_invalid`.
   */
  check(
    pid: number,
    dim: string,
    amount: number,
  ): Promise<{
    readonly used: number;
    readonly reserved: number;
    readonly granted: number;
    readonly wouldUse: number;
    readonly wouldExceed: boolean;
  }>;
  /** In the order of creation; empty when there are none. */
  list(account: Account): Promise<readonly LedgerEntry[]>;
  /** Processes by pid, then agents by name, then the workspace; then by dimension. */
  listBreached(limit?: number): Promise<readonly LedgerEntry[]>;
  /** Faults: `ledger_not_found`, `ledger_amount_invalid`, `ledger_refund_invalid` (more than was used). */
  refund(account: Account, dim: string, amount: number): Promise<LedgerEntry>;
  /** What stopped because of this limit goes on if the new one allows it; a limit below what is used is a breach. Faults: `ledger_not_found`, `ledger_amount_invalid`. */
  updateGrant(account: Account, dim: string, granted: number): Promise<LedgerEntry>;
}
