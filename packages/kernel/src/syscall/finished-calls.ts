/**
 * Rows of the journal that have done their duty: the second transaction is committed and the entry of the audit is on disk. Those that nobody asks about again are
 * deleted, the others marked, many at a time and together with what somebody else writes.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { Tier } from '../policy/policy.ts';
import type { Transaction } from '../store/store.ts';

const BATCH_MAX = 512;

export type Finished = { readonly callId: string; readonly tier: Tier; readonly isKept: boolean };

export type Tidying = {
  /** To be called at the end of the body of a transaction. */
  readonly inside: (transaction: Transaction) => void;
  /** The transaction failed: nothing of it was done. */
  readonly undo: () => void;
};

const NOTHING: Tidying = { inside: () => {}, undo: () => {} };

export class FinishedCalls {
  readonly #finished = new Map<WorkspaceId, Finished[]>();

  add(workspace: WorkspaceId, finished: Finished): void {
    const known = this.#finished.get(workspace);
    if (known === undefined) this.#finished.set(workspace, [finished]);
    else known.push(finished);
  }

  workspaces(): readonly WorkspaceId[] {
    return [...this.#finished.keys()];
  }

  forget(workspace: WorkspaceId): void {
    this.#finished.delete(workspace);
  }

  take(workspace: WorkspaceId): Tidying {
    const waiting = this.#finished.get(workspace);
    if (waiting === undefined) return NOTHING;
    const batch = waiting.splice(0, BATCH_MAX);
    if (waiting.length === 0) this.#finished.delete(workspace);
    return {
      inside: (transaction) => finish(transaction, batch),
      undo: () => {
        for (const finished of batch) this.add(workspace, finished);
      },
    };
  }
}

export function finish({ calls, now }: Transaction, batch: readonly Finished[]): void {
  const gone = batch.filter(({ isKept }) => !isKept);
  if (gone.length > 0) calls.delete(gone.map(({ callId }) => callId));
  for (const { callId, tier, isKept } of batch)
    if (isKept) calls.update(callId, { state: 'done', endedAt: now, record: { tier }, ending: undefined });
}
