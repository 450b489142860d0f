/**
 * What every implementation of the store must do, as a suite that is run against each. A file for each table, and `transactions.ts` for what
 * holds for all of them.
 */
import type { Clock } from '../../internal/clock.ts';
import type { FaultPoints } from '../../internal/fault-points.ts';
import type { Store } from '../store.ts';

/** A store to test, with one workspace called `default`. `reopen` plays a restart. */
export type StoreUnderTest = AsyncDisposable & {
  readonly store: Store;
  reopen(): Promise<void>;
};

export type OpenStore = (options?: { readonly clock?: Clock; readonly faults?: FaultPoints }) => Promise<StoreUnderTest>;
