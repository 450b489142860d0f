import type { Kernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { parseWorkspaceId } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { fromSettings, toWorkspace } from './record/workspace.ts';

export function createWorkspaceHandlers({ workspaces }: Kernel, platform: () => Platform): HandlersOf<'workspace.'> {
  return {
    async 'workspace.create'({ workspace, settings }) {
      return toWorkspace(await workspaces.create(parseWorkspaceId(workspace), fromSettings(settings ?? {})));
    },

    async 'workspace.delete'({ workspace }) {
      const id = parseWorkspaceId(workspace);
      platform(); // Without it nobody would wipe what stands beside the store.
      await workspaces.delete(id);
      return { workspace: id };
    },

    async 'workspace.usage'(_params, { workspace, signal }) {
      await workspaces.get(workspace);
      const { storedFiles, storedBytes, ...usage } = await platform().usageOf(workspace, signal());
      return { workspace, ...usage, stored_files: storedFiles, stored_bytes: storedBytes };
    },

    async 'workspace.get'(_params, { workspace }) {
      return toWorkspace(await workspaces.get(workspace));
    },

    async 'workspace.list'() {
      return { workspaces: (await workspaces.list()).map(toWorkspace) };
    },

    async 'workspace.update'({ workspace, settings }) {
      return toWorkspace(await workspaces.update(parseWorkspaceId(workspace), fromSettings(settings ?? {})));
    },
  };
}
