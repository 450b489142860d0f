/** `git.pull`: a fetch and a merge. A merge that does not work out leaves everything as it was. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { checkBranchName, resolveDirectory } from './names.ts';
import { lastWords, openRepository, type Repository } from './open-repository.ts';
import { remoteTarget } from './remote/remote-target.ts';
import { remoteUrl } from './remote/remote-url.ts';
import { type RemoteOutcome, withRemote } from './remote/with-remote.ts';

export type PullInput = JsonObject & { readonly path: string; readonly remote?: string; readonly branch?: string };

const FETCH = [
  'fetch',
  '--quiet',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
  '--no-write-commit-graph',
  '--no-tags',
  '--no-show-forced-updates',
];
const MERGE = [
  'merge',
  '--quiet',
  '--no-edit',
  '--no-verify',
  '--no-gpg-sign',
  '--no-verify-signatures',
  '--no-stat',
  '--no-autostash',
  '--no-squash',
];

export async function pull(input: PullInput, context: HandlerContext): Promise<HandlerResult> {
  const root = resolveDirectory(input.path);
  const remote = input.remote ?? 'origin';
  const { sandbox } = await context.sandbox();
  await using repository = await openRepository(sandbox, root, context.signal);
  const current = await repository.branch();
  const branch = input.branch === undefined ? followed(repository, remote, current) : checkBranchName(input.branch);
  const before = await repository.resolve('HEAD');
  const fetched = await fetch(repository, context, remote, branch);
  const theirs = await repository.resolve(`refs/remotes/${remote}/${branch}`);
  if (theirs === undefined) throw new CapabilityError('PullFailed', `Cannot pull ${branch}: what came is no commit`);
  await merge(repository, theirs, before, context);
  const head = (await repository.resolve('HEAD')) ?? theirs;
  const range = before === undefined ? [head] : [`${before}..${head}`];
  const counted = await repository.must('PullFailed', ['rev-list', '--count', ...range, '--']);
  const output = {
    new_commits: Number(counted.stdout.trim()),
    files_changed: await countFiles(repository, before, head),
    head_commit: head,
    up_to_date: head === before,
  };
  return { output, usage: fetched.bytes > 0 ? { net_bytes: fetched.bytes } : {} };
}

function followed(repository: Repository, remote: string, current: string | undefined): string {
  if (current === undefined) throw new CapabilityError('BranchNotFound', 'Cannot pull: no branch is checked out');
  const isFollowing = repository.setting(`branch.${current}.remote`) === remote;
  const name = isFollowing ? repository.setting(`branch.${current}.merge`)?.replace(/^refs\/heads\//, '') : undefined;
  return checkBranchName(name ?? current);
}

async function fetch(repository: Repository, context: HandlerContext, remote: string, branch: string): Promise<RemoteOutcome> {
  const target = remoteTarget(remoteUrl(repository, remote, 'fetch'), repository.root);
  const outcome = await withRemote({
    context,
    sandbox: repository.sandbox,
    made: repository.made,
    target,
    service: 'git-upload-pack',
    failure: 'PullFailed',
    git: (way, signal) =>
      repository.git([...FETCH, ...way.options, '--', way.url, `+refs/heads/${branch}:refs/remotes/${remote}/${branch}`], {
        env: way.env,
        signal,
        timeoutMs: Math.max(1, context.deadlineAt - Date.now()),
      }),
  });
  if (outcome.code === 0) return outcome;
  if (outcome.stderr.includes("couldn't find remote ref")) {
    throw new CapabilityError('BranchNotFound', `Cannot pull: ${remote} has no branch ${branch}`);
  }
  throw new CapabilityError('PullFailed', `Cannot fetch from ${remote}: ${lastWords(outcome)}`);
}

async function merge(repository: Repository, theirs: string, before: string | undefined, { actor }: HandlerContext): Promise<void> {
  const name = actor.agent === '' ? `process-${actor.pid}` : actor.agent;
  const who = { NAME: name.replace(/[\0-\x1f\x7f<>]/g, '-'), EMAIL: `${name.replace(/[^A-Za-z0-9._-]/g, '-')}@agents.invalid` };
  const env = Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((role) => Object.entries(who).map(([part, value]) => [`GIT_${role}_${part}`, value])),
  );
  const outcome = await repository.git([...MERGE, theirs], { env });
  if (outcome.code === 0) return;
  const conflicted = await repository.git(['diff', '--name-only', '--diff-filter=U', '-z', '--ignore-submodules=all', '--']);
  const files = conflicted.stdout.split('\0').filter((file) => file !== '');
  const isWritten = `${outcome.stderr}`.includes('would be overwritten');
  if (files.length > 0 || (await isMerging(repository))) await repository.must('PullFailed', ['merge', '--abort']);
  if (files.length > 0 || isWritten) {
    const what = files.length > 0 ? `${files.length} files conflict` : 'changes that are not committed would be overwritten';
    throw new CapabilityError('MergeConflict', `Cannot merge: ${what}`, {
      context: { files: files.slice(0, 100), head_commit: before ?? null },
    });
  }
  throw new CapabilityError('PullFailed', `Cannot merge: ${lastWords(outcome)}`);
}

async function isMerging(repository: Repository): Promise<boolean> {
  return (await repository.git(['rev-parse', '--verify', '--quiet', 'MERGE_HEAD'])).code === 0;
}

async function countFiles(repository: Repository, before: string | undefined, head: string): Promise<number> {
  if (before === head) return 0;
  const trees = before === undefined ? ['--root', head] : [before, head];
  const { stdout } = await repository.must('PullFailed', [
    'diff-tree',
    '--no-commit-id',
    '--name-only',
    '-r',
    '-z',
    '--ignore-submodules=all',
    ...trees,
  ]);
  return stdout.split('\0').filter((file) => file !== '').length;
}
