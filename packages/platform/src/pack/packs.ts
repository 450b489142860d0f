/**
 * Packs: capabilities of others, each a folder with definitions and a program. They are installed by name into one folder; what is there is what there is, so
 * that an operator may also put one there by hand. A pack takes its place as a whole or not at all, also when the machine stops in the middle.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ActContext } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Sandboxes } from '@warren/sandbox';
import type { Definition, Problem } from '../capability/definition.ts';
import type { HandlerResult } from '../capability/handler.ts';
import type { DefinitionSet } from '../capability/load-definitions.ts';
import type { LoadedPack, PacksRead } from '../capability/registry.ts';
import { readPlainFile } from '../internal/read-plain-file.ts';
import { watchDirectory } from '../internal/watch-directory.ts';
import { PACK_LIMITS, readPackFolder, tooLarge } from './pack-files.ts';
import type { PackManifest } from './pack-manifest.ts';
import { readArchive } from './read-archive.ts';
import { runPack } from './run-pack.ts';

export type PackSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'archive'; readonly file: string; readonly sha256: string };

export type InstalledPack = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly author: string;
  readonly capabilities: readonly string[];
  /** Why it is not used. */
  readonly problems: readonly Problem[];
};

export interface Packs {
  /** For the registry. */
  read(builtin: DefinitionSet): Promise<PacksRead>;
  list(): Promise<readonly InstalledPack[]>;
  /** In place of the one of that name, if there is one. Faults: `invalid_argument` (with all problems), `too_large`, `conflict` (hash), `not_found`. */
  install(source: PackSource, signal: AbortSignal): Promise<InstalledPack>;
  /** Whether there was one. Calls of it that are under way go on. */
  remove(name: string): Promise<boolean>;
  /** Calls back after something in the folder has changed, perhaps more often than needed, also when another folder comes in its place. */
  watch(onChange: () => void, say: (message: string) => void): Disposable;
}

export type PacksParts = {
  /** Made when it is not there; owned by this. */
  readonly folder: string;
  readonly sandboxes: Sandboxes;
  readonly builtin: DefinitionSet;
  readonly now?: (() => number) | undefined;
};

const PACKS_MAX = 100;
const NAME = /^[a-z][a-z0-9_]{0,62}$/;
/** What a crash leaves: one being written, and one being replaced or removed. */
const LEFT_NEW = /^\.new-/;
const LEFT_OLD = /^\.old-([a-z][a-z0-9_]{0,62})-[0-9a-f]+$/;

export async function openPacks(parts: PacksParts): Promise<Packs> {
  await mkdir(parts.folder, { recursive: true, mode: 0o755 });
  const names = await readdir(parts.folder);
  for (const name of names) {
    const replaced = LEFT_OLD.exec(name)?.[1];
    if (replaced !== undefined && !names.includes(replaced)) await rename(join(parts.folder, name), join(parts.folder, replaced));
    else if (replaced !== undefined || LEFT_NEW.test(name)) await rm(join(parts.folder, name), { recursive: true, force: true });
  }
  return new FolderPacks(parts);
}

class FolderPacks implements Packs {
  readonly #folder: string;
  readonly #sandboxes: Sandboxes;
  readonly #builtin: DefinitionSet;
  readonly #now: () => number;
  /** Calls under way, by pack; a folder is not taken from under them. */
  readonly #running = new Map<string, Set<Promise<unknown>>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor({ folder, sandboxes, builtin, now = Date.now }: PacksParts) {
    this.#folder = folder;
    this.#sandboxes = sandboxes;
    this.#builtin = builtin;
    this.#now = now;
  }

  async read(builtin: DefinitionSet): Promise<PacksRead> {
    const packs: LoadedPack[] = [];
    const broken: string[] = [];
    const problems: Problem[] = [];
    for (const name of await this.#names()) {
      const { readPackWithHash } = await import('./read-pack.ts');
      const read = await readPackWithHash(join(this.#folder, name), name, builtin);
      if (read.kind === 'refused') {
        broken.push(name);
        problems.push(...read.problems);
      } else {
        const { manifest, definitions, hash } = read;
        packs.push({
          name,
          version: manifest.version,
          definitions,
          hash,
          act: (definition, context) => this.#run(manifest, definition, context),
        });
      }
    }
    return { packs, broken, problems };
  }

  async list(): Promise<readonly InstalledPack[]> {
    const names = await this.#names();
    return Promise.all(
      names.map(async (name): Promise<InstalledPack> => {
        const { readPack } = await import('./read-pack.ts');
        const read = await readPack(join(this.#folder, name), name, this.#builtin);
        if (read.kind === 'read') return installed(read.manifest, read.definitions);
        return { name, version: '', description: '', author: '', capabilities: [], problems: read.problems };
      }),
    );
  }

  install(source: PackSource, signal: AbortSignal): Promise<InstalledPack> {
    return this.#alone(async () => {
      signal.throwIfAborted();
      const files =
        source.kind === 'folder'
          ? await readPackFolder(source.folder, signal)
          : await readArchive(await readWhole(source.file), source.sha256);
      const { checkPackFiles } = await import('./read-pack.ts');
      const { manifest, definitions } = checkPackFiles(files, this.#builtin);
      if (!(await this.#names()).includes(manifest.name) && (await this.#names()).length >= PACKS_MAX)
        throw tooLarge(`there are ${PACKS_MAX} packs already`);
      const staged = join(this.#folder, `.new-${manifest.name}-${randomBytes(6).toString('hex')}`);
      try {
        for (const file of files) {
          signal.throwIfAborted();
          const path = join(staged, file.path);
          await mkdir(dirname(path), { recursive: true, mode: 0o755 });
          await writeFile(path, file.bytes, { flag: 'wx', mode: file.isExecutable ? 0o755 : 0o644, flush: true });
        }
        await this.#takeAway(manifest.name);
        await rename(staged, join(this.#folder, manifest.name));
      } finally {
        await rm(staged, { recursive: true, force: true });
      }
      return installed(manifest, definitions);
    });
  }

  remove(name: string): Promise<boolean> {
    return this.#alone(async () => NAME.test(name) && (await this.#takeAway(name)));
  }

  watch(onChange: () => void, say: (message: string) => void): Disposable {
    return watchDirectory({ directory: this.#folder, onChange, say });
  }

  async #run(manifest: PackManifest, definition: Definition, context: ActContext): Promise<HandlerResult> {
    const run = runPack(
      { sandboxes: this.#sandboxes, folder: join(this.#folder, manifest.name), manifest, now: this.#now },
      definition,
      context,
    );
    const running = this.#running.get(manifest.name) ?? new Set();
    this.#running.set(manifest.name, running);
    running.add(run);
    try {
      return await run;
    } finally {
      running.delete(run);
    }
  }

  /** Whether there was one. It is out of the way at once; its files go when the last call that uses them has ended. */
  async #takeAway(name: string): Promise<boolean> {
    const old = join(this.#folder, `.old-${name}-${randomBytes(6).toString('hex')}`);
    try {
      await rename(join(this.#folder, name), old);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false; // What rename throws has a code.
      throw error;
    }
    const running = [...(this.#running.get(name) ?? [])];
    const removal = Promise.allSettled(running).then(() => rm(old, { recursive: true, force: true }));
    if (running.length === 0) await removal;
    else removal.catch(() => {}); // Then the next start removes it.
    return true;
  }

  async #names(): Promise<readonly string[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
      .map(({ name }) => name)
      .sort()
      .slice(0, PACKS_MAX);
  }

  #alone<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => {}); // Whoever asked for it has its error.
    return result;
  }
}

/** SHA-256 of what there is: names and contents, and names of those that cannot be used. */
export function hashPacks({ packs, broken }: Pick<PacksRead, 'packs' | 'broken'>): string {
  return createHash('sha256')
    .update(JSON.stringify([packs.map(({ name, hash }) => [name, hash]), broken]))
    .digest('hex');
}

function installed({ name, version, description, author }: PackManifest, definitions: readonly Definition[]): InstalledPack {
  return { name, version, description, author, capabilities: definitions.map((each) => each.name), problems: [] };
}

async function readWhole(file: string): Promise<Uint8Array> {
  const read = await readPlainFile(file, { bytesMax: PACK_LIMITS.archiveBytesMax, mayBeLink: true });
  if (read.kind === 'read') return read.bytes;
  throw new Fault(read.code, `Cannot install the pack: its archive ${read.reason}`);
}
