/** What the kernel says about itself. */

import type { GrantRecord } from '../grant/grants.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { ProcessRecord } from '../process/processes.ts';
import type { QueueState } from '../schedule/queue.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { ProcessState } from '../store/tables/process-table.ts';

export type ProcessView = {
  readonly process: ProcessRecord | undefined;
  readonly grants: GrantRecord | undefined;
  readonly ledger: readonly LedgerEntry[];
  readonly mailbox: {
    readonly exists: boolean;
    readonly capacity: number;
    readonly pending: number;
    readonly subscriptions: readonly string[];
  };
  readonly queue: Readonly<Record<QueueState, number>>;
  readonly files: { readonly count: number; readonly bytes: number };
  readonly names: readonly string[];
  readonly recentEvents: readonly EventRecord[];
};

export type Summary = {
  readonly schemaVersion: number;
  readonly startedAt: number;
  readonly uptimeMs: number;
  readonly processes: Readonly<Record<ProcessState, number>>;
  readonly events: { readonly count: number; readonly lastId: number };
  readonly queue: Readonly<Record<QueueState, number>>;
  readonly mail: { readonly boxes: number; readonly pending: number };
  readonly ledger: { readonly budgeted: number; readonly breached: number };
  readonly files: { readonly count: number; readonly bytes: number };
  readonly names: number;
};

export interface Observe {
  /** Always every key; an unknown process is an empty view. */
  process(pid: number): Promise<ProcessView>;
  summary(): Promise<Summary>;
}
