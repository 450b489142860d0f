/**
 * The policies in force: what the files in the policy directory say, compiled for each workspace. Files are read all or none: as long as one of them has a mistake, those that
 * were in force before stay, and the mistake is said. A file that is gone is such a mistake until somebody says that it was meant: a rule does not fall with a full disk, or with
 * a folder that is not mounted. Whoever decides gets a compiled policy that never changes under it.
 */
import { mkdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { createPolicy, type Layer, type Policy, type PolicyFile, type Tier } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { watchDirectory } from '../internal/watch-directory.ts';
import { type LoadedPolicy, type PolicyTexts, parsePolicies, readPolicyTexts } from './parse-policies.ts';
import { type FoundPolicy, ownerOf } from './policy-places.ts';
import type { FileProblem } from './read-yaml.ts';
import { sayProblem } from './say-problem.ts';

export type PoliciesStatus = {
  readonly version: string;
  readonly loadedAt: number;
  readonly files: readonly {
    readonly layer: Layer;
    readonly file: string;
    readonly rules: number;
    readonly defaultTier: Tier | undefined;
  }[];
  /** Of the files on disk: with an error among them they are not in force. */
  readonly problems: readonly FileProblem[];
};

export interface Policies extends AsyncDisposable {
  policyOf(workspace: WorkspaceId): Policy;
  /** The files that concern an agent, from the top. */
  filesFor(workspace: WorkspaceId, agent: string): readonly PolicyFile[];
  /** What concerns a workspace; without one, everything. */
  status(workspace?: WorkspaceId): PoliciesStatus;
  /** Of the files that concern a workspace: those of others are not named. */
  problemsFor(workspace: WorkspaceId): readonly FileProblem[];
  /** Reads the files again; those that are gone are out of force then. Resolves when they are in force, or known not to be. */
  reload(): Promise<PoliciesStatus>;
  /** Calls back when others are in force; returns how to stop it. What a listener throws goes to nobody. */
  onChange(listener: () => void): () => void;
}

export type PoliciesParts = {
  readonly directory: string;
  readonly now: () => number;
  /** Whether to notice by itself that files change. */
  readonly isWatching: boolean;
  /** What an operator should know of the watching. */
  readonly say?: ((message: string) => void) | undefined;
  /** Called before other policies than those of now are in force, and waited for; when it rejects those of now stay. */
  readonly onChange?: ((version: string) => Promise<void>) | undefined;
  /** Called after each reading: whoever wants to tell people. */
  readonly onRead?: ((status: PoliciesStatus, isInForce: boolean) => void) | undefined;
};

type ReadOptions = { readonly isRemovalMeant: boolean };
type PoliciesInForce = { readonly version: string; readonly loadedAt: number; readonly loaded: readonly LoadedPolicy[] };

/** Throws when the files there are cannot be used: there are no others to go on with. */
export async function openPolicies(parts: PoliciesParts): Promise<Policies> {
  const policies = new WatchedPolicies(parts);
  await policies.begin();
  return policies;
}

class WatchedPolicies implements Policies {
  readonly #parts: PoliciesParts;
  #set: PoliciesInForce | undefined;
  #problems: readonly FileProblem[] = [];
  readonly #compiled = new Map<WorkspaceId, Policy>();
  #watching: Disposable | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<() => void>();

  constructor(parts: PoliciesParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    const { directory, isWatching, say = () => {} } = this.#parts;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // Before reading, so that no change falls between the two.
    if (isWatching) this.#watching = watchDirectory({ directory, say, onChange: () => this.#readChanged(say) });
    try {
      await this.reload();
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
    if (this.#set === undefined) {
      await this[Symbol.asyncDispose]();
      throw unusable(directory, this.#problems);
    }
  }

  policyOf(workspace: WorkspaceId): Policy {
    const known = this.#compiled.get(workspace);
    if (known !== undefined) return known;
    if (this.#set === undefined) throw new Error('No policies were read');
    const files = this.#set.loaded.filter(({ found }) => concerns(found, workspace)).map(({ policy }) => policy);
    const made = createPolicy(files, { version: this.#set.version, workspace });
    this.#compiled.set(workspace, made);
    return made;
  }

  filesFor(workspace: WorkspaceId, agent: string): readonly PolicyFile[] {
    const { loaded = [] } = this.#set ?? {};
    return loaded
      .filter(({ found }) => concerns(found, workspace) && (found.agent === undefined || found.agent === agent))
      .map(({ policy }) => policy);
  }

  status(workspace?: WorkspaceId): PoliciesStatus {
    const { version = '', loadedAt = 0, loaded = [] } = this.#set ?? {};
    const mine = loaded.filter(({ found }) => workspace === undefined || concerns(found, workspace));
    return {
      version,
      loadedAt,
      files: mine.map(({ policy: { layer, file, rules, defaultTier } }) => ({ layer, file, rules: rules.length, defaultTier })),
      problems: workspace === undefined ? this.#problems : this.problemsFor(workspace),
    };
  }

  problemsFor(workspace: WorkspaceId): readonly FileProblem[] {
    return this.#problems.filter(({ file }) => [undefined, workspace].includes(ownerOf(file)));
  }

  async reload(): Promise<PoliciesStatus> {
    await this.#readNext({ isRemovalMeant: true });
    return this.status();
  }

  #readNext(options: ReadOptions): Promise<void> {
    const reading = this.#reading.then(() => this.#read(options));
    this.#reading = reading.catch(() => {}); // Whoever asked hears of it; the next reads anew.
    return reading;
  }

  async #read({ isRemovalMeant }: ReadOptions): Promise<void> {
    const { directory, now, onRead, onChange } = this.#parts;
    const texts = await this.#textsIn(directory);
    const read = parsePolicies(texts);
    const gone = isRemovalMeant ? [] : this.#goneFrom(texts);
    this.#problems = [...gone, ...read.problems];
    const isInForce = !this.#problems.some(({ severity }) => severity === 'error');
    if (isInForce && read.version !== this.#set?.version) {
      await onChange?.(read.version);
      this.#set = { version: read.version, loadedAt: now(), loaded: read.loaded };
      this.#compiled.clear();
      this.#tell();
    }
    onRead?.(this.status(), isInForce);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch {
        // They are in force whether a listener likes it or not, and the others are to know.
      }
    }
  }

  async #textsIn(directory: string): Promise<PolicyTexts> {
    try {
      return await readPolicyTexts(directory);
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException; // The file system's, most of the time.
      this.#problems = [{ file: basename(directory), line: undefined, severity: 'error', message: `cannot be read: ${code}` }];
      this.#parts.onRead?.(this.status(), false);
      throw error;
    }
  }

  /** Files in force that were not there to be read. */
  #goneFrom({ texts, problems }: PolicyTexts): readonly FileProblem[] {
    const { loaded = [] } = this.#set ?? {};
    const present = new Set([...texts.map(({ found }) => found.file), ...problems.map(({ file }) => file)]);
    return loaded
      .filter(({ found }) => !present.has(found.file))
      .map(({ found: { file } }) => ({
        ...({ file, line: undefined, severity: 'error' } as const),
        message: 'is gone; it is still in force, with the other files as they were, until: warren policy reload',
      }));
  }

  #readChanged(say: (message: string) => void): void {
    this.#readNext({ isRemovalMeant: false }).catch((error: unknown) =>
      say(`Policies cannot be read, those before stay in force: ${String(error)}`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching?.[Symbol.dispose]();
    await this.#reading;
  }
}

/** Says which files have which mistakes. */
function unusable(directory: string, problems: readonly FileProblem[]): Fault {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const message = `Cannot use the policies in ${directory}: ${errors.map(sayProblem).join('; ')}`;
  return new Fault('invalid_argument', message, { details: { path: directory, start: 'policies' } });
}

function concerns(found: FoundPolicy, workspace: WorkspaceId): boolean {
  return found.workspace === undefined || found.workspace === workspace;
}
