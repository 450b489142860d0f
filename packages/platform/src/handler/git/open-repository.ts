/** A repository of the agent's workspace, opened for one call: git runs in it under a configuration of ours. */
import type { Sandbox } from '@warren/sandbox';
import { CapabilityError } from '../../capability/handler.ts';
import { fixedConfig, formatConfig, keepSettings, parseSettings, type Setting, unsupportedExtension } from './fixed-config.ts';
import { REPOSITORY_SCRIPT } from './repository-script.ts';
import { cleanEnvironment, type GitOutcome, type GitRequest, runGit } from './run-git.ts';

const LISTING_BYTES_MAX = 1_048_576;
const LOOK_MS = 30_000;

export type Doing = 'clean' | 'merging' | 'rebasing' | 'cherry_picking' | 'reverting' | 'bisecting';
/** Of one command; `signal` instead of the call's. */
export type GitOptions = Omit<Partial<GitRequest>, 'args' | 'cwd'> & { readonly signal?: AbortSignal | undefined };
export type RepositoryKind = 'worktree' | 'any';

/** Disposing it removes what was made for the call; the repository stays. */
export class Repository implements AsyncDisposable {
  readonly sandbox: Sandbox;
  /** The top of its files. */
  readonly root: string;
  readonly gitDirectory: string;
  /** Ours, for this call. */
  readonly made: string;
  readonly doing: Doing;
  /** What it says that is harmless. */
  readonly settings: readonly Setting[];
  readonly #signal: AbortSignal;

  constructor(sandbox: Sandbox, parts: Pick<Repository, 'root' | 'gitDirectory' | 'made' | 'doing' | 'settings'>, signal: AbortSignal) {
    this.sandbox = sandbox;
    this.root = parts.root;
    this.gitDirectory = parts.gitDirectory;
    this.made = parts.made;
    this.doing = parts.doing;
    this.settings = parts.settings;
    this.#signal = signal;
  }

  get commonDirectory(): string {
    return `${this.made}/common`;
  }

  setting(key: string): string | undefined {
    return this.settings.findLast((setting) => setting.key === key)?.value;
  }

  /** Runs git in it. What git thinks of it is in the outcome. */
  git(args: readonly string[], options: GitOptions = {}): Promise<GitOutcome> {
    return runGit(
      this.sandbox,
      {
        ...options,
        args,
        cwd: this.root,
        env: {
          GIT_DIR: this.gitDirectory,
          GIT_COMMON_DIR: this.commonDirectory,
          GIT_WORK_TREE: this.root,
          GIT_CONFIG_GLOBAL: `${this.made}/global`,
          HOME: `${this.made}/home`,
          XDG_CONFIG_HOME: `${this.made}/home`,
          ...options.env,
        },
      },
      options.signal ?? this.#signal,
    );
  }

  /** As `git`, for what has to succeed; `failure` names the error otherwise. */
  async must(failure: string, args: readonly string[], options: GitOptions = {}): Promise<GitOutcome> {
    const outcome = await this.git(args, options);
    if (outcome.code === 0) return outcome;
    throw new CapabilityError(failure, `Cannot run git ${args[0]}: ${lastWords(outcome)}`);
  }

  /** The hash a revision stands for; undefined when there is none. */
  async resolve(revision: string): Promise<string | undefined> {
    const { code, stdout } = await this.git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]);
    const hash = stdout.trim();
    return code === 0 && /^[0-9a-f]{40,64}$/.test(hash) ? hash : undefined;
  }

  /** The branch HEAD is on; undefined when it is detached. It need not have a commit. */
  async branch(): Promise<string | undefined> {
    const { code, stdout } = await this.git(['symbolic-ref', '--quiet', '--short', 'HEAD']);
    return code === 0 ? stdout.trim() : undefined;
  }

  /** Writes into the repository's own configuration, as git would have. */
  async keep(failure: string, key: string, value: string): Promise<void> {
    await this.must(failure, ['config', '--file', `${this.gitDirectory}/config`, '--replace-all', key, value]);
  }

  /** Forgets what its own configuration says of a branch. */
  async forgetBranch(name: string): Promise<void> {
    await this.git(['config', '--file', `${this.gitDirectory}/config`, '--remove-section', `branch.${name}`]); // Usually there is none.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeMade(this.sandbox, this.made);
  }
}

/** Throws `NotARepository`, `PathOutOfScope`. `any`: also one without files of its own. */
export async function openRepository(
  sandbox: Sandbox,
  root: string,
  signal: AbortSignal,
  kind: RepositoryKind = 'worktree',
): Promise<Repository> {
  const { exit, stdout } = await sandbox.run(['sh', '-c', REPOSITORY_SCRIPT, 'sh', root, kind], {
    cwd: '/',
    env: cleanEnvironment(sandbox, {}),
    outputBytesMax: LISTING_BYTES_MAX,
    timeoutMs: LOOK_MS,
    signal,
  });
  signal.throwIfAborted();
  const [found = '', made = '', gitDirectory = '', doing = '', ...listing] = Buffer.from(stdout).toString('utf8').split('\0');
  if (found !== 'ready') throw refusal(found, root, made);
  const settings = parseSettings(listing.join('\0'));
  const repository = new Repository(sandbox, { root, gitDirectory, made, doing: doing as Doing, settings: keepSettings(settings) }, signal); // The script says nothing else.
  try {
    if (exit.kind !== 'exited' || exit.code !== 0) throw refusal('unreadable', root, '');
    const extension = unsupportedExtension(settings);
    if (extension !== undefined) throw new CapabilityError('NotARepository', `Cannot open the repository: ${extension} is not supported`);
    await Promise.all([
      sandbox.writeFile(`${made}/common/config`, formatConfig(repository.settings), { signal }),
      sandbox.writeFile(`${made}/global`, fixedConfig(), { signal }),
    ]);
    return repository;
  } catch (error) {
    await repository[Symbol.asyncDispose]();
    throw error;
  }
}

/** A place for a call that has no repository yet: `init` and `clone`. */
export async function makePlace(sandbox: Sandbox, signal: AbortSignal): Promise<{ readonly made: string } & AsyncDisposable> {
  const { stdout } = await sandbox.run(
    ['sh', '-c', 'umask 077; d=$(mktemp -d /tmp/.git-call-XXXXXXXX) && mkdir "$d/home" "$d/bin" && printf %s "$d"'],
    {
      cwd: '/',
      signal,
      timeoutMs: LOOK_MS,
    },
  );
  const made = Buffer.from(stdout).toString('utf8');
  if (made === '') throw refusal('full', '', '');
  await sandbox.writeFile(`${made}/global`, fixedConfig(), { signal });
  return { made, [Symbol.asyncDispose]: () => removeMade(sandbox, made) };
}

/** What git said at last, without its prefix. Paths in it are those of the sandbox. */
export function lastWords({ stderr, code }: Pick<GitOutcome, 'stderr' | 'code'>): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line = lines.findLast((text) => /^(fatal|error): /.test(text)) ?? lines.at(-1) ?? `it ended with ${code}`;
  return line.replace(/^(fatal|error): /, '').slice(0, 500);
}

/** Does not throw: a sandbox that is gone has nothing left to remove. */
async function removeMade(sandbox: Sandbox, made: string): Promise<void> {
  await sandbox.remove(made, { recursive: true }).catch(() => {
    // Its /tmp ends with the sandbox.
  });
}

function refusal(found: string, root: string, detail: string): CapabilityError {
  switch (found) {
    case 'missing':
      return new CapabilityError('NotARepository', `Cannot open ${root} as a repository: there is no such directory`);
    case 'file':
      return new CapabilityError('NotARepository', `Cannot open ${root} as a repository: it is no directory`);
    case 'closed':
      return new CapabilityError('PermissionDenied', `Cannot open ${root} as a repository: it may not be entered`, {
        context: { path: root },
      });
    case 'below':
      return new CapabilityError('NotARepository', `Cannot open ${root} as a repository: it is a directory of the repository ${detail}`, {
        agentMessage: `${root} is inside the repository ${detail}. Call again with path=${detail}.`,
        context: { repository: detail },
      });
    case 'linked':
      return new CapabilityError(
        'PathOutOfScope',
        `Cannot open ${root} as a repository: it, or what git keeps of it, is a link to another place (linked worktrees and submodules are not supported)`,
      );
    case 'unreadable':
      return new CapabilityError('NotARepository', `Cannot open ${root} as a repository: its configuration cannot be read`);
    case 'full':
      return new CapabilityError('ResourceExhausted', 'Cannot run git: the scratch space of the sandbox is full', {
        context: { resource: 'disk' },
      });
    default:
      return new CapabilityError('NotARepository', `Cannot open ${root} as a repository: there is none`);
  }
}
