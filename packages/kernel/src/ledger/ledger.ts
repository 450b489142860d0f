/** Budgets as the rest of Warren sees them. */

/** What the kernel and the walls measure. Other dimensions may be added by name. Integers; the unit is in the name where it is not a count. */
export const DIMENSIONS = ['tokens', 'cost_micro', 'cpu_s', 'wall_s', 'memory_bytes', 'tool_calls', 'fs_w_bytes', 'net_bytes'] as const;

/** Whose budget. A charge to a process is a charge to its ancestors, its agent and its workspace, where those have one. */
export type Account =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'agent'; readonly agent: string }
  | { readonly kind: 'workspace' };

/** What a breach does besides being recorded: the processes of the account are suspended or killed; or only new work is refused. */
export type BreachPolicy = 'suspend' | 'kill' | 'deny';

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
  /** All dimensions or none. Faults: `unknown_pid`, `ledger_exists`, `ledger_amount_invalid`, `ledger_warn_invalid`. */
  create(
    account: Account,
    grants: Readonly<Record<string, number>>,
    options?: { readonly warnAt?: number | undefined; readonly onBreach?: BreachPolicy | undefined },
  ): Promise<readonly LedgerEntry[]>;
  /**
   * Records what was used, also beyond the limit: it was used. The answer is about the process's own entry. Faults: `ledger_not_found` when
   * the process itself has no such dimension, `ledger_amount_invalid`.
   */
  charge(pid: number, dim: string, amount: number): Promise<Charged>;
  /** Records what was measured, in every account of the process that has the dimension; the others are left out. Never refuses. */
  record(
    pid: number,
    amounts: Readonly<Record<string, number>>,
  ): Promise<readonly { readonly account: Account; readonly charged: Charged }[]>;
  /** Sets aside, in every account at once, or says which one has too little left. Dimensions without an entry are unlimited. */
  reserve(pid: number, amounts: Readonly<Record<string, number>>): Promise<Reserved>;
  /** Replaces what was set aside by what was used (which may be more: it was used). Once; later calls answer `false` and change nothing. */
  settle(reservationId: number, used: Readonly<Record<string, number>>): Promise<boolean>;
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
  /** In the order of creation. */
  list(account: Account): Promise<readonly LedgerEntry[]>;
  listBreached(limit?: number): Promise<readonly LedgerEntry[]>;
  /** Faults: `ledger_not_found`, `ledger_amount_invalid`, `ledger_refund_invalid` (more than was used). */
  refund(account: Account, dim: string, amount: number): Promise<LedgerEntry>;
  /** What stopped because of this limit goes on if the new one allows it. Faults: `ledger_not_found`, `ledger_amount_invalid`. */
  updateGrant(account: Account, dim: string, granted: number): Promise<LedgerEntry>;
}
