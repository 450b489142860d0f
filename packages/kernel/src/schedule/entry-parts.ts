/** What those need who end an attempt, or an entry: the processes, and who wants to hear of it. */
import type { ProcessChanges } from '../process/process-changes.ts';
import type { Transaction } from '../store/store.ts';
import type { QueueRow } from '../store/tables/queue-table.ts';

/**
 * Hears of an entry that neither waits nor runs any more, whatever ended it, but for the end of its process, of which processes tell. `causationId` is the event of it.
 * Called last: what follows from it for the entry and its process has happened.
 */
export type StopHook = (transaction: Transaction, entry: QueueRow, causationId: number) => void;

export type EntryParts = { readonly changes: ProcessChanges; readonly onStop: StopHook };
