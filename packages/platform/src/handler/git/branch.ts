/** `git.branch`: names are checked by the rules of git before git sees them, and stand where no option can. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { resolveCommit } from './diff.ts';
import { checkBranchName, resolveDirectory } from './names.ts';
import { lastWords, openRepository, type Repository } from './open-repository.ts';
import { switchTo } from './switch-to.ts';

export type BranchInput = JsonObject & {
  readonly path: string;
  readonly action: string;
  readonly name?: string;
  readonly start_point?: string;
};

const LIST_BYTES_MAX = 1_048_576;

export async function branch(input: BranchInput, context: HandlerContext): Promise<HandlerResult> {
  const { sandbox } = await context.sandbox();
  const root = resolveDirectory(input.path);
  const change = changeOf(input);
  await using repository = await openRepository(sandbox, root, context.signal);
  await change(repository);
  return { output: { branches: await listBranches(repository), current_branch: (await repository.branch()) ?? null } };
}

function changeOf({ action, name, start_point = 'HEAD' }: BranchInput): (repository: Repository) => Promise<void> {
  if (action === 'list') return async () => {};
  const known = { create: createBranch, switch: switchBranch, delete: deleteBranch };
  if (!Object.hasOwn(known, action) || name === undefined) {
    throw new CapabilityError(
      'InvalidAction',
      `Cannot ${JSON.stringify(action.slice(0, 40))} a branch: actions are list, create, switch and delete, all but list with a name`,
    );
  }
  const change = known[action as keyof typeof known]; // It is one of them.
  const checked = checkBranchName(name);
  return (repository) => change(repository, checked, start_point);
}

async function createBranch(repository: Repository, name: string, start: string): Promise<void> {
  const hash = await resolveCommit(repository, start).catch((error: unknown) => {
    if (!(error instanceof CapabilityError)) throw error;
    throw new CapabilityError(
      'BranchNotFound',
      `Cannot make the branch ${name}: ${JSON.stringify(start.slice(0, 100))} is no commit or branch`,
    );
  });
  if (await hasBranch(repository, name))
    throw new CapabilityError('BranchAlreadyExists', `Cannot make the branch ${name}: there is one of that name`);
  await repository.must('BranchAlreadyExists', ['branch', '--no-track', '--', name, hash]);
}

async function switchBranch(repository: Repository, name: string): Promise<void> {
  if (!(await hasBranch(repository, name))) throw noBranch(name);
  await switchTo(repository, ['--', name]);
}

async function deleteBranch(repository: Repository, name: string): Promise<void> {
  if (!(await hasBranch(repository, name))) throw noBranch(name);
  const outcome = await repository.git(['branch', '--delete', '--', name]);
  if (outcome.code !== 0) {
    if (outcome.stderr.includes('not fully merged')) {
      throw new CapabilityError('BranchNotMerged', `Cannot delete the branch ${name}: it has commits that are nowhere else`);
    }
    throw new CapabilityError('InvalidInput', `Cannot delete the branch ${name}: ${lastWords(outcome)}`, { context: { field: 'name' } });
  }
  await repository.forgetBranch(name);
}

export async function hasBranch(repository: Repository, name: string): Promise<boolean> {
  return (await repository.git(['show-ref', '--verify', '--quiet', '--', `refs/heads/${name}`])).code === 0;
}

export function noBranch(name: string): CapabilityError {
  return new CapabilityError('BranchNotFound', `Cannot find the branch ${name}: the repository has none of that name`);
}

async function listBranches(repository: Repository): Promise<readonly JsonObject[]> {
  const args = ['for-each-ref', '--format=%(refname)%00%(HEAD)%00%(symref)', 'refs/heads', 'refs/remotes'];
  const { stdout } = await repository.must('NotARepository', args, { outputBytesMax: LIST_BYTES_MAX });
  return stdout
    .split('\n')
    .map((line) => line.split('\0'))
    .filter(([reference = '', , target]) => reference !== '' && target === '') // `origin/HEAD` is a name for another one.
    .map(([reference = '', head = '']) => ({
      name: reference.replace(/^refs\/(heads|remotes)\//, ''),
      is_current: head === '*',
      is_remote: reference.startsWith('refs/remotes/'),
    }));
}
