import type { ProcessState } from './process-table.ts';

/** What a breach does besides being recorded: the processes of the account are suspended or killed; or only new work is refused. */
export const BREACH_POLICIES = ['suspend', 'kill', 'deny'] as const;
export type BreachPolicy = (typeof BREACH_POLICIES)[number];

/** Accounts as keys. */
export const WORKSPACE_ACCOUNT = 'workspace';
export const PROCESS_ACCOUNT = 'process:';
export const AGENT_ACCOUNT = 'agent:';

/** The budget of one account in one dimension. */
export type LedgerRow = {
  readonly account: string;
  readonly dim: string;
  readonly used: number;
  /** The sum of what open reservations hold here. */
  readonly reserved: number;
  readonly granted: number;
  readonly warnAt: number;
  readonly onBreach: BreachPolicy;
};

/** What a reservation set aside, and where: the accounts a process pays into may have changed since. */
export type Hold = { readonly account: string; readonly dim: string; readonly amount: number };

export type ReservationRow = {
  /** Ascends within a workspace; never given again. */
  readonly id: number;
  readonly pid: number;
  readonly createdAt: number;
  /** When what it held was given back although nobody had settled it. */
  readonly releasedAt: number | undefined;
  readonly holds: readonly Hold[];
};

/** A live process that pays into an account. */
export type Payer = { readonly pid: number; readonly state: ProcessState; readonly stateReason: string | undefined };

export interface LedgerTableReads {
  /**
   * Where a process pays into, each once: its own account, those of its ancestors, nearest first, those of the agents that it and its
   * ancestors run for, and that of the workspace. Whether they have budgets or not. Empty when there is no such process.
   */
  accountsOf(pid: number): readonly string[];
  /** Whom a breach of this account concerns: the processes that are not DEAD and pay into it, by pid. */
  payers(account: string): readonly Payer[];
  find(account: string, dim: string): LedgerRow | undefined;
  /** Budgets of these accounts, in the order of `accounts` and then of creation. All dimensions, or one. */
  rows(accounts: readonly string[], dim?: string): readonly LedgerRow[];
  /** One of these accounts that used more than it was granted. */
  findBreached(accounts: readonly string[]): LedgerRow | undefined;
  /** Where more was used than granted: processes by pid, then agents by name, then the workspace; then by dimension. */
  breached(limit: number): readonly LedgerRow[];
  /** Accounts that have a budget, and budgets that are breached. */
  count(): { readonly accounts: number; readonly breached: number };
  findReservation(id: number): ReservationRow | undefined;
  /** Neither settled nor released, by id. */
  openReservations(pid: number): readonly ReservationRow[];
  countOpenReservations(pid: number): number;
  /** Processes with open reservations and a larger pid, by pid. */
  reservingPids(afterPid: number, limit: number): readonly number[];
}

export interface LedgerTable extends LedgerTableReads {
  insert(row: LedgerRow): void;
  setUsed(account: string, dim: string, used: number): void;
  setGranted(account: string, dim: string, granted: number): void;
  /** Adds to what is reserved; `change` may be negative. */
  addReserved(account: string, dim: string, change: number): void;
  insertReservation(row: Omit<ReservationRow, 'id' | 'releasedAt'>): number;
  markReleased(id: number, at: number): void;
  deleteReservation(id: number): void;
  /** Deletes reservations that were released before this time, the oldest first, at most `limit`. Returns how many. */
  purgeReleased(before: number, limit: number): number;
}
