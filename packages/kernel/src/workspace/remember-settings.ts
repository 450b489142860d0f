/** Settings are asked for with nearly every write, and changed by this process alone: so they are read once. */
import type { WorkspaceId } from '@warren/protocol';
import type { WorkspaceSettings, Workspaces } from './workspaces.ts';

export type RememberedSettings = {
  /** As they are when this is called. Faults: `not_found`. */
  readonly settingsOf: (id: WorkspaceId) => Promise<WorkspaceSettings>;
  /** The same workspaces; updates through it are heard of. */
  readonly workspaces: SettableWorkspaces;
  /** It is gone. */
  readonly forget: (id: WorkspaceId) => void;
};

type SettableWorkspaces = Pick<Workspaces, 'create' | 'get' | 'list' | 'used' | 'update'>;

/** `updatedHook` is called after an update, when the new settings hold. */
export function rememberSettings(
  workspaces: SettableWorkspaces,
  updatedHook: (id: WorkspaceId) => Promise<void> = async () => {},
): RememberedSettings {
  const known = new Map<WorkspaceId, Promise<WorkspaceSettings>>();

  const read = (id: WorkspaceId): Promise<WorkspaceSettings> => {
    const reading = workspaces.get(id).then(({ settings }) => settings);
    known.set(id, reading);
    reading.catch(() => known.delete(id)); // The caller hears of it; there may be such a workspace later.
    return reading;
  };

  return {
    forget: (id) => void known.delete(id),
    settingsOf: (id) => known.get(id) ?? read(id),
    workspaces: {
      ...workspaces,
      async update(id, changes) {
        const updated = await workspaces.update(id, changes);
        known.set(id, Promise.resolve(updated.settings));
        await updatedHook(id);
        return updated;
      },
    },
  };
}
