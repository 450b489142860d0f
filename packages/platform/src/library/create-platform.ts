import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, Fault, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import type { LibraryBackend } from './backend.ts';
import { checkStateDir } from './check-state-dir.ts';
import { createEmbeddedWorkspace } from './create-embedded-workspace.ts';
import type { EmbeddedPlatform, EmbeddedPlatformConfig, WorkspaceConfig } from './embedded-platform.ts';
import { noPassphrase } from './no-passphrase.ts';
import { openBackend } from './open-backend.ts';
import { SkillChanges } from './skill-changes.ts';
import { openSkillFolder } from './skill-folder.ts';
import { checkWorkspaceConfig, type KeptConfig, readWorkspaceConfig, writeWorkspaceConfig } from './workspace-config-file.ts';

const VARIABLE = 'WARREN_CREDENTIAL_KEY';

/** Makes the directory, and opens nothing yet. Throws `invalid_argument` (a directory of the system). */
export function createPlatform(config: EmbeddedPlatformConfig): EmbeddedPlatform {
  const stateDir = checkStateDir(config.stateDir);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const skillsDirectory = config.skillsDir ?? join(stateDir, 'skills');
  const skills = openSkillFolder(skillsDirectory);
  const passphrase = new Passphrase(config.credentialPassphrase ?? process.env[VARIABLE]);
  const log = config.log ?? (() => {});
  const changes = new SkillChanges(log);
  const busy = new Map<WorkspaceId, Set<string>>();
  let opening: Promise<LibraryBackend> | undefined;
  let isClosed = false;
  const backend = (): Promise<LibraryBackend> => {
    if (isClosed) return Promise.reject(new Fault('aborted', 'Cannot use the platform: it is closed'));
    opening ??= openBackend({
      ...{ directory: stateDir, skillsDirectory, log, requiresDaemon: config.requiresDaemon === true },
      passphrase: () => passphrase.value,
    }).catch((error: unknown) => {
      opening = undefined; // Whoever holds the directory may let go of it.
      throw error;
    });
    return opening;
  };
  const folderOf = (id: WorkspaceId): string => join(stateDir, 'workspaces', id);
  const handleOf = (open: LibraryBackend, id: WorkspaceId, given: WorkspaceConfig) => {
    const busyHere = busy.get(id) ?? new Set();
    busy.set(id, busyHere);
    return createEmbeddedWorkspace({
      ...{ id, stateDir: folderOf(id), backend: open.workspace(id), registry: skills, changes, config: given },
      ...{ providers: config.providers ?? {}, busy: busyHere },
    });
  };
  const requireIt = async (id: WorkspaceId, action: string): Promise<LibraryBackend> => {
    const open = await backend();
    if (await open.exists(id)) return open;
    throw new Fault('not_found', `Cannot ${action} workspace "${id}": it does not exist`, { details: { workspace: id } });
  };
  /** What it is made with. One whose skills are not there has none. */
  const furnish = async (open: LibraryBackend, id: WorkspaceId, kept: KeptConfig): Promise<void> => {
    writeWorkspaceConfig(folderOf(id), kept);
    for (const skill of kept.skills?.enabled ?? []) if (skills.get(skill) !== undefined) await open.workspace(id).skills.enable(skill);
  };

  return {
    stateDir,
    skills,

    async createWorkspace(userId, given = {}) {
      const id = parseWorkspaceId(userId);
      const kept = checkWorkspaceConfig(given);
      passphrase.use(given.credentialPassphrase);
      const open = await backend();
      if (open.kind === 'embedded' && passphrase.value === undefined) throw noPassphrase();
      await open.create(id);
      try {
        await furnish(open, id, kept);
      } catch (error) {
        await open.delete(id).catch(() => {}); // The caller has the error that matters.
        throw error;
      }
      return handleOf(open, id, given);
    },

    async getWorkspace(userId) {
      const id = parseWorkspaceId(userId);
      const open = await requireIt(id, 'get');
      return handleOf(open, id, readWorkspaceConfig(folderOf(id)));
    },

    async listWorkspaces() {
      return (await (await backend()).list()).filter((id) => id !== DEFAULT_WORKSPACE);
    },

    async deleteWorkspace(userId) {
      const id = parseWorkspaceId(userId);
      const open = await requireIt(id, 'delete');
      await changes.settled(id);
      await open.delete(id);
      busy.delete(id);
    },

    async workspaceExists(userId) {
      const id = parseWorkspaceId(userId);
      return await (await backend()).exists(id);
    },

    async [Symbol.asyncDispose]() {
      isClosed = true;
      const open = await opening?.catch(() => undefined); // What did not open needs no closing.
      opening = undefined;
      await changes.settled();
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

  /** Throws `invalid_argument`. */
  use(given: string | undefined): void {
    if (given !== undefined && this.#value !== undefined && given !== this.#value)
      throw new Fault(
        'invalid_argument',
        'Cannot use this credentialPassphrase: there is one vault for all workspaces, and it has another',
        {
          details: { field: 'credentialPassphrase' },
        },
      );
    this.#value ??= given === '' ? undefined : given;
  }
}
