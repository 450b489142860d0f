/** Skills on disk: `<state>/skills/<id>/`, what was approved of them beside it, and for each workspace which are enabled. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Redact, withoutForms } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { CapabilityError } from '../capability/handler.ts';
import { diskFault } from '../internal/disk-fault.ts';
import { readPlainFile } from '../internal/read-plain-file.ts';
import { watchDirectory } from '../internal/watch-directory.ts';
import { readWorkspaceConfig, writeWorkspaceConfig } from '../library/workspace-config-file.ts';
import { type PackFile, readPackFolder } from '../pack/pack-files.ts';
import { cleanError, cleanRun } from './clean-run.ts';
import type { FolderHashes } from './remembered-hashes.ts';
import type { RunSkillParts } from './run-skill.ts';
import {
  EXECUTABLE_NAMES,
  isSkillId,
  SKILL_FILE,
  SKILL_FILE_BYTES_MAX,
  type Skill,
  type SkillRequest,
  type SkillRun,
  type Skills,
} from './skill.ts';
import { writeSkill } from './write-skill.ts';

export type SkillsParts = RunSkillParts & {
  /** Made when it is not there; owned by this. */
  readonly folder: string;
  /** Of a workspace, where agents cannot write. */
  readonly directoryOf: (workspace: WorkspaceId) => string;
  readonly isWatching: boolean;
  readonly say: (message: string) => void;
  /** What a run said on standard error. */
  readonly onLog?: ((workspace: WorkspaceId, skill: string, log: string) => void) | undefined;
  /** Takes the secrets of a workspace out of a text. */
  readonly redactorOf?: ((workspace: WorkspaceId) => Redact) | undefined;
  /** For lists alone. Default: those of folders that look unchanged are remembered. */
  readonly hashes?: FolderHashes | undefined;
};

const SKILLS_MAX = 500;
const ENABLED_MAX = 500;
const APPROVED_FILE = '.approved.json';
const LEFT = /^\.(?:new|old)-/;

export async function openSkills(parts: SkillsParts): Promise<Skills> {
  const { folder } = parts;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await clearUp(folder);
  return new FolderSkills(parts);
}

/** What a crash left: one that was set aside for another that never came, or came and was not approved yet, is put back. */
async function clearUp(folder: string): Promise<void> {
  const names = await readdir(folder);
  for (const name of names.filter((each) => LEFT.test(each))) {
    const left = join(folder, name);
    const id = /^\.old-[0-9a-f]+-(.+)$/.exec(name)?.[1];
    if (id === undefined || !isSkillId(id) || (names.includes(id) && !(await isTheApproved(folder, id, left)))) {
      await rm(left, { recursive: true, force: true });
      continue;
    }
    await rm(join(folder, id), { recursive: true, force: true });
    await rename(left, join(folder, id));
  }
}

/** Whether what was set aside is what people approved, and what stands in its place is not. */
async function isTheApproved(folder: string, id: string, left: string): Promise<boolean> {
  const approved = await readApproved(folder).catch((): Readonly<Record<string, unknown>> => ({})); // Whoever lists them is told.
  if (!Object.hasOwn(approved, id)) return false;
  const { hashPack } = await import('../pack/hash-pack.ts');
  const hashOf = (path: string): Promise<string | undefined> => hashPack(path).catch(() => undefined); // Then it is not it.
  return (await hashOf(join(folder, id))) !== approved[id] && (await hashOf(left)) === approved[id];
}

class FolderSkills implements Skills {
  readonly #parts: SkillsParts;
  readonly #listeners = new Set<() => void>();
  readonly #watch: Disposable | undefined;
  #hashes: FolderHashes | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: SkillsParts) {
    this.#parts = parts;
    this.#hashes = parts.hashes;
    if (parts.isWatching) this.#watch = watchDirectory({ directory: parts.folder, onChange: () => this.#tell(), say: parts.say });
  }

  async list(): Promise<readonly Skill[]> {
    const { rememberHashes } = await import('./remembered-hashes.ts');
    this.#hashes ??= rememberHashes();
    const { of: hashOf } = this.#hashes;
    const approved = await this.#approved();
    const skills: Skill[] = [];
    for (const id of await this.#ids()) {
      const skill = await this.#read(id, approved, hashOf);
      if (skill !== undefined) skills.push(skill);
    }
    return skills;
  }

  async get(id: string): Promise<Skill> {
    const skill = await this.#find(id);
    if (skill !== undefined) return skill;
    throw notFound('find', id);
  }

  add(source: string, signal: AbortSignal): Promise<Skill> {
    return this.#alone(async () => {
      await refuseOther(source);
      const files = await readPackFolder(source, signal, 'skill');
      const id = idOf(files);
      if (!(await this.#ids()).includes(id) && (await this.#ids()).length >= SKILLS_MAX)
        throw new Fault('too_large', `Cannot add skill ${id}: there are ${SKILLS_MAX}, which is the limit`);
      const staged = join(this.#parts.folder, `.new-${randomBytes(6).toString('hex')}`);
      try {
        await writeSkill(staged, files, signal);
        const { readSkill } = await import('./read-skill.ts');
        const skill = await readSkill(staged, id, undefined);
        if (skill.problems.length > 0) throw new Fault('invalid_argument', `Cannot add skill ${id}: ${skill.problems.join('\n')}`);
        return await this.#putInPlace(staged, skill);
      } catch (error) {
        throw diskFault(error, `add skill ${id}`);
      } finally {
        await rm(staged, { recursive: true, force: true });
      }
    });
  }

  approve(id: string, hash: string): Promise<Skill> {
    return this.#alone(async () => {
      const skill = await this.get(id);
      if (skill.state === 'broken') throw new Fault('invalid_argument', `Cannot approve skill ${id}: ${skill.problems.join('\n')}`);
      if (skill.hash !== hash)
        throw new Fault(
          'conflict',
          `Cannot approve skill ${id}: what was looked at has the hash ${hash.slice(0, 64)}, what is there ${skill.hash}`,
          {
            details: { skill: id, hash: skill.hash },
          },
        );
      return await this.#approve(skill);
    });
  }

  remove(id: string): Promise<void> {
    return this.#alone(async () => {
      const approved = await this.#approved();
      if (!isSkillId(id) || !(await this.#takeAway(id))) throw notFound('remove', id);
      const { [id]: _, ...others } = approved;
      await writeJson(join(this.#parts.folder, APPROVED_FILE), others);
      this.#tell();
    });
  }

  enable(workspace: WorkspaceId, id: string): Promise<boolean> {
    return this.#alone(async () => {
      await this.get(id);
      const enabled = await this.enabledIn(workspace);
      if (enabled.includes(id)) return false;
      if (enabled.length >= ENABLED_MAX) throw new Fault('too_large', `Cannot enable skill ${id}: ${ENABLED_MAX} are, which is the limit`);
      await this.#writeEnabled(workspace, [...enabled, id].toSorted());
      return true;
    });
  }

  disable(workspace: WorkspaceId, id: string): Promise<boolean> {
    return this.#alone(async () => {
      const enabled = await this.enabledIn(workspace);
      if (!enabled.includes(id)) return false;
      await this.#writeEnabled(
        workspace,
        enabled.filter((each) => each !== id),
      );
      return true;
    });
  }

  async enabledIn(workspace: WorkspaceId): Promise<readonly string[]> {
    const enabled = readWorkspaceConfig(this.#parts.directoryOf(workspace)).skills?.enabled ?? [];
    return [...new Set(enabled.filter(isSkillId))].slice(0, ENABLED_MAX);
  }

  async run(request: SkillRequest): Promise<SkillRun> {
    const { workspace, isTrial } = request;
    const id: string | undefined = isSkillId(request.id) ? request.id : undefined;
    const skill = id === undefined ? undefined : await this.#find(id);
    if (skill === undefined || id === undefined) {
      const shown = JSON.stringify(String(request.id).slice(0, 128));
      throw new CapabilityError('SkillNotFound', `Cannot run skill ${shown}: there is none of this name`, { context: { skill: shown } });
    }
    const context = { skill: id };
    if (isTrial !== true && !(await this.enabledIn(workspace)).includes(id))
      throw new CapabilityError('SkillNotEnabled', `Cannot run skill ${id}: it is not enabled in this workspace`, { context });
    if (skill.state !== 'approved')
      throw new CapabilityError('SkillNotApproved', `Cannot run skill ${id}: ${whyNot(skill)}`, {
        context: { ...context, state: skill.state },
      });
    if (skill.program === undefined) throw notRunnable(skill);
    const { runSkill } = await import('./run-skill.ts');
    try {
      const run = await runSkill(this.#parts, skill, join(this.#parts.folder, id), request);
      this.#parts.onLog?.(workspace, id, run.log);
      return isTrial === true ? cleanRun(run, this.#redactorOf(workspace)) : run;
    } catch (error) {
      const log = error instanceof CapabilityError ? error.context?.['log'] : undefined;
      if (typeof log === 'string') this.#parts.onLog?.(workspace, id, log);
      throw isTrial === true && error instanceof CapabilityError ? cleanError(error, this.#redactorOf(workspace)) : error;
    }
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  #redactorOf(workspace: WorkspaceId): Redact {
    return this.#parts.redactorOf?.(workspace) ?? withoutForms;
  }

  async #find(id: string): Promise<Skill | undefined> {
    return isSkillId(id) ? await this.#read(id, await this.#approved()) : undefined;
  }

  /** Undefined when it is gone. */
  async #read(
    id: string,
    approved: Readonly<Record<string, unknown>>,
    hashOf?: (folder: string) => Promise<string>,
  ): Promise<Skill | undefined> {
    const { readSkill } = await import('./read-skill.ts');
    const hash = Object.hasOwn(approved, id) ? approved[id] : undefined;
    try {
      return await readSkill(join(this.#parts.folder, id), id, typeof hash === 'string' ? hash : undefined, hashOf);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return undefined; // Of whatever was thrown, only asked for.
      throw error;
    }
  }

  async #approve(skill: Skill): Promise<Skill> {
    await writeJson(join(this.#parts.folder, APPROVED_FILE), { ...(await this.#approved()), [skill.id]: skill.hash });
    this.#tell();
    return { ...skill, state: 'approved' };
  }

  #approved(): Promise<Readonly<Record<string, unknown>>> {
    return readApproved(this.#parts.folder);
  }

  async #writeEnabled(workspace: WorkspaceId, enabled: readonly string[]): Promise<void> {
    const directory = this.#parts.directoryOf(workspace);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const config = readWorkspaceConfig(directory);
    writeWorkspaceConfig(directory, { ...config, skills: { ...config.skills, enabled } });
    this.#tell();
  }

  /** Whether there was one. Runs that are under way keep what they have mounted. */
  async #takeAway(id: string): Promise<boolean> {
    const old = await this.#setAside(id);
    if (old === undefined) return false;
    await rm(old, { recursive: true, force: true });
    return true;
  }

  /** It is there and approved, or the one before it is. */
  async #putInPlace(staged: string, skill: Skill): Promise<Skill> {
    const place = join(this.#parts.folder, skill.id);
    const old = await this.#setAside(skill.id);
    try {
      await rename(staged, place);
      return await this.#approve(skill);
    } catch (error) {
      await rm(place, { recursive: true, force: true });
      if (old !== undefined) await rename(old, place);
      throw error;
    } finally {
      if (old !== undefined) await rm(old, { recursive: true, force: true });
    }
  }

  /** Where it is now; undefined: there was none. */
  async #setAside(id: string): Promise<string | undefined> {
    const old = join(this.#parts.folder, `.old-${randomBytes(6).toString('hex')}-${id}`);
    try {
      await rename(join(this.#parts.folder, id), old);
      return old;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // What rename throws has a code.
      throw error;
    }
  }

  async #ids(): Promise<readonly string[]> {
    const entries = await readdir(this.#parts.folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && isSkillId(entry.name))
      .map(({ name }) => name)
      .toSorted()
      .slice(0, SKILLS_MAX);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #alone<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => {}); // Whoever asked for it has its error.
    return result;
  }
}

/** Before anything else is read: what is no skill may be a whole disk. */
async function refuseOther(source: string): Promise<void> {
  const file = await readPlainFile(join(source, SKILL_FILE), { bytesMax: SKILL_FILE_BYTES_MAX, mayBeLink: false });
  if (file.kind === 'read') return;
  const why = file.code === 'not_found' ? `there is no ${SKILL_FILE} in it` : `its ${SKILL_FILE} ${file.reason}`;
  throw new Fault(file.code, `Cannot add the skill ${JSON.stringify(source.slice(0, 1_000))}: ${why}`);
}

/** What its SKILL.md says it is named. */
function idOf(files: readonly PackFile[]): string {
  const text = Buffer.from(files.find(({ path }) => path === SKILL_FILE)?.bytes ?? []).toString('utf8');
  if (text === '') throw new Fault('invalid_argument', `Cannot add the skill: it has no ${SKILL_FILE}`);
  const name = /^\uFEFF?---[ \t]*\r?\n(?:[\s\S]*?\n)?name:[ \t]*["']?([^\r\n"']*)["']?[ \t]*\r?\n/.exec(text)?.[1]?.trim();
  if (name === undefined)
    throw new Fault(
      'invalid_argument',
      `Cannot add the skill: ${SKILL_FILE} has no front matter with a name; begin it with\n---\nname: NAME\ndescription: WHAT IT IS GOOD FOR\n---`,
    );
  if (isSkillId(name)) return name;
  throw new Fault(
    'invalid_argument',
    `Cannot add the skill: its name ${JSON.stringify(String(name).slice(0, 128))} is not 1 to 128 of letters, digits, - and _`,
  );
}

function whyNot({ id, state, problems }: Skill): string {
  if (state === 'broken') return problems.join('; ');
  return state === 'changed'
    ? `it was changed since it was approved; warren skill show ${id} shows it, and how it is approved`
    : `nobody has approved it; warren skill show ${id} shows it, and how it is approved`;
}

function notRunnable({ id, problems }: Skill): CapabilityError {
  const why =
    problems.length > 0 ? problems.join('; ') : `it has none of ${EXECUTABLE_NAMES.join(', ')}, and its ${SKILL_FILE} names no other`;
  return new CapabilityError('SkillNotRunnable', `Cannot run skill ${id}: ${why}`, { context: { skill: id } });
}

function notFound(what: string, id: unknown): Fault {
  const name = String(id).slice(0, 128);
  const shown = JSON.stringify(name);
  return new Fault('not_found', `Cannot ${what} skill ${shown}: there is none of this name`, {
    details: { skill: name },
  });
}

/** Without the file nothing is. One that cannot be read is left as it is: what is written in its place would take every approval back. */
async function readApproved(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(basename(folder), APPROVED_FILE); // Agents may hear of it: where the folder stands is not for them.
  const refused = (why: string, cause?: unknown): Fault =>
    new Fault('store_failed', `Cannot read what is approved of skills: ${file} ${why}; mend it, or remove it and approve them again`, {
      cause,
      details: { file },
    });
  let text: string;
  try {
    text = await readFile(join(folder, APPROVED_FILE), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // What readFile throws has one.
    if (code === 'ENOENT') return {};
    throw refused(`cannot be read (${code})`, error);
  }
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('is no JSON object');
  return value as Record<string, unknown>; // It is an object.
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Whoever reads it says so.
  }
}

/** Old or new, never half. */
async function writeJson(path: string, value: object): Promise<void> {
  const staged = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(staged, `${JSON.stringify(value)}\n`, { mode: 0o600, flush: true });
    await rename(staged, path);
  } catch (error) {
    throw diskFault(error, 'write what is approved of skills');
  } finally {
    await rm(staged, { force: true });
  }
}
