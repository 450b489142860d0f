/** The beginning of a workspace that was another's: it is made as one that is being deleted, so that nobody finds it and a crash in the middle wipes it, and becomes one when all of it is there. */
import { parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { Store } from '../store/store.ts';
import { mergeSettings, requireFree, SETTINGS_DEFAULT } from './create-workspaces.ts';
import type { Workspaces } from './workspaces.ts';

export type ImportParts = {
  readonly store: Store;
  /** Wipes one that is being deleted. */
  readonly discard: (id: WorkspaceId) => Promise<void>;
  /** What a start does for a workspace that was there. */
  readonly recover: (id: WorkspaceId) => Promise<void>;
};

export function createImport({ store, discard, recover }: ImportParts): Workspaces['import'] {
  return async (id, settings, fill) => {
    parseWorkspaceId(id);
    const complete = mergeSettings(SETTINGS_DEFAULT, settings);
    const row = await store.writeSystem(({ workspaces, now }) => {
      requireFree(workspaces, id);
      const made = { id, createdAt: now, settings: complete as typeof complete & JsonObject };
      workspaces.insert(made);
      workspaces.retire(id);
      return made;
    });
    try {
      await fill({ rows: (batch) => store.importRows(id, batch), secrets: (batch) => store.importSecrets(id, batch) });
      await store.writeSystem(({ workspaces }) => workspaces.adopt(row));
    } catch (error) {
      await discard(id).catch(() => {}); // The next start finishes it, as it does any that is being deleted.
      throw error;
    }
    await recover(id);
    return row;
  };
}
