import type { WorkspaceId } from '@warren/protocol';
import { createHooks } from '../hook/create-hooks.ts';
import type { ModelProvider } from '../model/model.ts';
import type { Sessions } from '../session/sessions.ts';
import type { EmbeddedWorkspace, SkillRegistry, WorkspaceConfig } from './embedded-platform.ts';
import type { LibraryParts } from './open-parts.ts';
import { runAgent } from './run-agent.ts';
import { createWorkspaceSkills } from './skill-folder.ts';
import { createWorkspaceCredentials } from './workspace-credentials.ts';
import { createWorkspaceMemory } from './workspace-memory.ts';

export type EmbeddedWorkspaceParts = {
  readonly id: WorkspaceId;
  readonly stateDir: string;
  readonly parts: () => Promise<LibraryParts>;
  readonly skills: SkillRegistry;
  readonly config: WorkspaceConfig;
  readonly providers: Readonly<Record<string, ModelProvider>>;
};

export function createEmbeddedWorkspace({ id, stateDir, parts, skills, config, providers }: EmbeddedWorkspaceParts): EmbeddedWorkspace {
  /** Where there is no such workspace any more, nothing is made by asking for it. */
  const there = async (): Promise<LibraryParts> => {
    const open = await parts();
    await open.kernel.workspaces.get(id);
    return open;
  };
  const memories = async () => (await there()).platform.memories;
  const hooks = createHooks({ onFailure: ({ hook, label, reason }) => void tell(hook, label, reason) });
  const tell = async (hook: string, label: string, reason: string): Promise<void> => {
    const { kernel } = await parts();
    await kernel.store
      .workspace(id)
      .write(({ events }) => events.append({ pid: undefined, kind: 'kernel.hook.failed', payload: { hook, label, reason } }))
      .catch(() => {}); // The workspace is gone, or the disk full; the hook failed all the same.
  };
  const busy = new Set<string>();
  const sessions = lazySessions(async () => (await there()).sessionsOf(id));
  const destroy = async (): Promise<void> => {};
  return {
    ...{ userId: id, id, stateDir, hooks, sessions, destroy },
    memory: createWorkspaceMemory(id, memories),
    skills: createWorkspaceSkills(stateDir, skills),
    credentials: createWorkspaceCredentials(
      async () => (await (await there()).vault()).secrets(id),
      async () => (await there()).platform.secrets(id),
    ),
    async run(options) {
      const open = await there();
      return await open.during(id, options.signal, async (signal) =>
        runAgent(
          { ...{ id, hooks, config, providers, busy }, platform: open.platform, sessions: open.sessionsOf(id), now: () => Date.now() },
          options,
          signal,
        ),
      );
    },
    [Symbol.asyncDispose]: destroy,
  };
}

function lazySessions(open: () => Promise<Sessions>): Sessions {
  return {
    create: async (...given) => (await open()).create(...given),
    open: async (...given) => (await open()).open(...given),
    fork: async (...given) => (await open()).fork(...given),
    list: async (...given) => (await open()).list(...given),
    search: async (...given) => (await open()).search(...given),
    export: async (...given) => (await open()).export(...given),
    exportPiece: async (...given) => (await open()).exportPiece(...given),
    delete: async (...given) => (await open()).delete(...given),
  };
}
