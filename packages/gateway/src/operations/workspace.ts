import type { Kernel } from '@warren/kernel';
import { parseWorkspaceId } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { fromSettings, toWorkspace } from './record/workspace.ts';

export function createWorkspaceHandlers({ workspaces }: Kernel): HandlersOf<'workspace.'> {
  return {
    async 'workspace.create'({ workspace, settings }) {
      return toWorkspace(await workspaces.create(parseWorkspaceId(workspace), fromSettings(settings ?? {})));
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
