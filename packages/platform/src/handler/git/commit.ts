/** `git.commit`: stages and commits in the name of the agent. No hooks, no signatures, no editor. */
import { isFault, type JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { resolveDirectory, resolveFile } from './names.ts';
import { openRepository, type Repository } from './open-repository.ts';
import { changedOwnFiles } from './status.ts';

export type CommitInput = JsonObject & {
  readonly path: string;
  readonly message: string;
  readonly files?: readonly string[];
  readonly author_name?: string;
  readonly author_email?: string;
};

/** Of the list of files that changed. */
const CHANGES_BYTES_MAX = 33_554_432;
const UPDATE_INDEX = ['update-index', '--add', '--remove', '--replace', '-z', '--stdin'];

export async function commit(input: CommitInput, context: HandlerContext): Promise<HandlerResult> {
  const root = resolveDirectory(input.path);
  const files = input.files?.map((file) => resolveFile(root, file));
  const who = identity(input, context);
  if (input.message.includes('\0'))
    throw new CapabilityError('InvalidInput', 'Cannot commit: the message holds a NUL', { context: { field: 'message' } });
  const { sandbox } = await context.sandbox();
  await using repository = await openRepository(sandbox, root, context.signal);
  if (files !== undefined && repository.doing === 'merging')
    throw new CapabilityError('CommitFailed', 'Cannot commit some files: a merge is under way');
  const index = await stage(repository, files, context.signal);
  if (repository.doing !== 'merging') await refuseNothing(repository, index);
  const message = `${repository.made}/message`;
  await sandbox.writeFile(message, input.message, { signal: context.signal });
  const options = ['--quiet', '--no-verify', '--no-gpg-sign', '--no-post-rewrite', '--no-status', '--cleanup=whitespace'];
  await repository.must('CommitFailed', ['commit', ...options, `--file=${message}`], { env: { ...who, ...index.env } });
  if (index.own !== undefined) await repository.must('CommitFailed', UPDATE_INDEX, { stdin: index.own });
  const hash = (await repository.resolve('HEAD')) ?? '';
  const names = await repository.must('CommitFailed', [
    'diff-tree',
    '--root',
    '--no-commit-id',
    '--name-only',
    '-r',
    '-m',
    '--first-parent',
    '-z',
    hash,
  ]);
  const filesCommitted = names.stdout.split('\0').filter((name) => name !== '').length;
  return { output: { commit_hash: hash, files_committed: filesCommitted, branch: (await repository.branch()) ?? 'HEAD' } };
}

/** Where the commit is made from. `own`: files the repository's own index has yet to learn of. */
type Index = { readonly env: Readonly<Record<string, string>>; readonly own: string | undefined };

/** Files that are named are committed alone, so from an index of their own. */
async function stage(repository: Repository, files: readonly string[] | undefined, signal: AbortSignal): Promise<Index> {
  const changed = await changedFiles(repository);
  const chosen = files === undefined ? changed : await choose(repository, changed, files, signal);
  const names = chosen.map((name) => `${name}\0`).join('');
  const env: Readonly<Record<string, string>> = files === undefined ? {} : { GIT_INDEX_FILE: `${repository.made}/index` };
  if (files !== undefined && (await repository.resolve('HEAD')) !== undefined)
    await repository.must('CommitFailed', ['read-tree', 'HEAD'], { env });
  await repository.must('CommitFailed', UPDATE_INDEX, { env, stdin: names });
  return { env, own: files === undefined ? undefined : names };
}

/**
 * `git add` would look for changes within repositories below, and so run git under their configuration: `.gitmodules` can ask for that, and no option of
 * it says no. So git tells what changed, and the files of this repository are named to it one by one.
 */
async function changedFiles(repository: Repository): Promise<readonly string[]> {
  const args = ['status', '--porcelain=v2', '-z', '--untracked-files=all', '--ignore-submodules=dirty', '--no-renames'];
  const { stdout, isTruncated } = await repository.must('CommitFailed', args, { outputBytesMax: CHANGES_BYTES_MAX });
  if (isTruncated)
    throw new CapabilityError('CommitFailed', `Cannot commit: the names of what changed take more than ${CHANGES_BYTES_MAX} bytes`);
  return changedOwnFiles(stdout);
}

async function choose(
  { sandbox, root }: Repository,
  changed: readonly string[],
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const wanted = new Set(names);
  const found = new Set<string>();
  const chosen = changed.filter((file) => {
    const name = [file, ...directoriesOf(file)].find((each) => wanted.has(each));
    if (name !== undefined) found.add(name);
    return name !== undefined;
  });
  for (const name of names) {
    if (found.has(name)) continue;
    await sandbox.stat(`${root}/${name}`, { follow: false, signal }).catch((error: unknown) => {
      if (!isFault(error) || error.code === 'aborted') throw error;
      throw new CapabilityError('FileNotFound', `Cannot commit ${JSON.stringify(name)}: the repository has no such file`, {
        context: { path: name, parent: '.' },
      });
    });
  }
  return chosen;
}

function directoriesOf(file: string): readonly string[] {
  const parts = file.split('/');
  return [...parts.slice(1).map((_, index) => parts.slice(0, parts.length - 1 - index).join('/')), '.'];
}

async function refuseNothing(repository: Repository, { env }: Index): Promise<void> {
  const args = ['diff', '--cached', '--quiet', '--no-ext-diff', '--no-textconv', '--ignore-submodules=dirty', '--'];
  const { code } = await repository.git(args, { env });
  if (code === 0) throw new CapabilityError('NothingToCommit', 'Cannot commit: nothing differs from the last commit');
}

/** Git strips some characters and would refuse what is left of `<>`: better said before. */
function identity({ author_name, author_email }: CommitInput, { actor }: HandlerContext): Readonly<Record<string, string>> {
  const agent = actor.agent === '' ? `process-${actor.pid}` : actor.agent;
  const own = { name: agent, email: `${agent.replace(/[^A-Za-z0-9._-]/g, '-')}@agents.invalid` };
  const author = { name: author_name ?? own.name, email: author_email ?? own.email };
  for (const [field, value] of Object.entries(author)) {
    if (!/[\0-\x1f\x7f<>]/.test(value) && /[^\s.,:;"'\\]/.test(value)) continue;
    throw new CapabilityError('InvalidInput', `Cannot commit: author_${field} holds characters git does not take`, {
      context: { field: `author_${field}` },
    });
  }
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: own.name.replace(/[\0-\x1f\x7f<>]/g, '-'),
    GIT_COMMITTER_EMAIL: own.email,
  };
}
