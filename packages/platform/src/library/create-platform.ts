import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, Fault, isFault, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import { checkStateDir } from './check-state-dir.ts';
import { createEmbeddedWorkspace } from './create-embedded-workspace.ts';
import type { EmbeddedPlatform, EmbeddedPlatformConfig, WorkspaceConfig } from './embedded-platform.ts';
import { type LibraryParts, noPassphrase, openParts } from './open-parts.ts';
import { openSkillFolder } from './skill-folder.ts';
import { checkWorkspaceConfig, readWorkspaceConfig, writeWorkspaceConfig } from './workspace-config-file.ts';

const VARIABLE = 'WARREN_CREDENTIAL_KEY';

/** Makes the directory, and opens nothing yet. Throws `invalid_argument` (a directory of the system). */
export function createPlatform(config: EmbeddedPlatformConfig): EmbeddedPlatform {
  const stateDir = checkStateDir(config.stateDir);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const skills = openSkillFolder(config.skillsDir ?? join(stateDir, 'skills'));
  const passphrase = new Passphrase(config.credentialPassphrase ?? process.env[VARIABLE]);
  let opening: Promise<LibraryParts> | undefined;
  let isClosed = false;
  const parts = (): Promise<LibraryParts> => {
    if (isClosed) return Promise.reject(new Fault('aborted', 'Cannot use the platform: it is closed'));
    opening ??= openParts({ directory: stateDir, passphrase: () => passphrase.value, log: config.log ?? (() => {}) }).catch(
      (error: unknown) => {
        opening = undefined; // Whoever holds the directory may let go of it.
        throw isFault(error, 'busy') ? heldByOther(error) : error;
      },
    );
    return opening;
  };
  const handleOf = (id: WorkspaceId, given: WorkspaceConfig) =>
    createEmbeddedWorkspace({
      id,
      stateDir: join(stateDir, 'workspaces', id),
      parts,
      skills,
      config: given,
      providers: config.providers ?? {},
    });
  const exists = async (id: WorkspaceId): Promise<boolean> =>
    await (await parts()).kernel.store.readSystem(({ workspaces }) => workspaces.find(id) !== undefined);
  const requireIt = async (id: WorkspaceId, action: string): Promise<void> => {
    if (!(await exists(id)))
      throw new Fault('not_found', `Cannot ${action} workspace "${id}": it does not exist`, { details: { workspace: id } });
  };

  return {
    stateDir,
    skills,

    async createWorkspace(userId, given = {}) {
      const id = parseWorkspaceId(userId);
      const kept = checkWorkspaceConfig(given);
      passphrase.need(given.credentialPassphrase);
      const { kernel } = await parts();
      await kernel.workspaces.create(id);
      try {
        writeWorkspaceConfig(join(stateDir, 'workspaces', id), kept);
      } catch (error) {
        await kernel.workspaces.delete(id).catch(() => {}); // The caller has the error that matters.
        throw error;
      }
      return handleOf(id, given);
    },

    async getWorkspace(userId) {
      const id = parseWorkspaceId(userId);
      await requireIt(id, 'get');
      return handleOf(id, readWorkspaceConfig(join(stateDir, 'workspaces', id)));
    },

    async listWorkspaces() {
      const all = await (await parts()).kernel.workspaces.list();
      return all.flatMap(({ id }) => (id === DEFAULT_WORKSPACE ? [] : [id]));
    },

    async deleteWorkspace(userId) {
      const id = parseWorkspaceId(userId);
      await requireIt(id, 'delete');
      await (await parts()).kernel.workspaces.delete(id);
    },

    workspaceExists: async (userId) => await exists(parseWorkspaceId(userId)),

    async [Symbol.asyncDispose]() {
      isClosed = true;
      const open = await opening?.catch(() => undefined); // What did not open needs no closing.
      opening = undefined;
      await open?.[Symbol.asyncDispose]();
    },
  };
}

/** The one that is used: of the platform, else the first that a workspace was made with. There is one vault. */
class Passphrase {
  #value: string | undefined;

  constructor(value: string | undefined) {
    this.#value = value === '' ? undefined : value;
  }

  get value(): string | undefined {
    return this.#value;
  }

  need(given: string | undefined): void {
    if (given !== undefined && this.#value !== undefined && given !== this.#value)
      throw new Fault(
        'invalid_argument',
        'Cannot use this credentialPassphrase: there is one vault for all workspaces, and it has another',
        {
          details: { field: 'credentialPassphrase' },
        },
      );
    this.#value ??= given === '' ? undefined : given;
    if (this.#value === undefined) throw noPassphrase();
  }
}

function heldByOther(error: Fault): Fault {
  return new Fault(
    'busy',
    `${error.message}; a state directory is for one program at a time: use another stateDir, or ask the daemon by @warren/client`,
    {
      details: { ...error.details },
      cause: error,
    },
  );
}
