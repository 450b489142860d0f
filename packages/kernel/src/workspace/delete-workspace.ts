/**
 * The end of a workspace, in an order of which each step may be the last before a crash: those who do something for it stop; it loses its keys and its name in one transaction, after which nobody finds it; those who keep
 * something of it wipe that; its rows go; and with the last row goes the sign that there was anything to finish.
 */
import { DEFAULT_WORKSPACE, Fault, type WorkspaceId } from '@warren/protocol';
import type { Store } from '../store/store.ts';
import type { WorkspaceKeeper, Workspaces } from './workspaces.ts';

export type DeletionParts = {
  readonly store: Store;
  /** What the kernel itself remembers of it. */
  readonly forget: (id: WorkspaceId) => Promise<void>;
};

/** `discard` wipes one that nobody finds any more, or not yet. */
export type Deletion = Pick<Workspaces, 'delete' | 'finishDeletions' | 'keep'> & { discard(id: WorkspaceId): Promise<void> };

export function createDeletion({ store, forget }: DeletionParts): Deletion {
  const keepers: WorkspaceKeeper[] = [];
  const deleting = new Map<WorkspaceId, Promise<void>>();

  const finish = async (id: WorkspaceId): Promise<void> => {
    for (const keeper of keepers) await keeper.wipe(id);
    await store.eraseRetired(id);
  };

  const run = async (id: WorkspaceId): Promise<void> => {
    using leases = new DisposableStack();
    for (const keeper of keepers.toReversed()) leases.use(await keeper.stop(id));
    await store.writeSystem(({ workspaces }) => {
      if (workspaces.find(id) !== undefined) workspaces.retire(id);
      else if (!workspaces.retired().includes(id)) throw gone(id);
    });
    await forget(id);
    await finish(id);
  };

  return {
    discard: finish,

    async delete(id) {
      if (id === DEFAULT_WORKSPACE)
        throw new Fault('invalid_argument', `Cannot delete workspace "${id}": Warren keeps its own alerts there`, {
          details: { workspace: id },
        });
      const isThere = await store.readSystem(({ workspaces }) => workspaces.find(id) !== undefined || workspaces.retired().includes(id));
      if (!isThere) throw gone(id);
      const known = deleting.get(id) ?? run(id).finally(() => deleting.delete(id));
      deleting.set(id, known);
      await known;
    },

    async finishDeletions() {
      const ids = await store.readSystem(({ workspaces }) => workspaces.retired());
      for (const id of ids) await finish(id);
      return ids.length;
    },

    keep(keeper) {
      keepers.push(keeper);
      return { [Symbol.dispose]: () => void keepers.splice(keepers.indexOf(keeper), keepers.includes(keeper) ? 1 : 0) };
    },
  };
}

function gone(id: WorkspaceId): Fault {
  return new Fault('not_found', `Cannot delete workspace "${id}": it does not exist`, { details: { workspace: id } });
}
