import type { WorkspaceId } from '@warren/protocol';
import type { ModelProvider } from '../model/model.ts';
import type { WorkspaceBackend } from './backend.ts';
import type { EmbeddedWorkspace, SkillRegistry, WorkspaceConfig } from './embedded-platform.ts';
import { runAgent } from './run-agent.ts';
import type { SkillChanges } from './skill-changes.ts';
import { createWorkspaceSkills } from './skill-folder.ts';
import { createWorkspaceCredentials } from './workspace-credentials.ts';

export type EmbeddedWorkspaceParts = {
  readonly id: WorkspaceId;
  readonly stateDir: string;
  readonly backend: WorkspaceBackend;
  readonly registry: SkillRegistry;
  readonly changes: SkillChanges;
  readonly config: WorkspaceConfig;
  readonly providers: Readonly<Record<string, ModelProvider>>;
  /** Sessions of this workspace in which a run is under way, whichever object of it began it. */
  readonly busy: Set<string>;
};

export function createEmbeddedWorkspace(parts: EmbeddedWorkspaceParts): EmbeddedWorkspace {
  const { id, stateDir, backend, registry, changes, config, providers, busy } = parts;
  const { memory, sessions, hooks } = backend;
  const destroy = (): Promise<void> => changes.settled(id);
  return {
    ...{ userId: id, id, stateDir, memory, sessions, hooks, destroy },
    skills: createWorkspaceSkills({ workspace: id, folder: stateDir, registry, backend: backend.skills, changes }),
    credentials: createWorkspaceCredentials(backend.secrets),
    async run(options) {
      await changes.settled(id);
      return await backend.during(options.signal, (signal) =>
        runAgent({ backend, config, providers, busy, now: () => Date.now() }, options, signal),
      );
    },
    [Symbol.asyncDispose]: destroy,
  };
}
