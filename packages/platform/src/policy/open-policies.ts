/**
 * The policies in force: what the files in the policy directory say, compiled for each workspace. Files are read all or none: as long as one of them has a mistake, those that
 * were in force before stay, and the mistake is said. Whoever decides gets a compiled policy that never changes under it.
 */
import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPolicy, createPolicy, type Layer, type Policy, type PolicyFile, type PolicyProblem, type Tier } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import type { PolicyDocument } from './policy-document.ts';
import { type FoundPolicy, findPolicies } from './policy-places.ts';
import { readPolicy } from './read-policy.ts';
import type { FileProblem } from './read-yaml.ts';
import { sayProblem } from './say-problem.ts';
import { templateText } from './templates.ts';

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
  /** Reads the files again. Resolves when they are in force, or known not to be. */
  reload(): Promise<PoliciesStatus>;
}

export type PoliciesParts = {
  readonly directory: string;
  readonly now: () => number;
  /** Whether to notice by itself that files change. */
  readonly isWatching: boolean;
  /** Called after each reading: whoever wants to tell people. */
  readonly onRead?: ((status: PoliciesStatus, isInForce: boolean) => void) | undefined;
};

export type LoadedPolicy = { readonly found: FoundPolicy; readonly policy: PolicyFile; readonly tests: PolicyDocument['tests'] };
type Set = { readonly version: string; readonly loadedAt: number; readonly loaded: readonly LoadedPolicy[] };

/** Files of another editor's making come in pairs; whoever writes is given this long to finish. */
const SETTLE_MS = 50;

/** Throws when the files there are cannot be used: there are no others to go on with. */
export async function openPolicies(parts: PoliciesParts): Promise<Policies> {
  const policies = new WatchedPolicies(parts);
  await policies.begin();
  return policies;
}

class WatchedPolicies implements Policies {
  readonly #parts: PoliciesParts;
  #set: Set | undefined;
  #problems: readonly FileProblem[] = [];
  readonly #compiled = new Map<WorkspaceId, Policy>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(parts: PoliciesParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    const { directory, isWatching } = this.#parts;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // Before reading, so that no change falls between the two.
    if (isWatching) this.#watcher = watch(directory, { recursive: true, persistent: false }, () => this.#readSoon());
    this.#watcher?.on('error', () => {}); // Whoever wants to be sure reloads.
    await this.reload();
    if (this.#set === undefined) {
      await this[Symbol.asyncDispose]();
      throw new PoliciesError(directory, this.#problems);
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
      problems: this.#problems,
    };
  }

  async reload(): Promise<PoliciesStatus> {
    const reading = this.#reading.then(() => this.#read());
    this.#reading = reading.catch(() => {}); // Whoever asked hears of it; the next reads anew.
    await reading;
    return this.status();
  }

  async #read(): Promise<void> {
    const { directory, now, onRead } = this.#parts;
    const read = parsePolicies(await readPolicyTexts(directory));
    this.#problems = read.problems;
    const isInForce = !read.problems.some(({ severity }) => severity === 'error');
    if (isInForce && read.version !== this.#set?.version) {
      this.#set = { version: read.version, loadedAt: now(), loaded: read.loaded };
      this.#compiled.clear();
    }
    onRead?.(this.status(), isInForce);
  }

  #readSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.reload().catch(() => {}), SETTLE_MS).unref(); // What cannot be read stays as it is in force.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#reading;
  }
}

/** Says which files have which mistakes. */
export class PoliciesError extends Error {
  override readonly name = 'PoliciesError';
  readonly problems: readonly FileProblem[];

  constructor(directory: string, problems: readonly FileProblem[]) {
    const errors = problems.filter(({ severity }) => severity === 'error');
    super(`Cannot use the policies in ${directory}: ${errors.map(sayProblem).join('; ')}`);
    this.problems = problems;
  }
}

function concerns(found: FoundPolicy, workspace: WorkspaceId): boolean {
  return found.workspace === undefined || found.workspace === workspace;
}

export type PolicyText = { readonly found: FoundPolicy; readonly content: string };

/** What policy files say. With an error among the problems they cannot be in force. */
export type ParsedPolicies = {
  /** SHA-256 of the files, in hexadecimal. */
  readonly version: string;
  readonly loaded: readonly LoadedPolicy[];
  readonly problems: readonly FileProblem[];
};

export async function readPolicyTexts(directory: string): Promise<readonly PolicyText[]> {
  const found = await findPolicies(directory);
  return await Promise.all(found.map(async (each) => ({ found: each, content: await readFile(join(directory, each.file), 'utf8') })));
}

export function parsePolicies(texts: readonly PolicyText[]): ParsedPolicies {
  const hash = createHash('sha256');
  const loaded: LoadedPolicy[] = [];
  const problems: FileProblem[] = [];
  for (const { found, content } of texts) {
    hash.update(JSON.stringify([found.file, content]));
    const read = readPolicy(content, { layer: found.layer, file: found.file, of: found.agent ?? found.workspace }, templateText);
    problems.push(...read.problems);
    if (read.policy !== undefined) loaded.push({ found, policy: read.policy, tests: read.document?.tests ?? [] });
  }
  for (const problem of checkPolicy(loaded.map(({ policy }) => policy))) problems.push(toProblem(problem));
  return { version: hash.digest('hex'), loaded, problems };
}

/** The message begins with file and line; here they stand beside it. */
function toProblem({ kind, file, line, message }: PolicyProblem): FileProblem {
  const place = `${file}:${line}: `;
  return { file, line, severity: kind, message: message.startsWith(place) ? message.slice(place.length) : message };
}
