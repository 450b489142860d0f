/** The library on a kernel and a platform of its own, in this process: it holds the state directory until it is closed. */
import { openKernel } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { enabledSkills } from '../../handler/skill/create-skill-handlers.ts';
import { openPlatform, type PlatformOptions } from '../../open-platform.ts';
import type { Skills } from '../../skill/skill.ts';
import type { Secrets } from '../../vault/secrets.ts';
import type { CredentialSecrets, LibraryBackend, SkillsBackend } from '../backend.ts';
import { noPassphrase } from '../no-passphrase.ts';
import { WorkByWorkspace } from '../work-by-workspace.ts';
import { openEmbeddedAgent } from './embedded-agent.ts';
import { createEmbeddedMemory } from './embedded-memory.ts';
import { createEmbeddedSessions } from './embedded-sessions.ts';

export type OpenEmbeddedOptions = {
  readonly directory: string;
  readonly skillsDirectory: string;
  /** Asked when the vault is first needed. */
  readonly passphrase: () => string | undefined;
  readonly log: (message: string) => void;
};

/** Faults: `busy` (another process holds the directory). */
export async function openEmbedded({ directory, skillsDirectory, passphrase, log }: OpenEmbeddedOptions): Promise<LibraryBackend> {
  await using opening = new AsyncDisposableStack();
  const kernel = opening.use(await openKernel({ directory }));
  const openSandboxes: PlatformOptions['openSandboxes'] = async (options) => (await import('@warren/sandbox')).openSandboxes(options);
  const platform = opening.use(await openPlatform({ kernel, directory, skillsDirectory, openSandboxes, isWatching: false, say: log }));
  const work = opening.use(new WorkByWorkspace());
  kernel.workspaces.keep({
    stop: (id) => work.stop(id),
    wipe: async () => {}, // All of it is in the directory of the workspace.
  });
  let isClosed = false;
  opening.defer(() => {
    isClosed = true;
  });

  let unlocking: Promise<unknown> | undefined;
  const unlock = async (): Promise<unknown> => {
    const given = passphrase();
    if (given === undefined) throw noPassphrase();
    return await platform.vault.unlock(given);
  };
  const unlocked = (): Promise<unknown> => {
    unlocking ??= unlock().catch((error: unknown) => {
      unlocking = undefined; // With another passphrase it may open.
      throw error;
    });
    return unlocking;
  };

  const requireOpen = (): void => {
    if (isClosed) throw new Fault('aborted', 'Cannot use the platform: it is closed');
  };
  const owned = opening.move();
  return {
    kind: 'embedded',
    async create(id) {
      requireOpen();
      await kernel.workspaces.create(id);
    },
    async exists(id) {
      requireOpen();
      return await kernel.store.readSystem(({ workspaces }) => workspaces.find(id) !== undefined);
    },
    async list() {
      requireOpen();
      return (await kernel.workspaces.list()).map(({ id }) => id);
    },
    async delete(id) {
      requireOpen();
      await kernel.workspaces.delete(id);
    },
    workspace(id) {
      requireOpen();
      /** Where there is no such workspace any more, nothing is made by asking for it. */
      const there = async (): Promise<void> => {
        requireOpen();
        await kernel.workspaces.get(id);
      };
      return {
        memory: createEmbeddedMemory(id, platform.memories, there),
        sessions: createEmbeddedSessions(id, platform.sessions, there),
        hooks: platform.hooks.workspace(id),
        skills: createEmbeddedSkills(id, platform.skills, there),
        async openAgent(agent) {
          await there();
          return await openEmbeddedAgent(id, platform, agent);
        },
        secrets: {
          async locked() {
            await there();
            return secretsOf(platform.secrets(id));
          },
          async unlocked() {
            await there();
            await unlocked();
            return secretsOf(platform.secrets(id));
          },
        },
        async during(signal, act) {
          await there();
          return await work.during(id, signal, act);
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function secretsOf(secrets: Secrets): CredentialSecrets {
  return {
    list: (page) => secrets.list(page),
    async set(name, value, skill) {
      const bindings = { hosts: [], capabilities: [], skills: [skill] };
      await secrets.set(name, value, { bindings, purpose: `credential of skill ${skill}` });
    },
    use: (name, use) => secrets.use(name, use),
    delete: (name) => secrets.delete(name),
  };
}

function createEmbeddedSkills(id: WorkspaceId, skills: Skills, there: () => Promise<void>): SkillsBackend {
  return {
    async offered() {
      await there();
      const enabled = await enabledSkills(skills, id);
      return enabled.map((skill) => ({ name: skill.id, description: skill.description, isRunnable: skill.program !== undefined }));
    },
    async enable(name) {
      await there();
      const { state, hash } = await skills.get(name);
      if (state === 'unapproved') await skills.approve(name, hash);
      await skills.enable(id, name);
    },
    async disable(name) {
      await there();
      await skills.disable(id, name);
    },
  };
}
