/**
 * Keys under which the audit keeps what calls were about: one for each workspace, in its own directory, so that it goes with the workspace. It is kept beside what it opens, and guards against nobody who can read the
 * state directory: it is there to be destroyed, since the audit itself is never changed.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceId } from '@warren/protocol';

const FILE = 'audit.key';
const KEY_BYTES = 32;
/** In memory. When there are more it begins anew. */
const KNOWN_MAX = 4_096;

export type ContentKeysParts = {
  /** The state directory. */
  readonly directory: string;
  readonly exists: (workspace: WorkspaceId) => Promise<boolean>;
};

export class ContentKeys {
  readonly #parts: ContentKeysParts;
  readonly #known = new Map<WorkspaceId, Promise<KeyObject | undefined>>();

  constructor(parts: ContentKeysParts) {
    this.#parts = parts;
  }

  /** Undefined: there is none, or none any more. */
  find(workspace: WorkspaceId): Promise<KeyObject | undefined> {
    const known = this.#known.get(workspace);
    if (known !== undefined) return known;
    const reading = this.#read(workspace);
    this.#remember(workspace, reading);
    return reading;
  }

  /** Made when there is none; undefined when there is no such workspace. */
  async need(workspace: WorkspaceId): Promise<KeyObject | undefined> {
    const found = await this.find(workspace);
    if (found !== undefined || !(await this.#parts.exists(workspace))) return found;
    const making = this.#make(workspace);
    this.#remember(workspace, making);
    return await making;
  }

  forget(workspace: WorkspaceId): void {
    this.#known.delete(workspace);
  }

  #remember(workspace: WorkspaceId, key: Promise<KeyObject | undefined>): void {
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(workspace, key);
    key.then(
      (bytes) => {
        if (bytes === undefined) this.#known.delete(workspace); // There may be one later.
      },
      () => this.#known.delete(workspace), // Whoever asked hears of it.
    );
  }

  async #read(workspace: WorkspaceId): Promise<KeyObject | undefined> {
    try {
      await using file = await open(join(this.#folderOf(workspace), FILE), constants.O_RDONLY | constants.O_NOFOLLOW);
      const key = await file.readFile();
      if (key.length === KEY_BYTES) return createSecretKey(key);
      throw new Error(`The key of the audit of workspace ${workspace} is damaged`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException; // What open throws has one.
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  /** On disk before anything is sealed with it. Of two that are made at once the first is everybody's. */
  async #make(workspace: WorkspaceId): Promise<KeyObject | undefined> {
    const folder = this.#folderOf(workspace);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const beside = join(folder, `${FILE}.${randomBytes(8).toString('hex')}`);
    try {
      {
        await using file = await open(beside, 'wx', 0o600);
        await file.writeFile(randomBytes(KEY_BYTES));
        await file.datasync();
      }
      await link(beside, join(folder, FILE)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      await using parent = await open(folder, 'r');
      await parent.sync();
    } finally {
      await rm(beside, { force: true });
    }
    return await this.#read(workspace);
  }

  #folderOf(workspace: WorkspaceId): string {
    return join(this.#parts.directory, 'workspaces', workspace);
  }
}
