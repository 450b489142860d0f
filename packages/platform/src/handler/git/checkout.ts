/** `git.checkout`: a branch of here, a branch that only a remote has (then made here and following it), or any commit. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { hasBranch } from './branch.ts';
import { resolveCommit } from './diff.ts';
import { checkBranchName, isBranchName, isRevision, resolveDirectory } from './names.ts';
import { openRepository, type Repository } from './open-repository.ts';
import { switchTo } from './switch-to.ts';

export async function checkout(
  { path, ref, create = false }: JsonObject & { readonly path: string; readonly ref: string; readonly create?: boolean },
  context: HandlerContext,
): Promise<HandlerResult> {
  const root = resolveDirectory(path);
  if (create) checkBranchName(ref);
  else if (!isRevision(ref))
    throw new CapabilityError('CommitNotFound', `Cannot go to ${JSON.stringify(ref.slice(0, 100))}: it names no commit`);
  const { sandbox } = await context.sandbox();
  await using repository = await openRepository(sandbox, root, context.signal);
  await go(repository, ref, create);
  return { output: { branch: (await repository.branch()) ?? null, head_commit: (await repository.resolve('HEAD')) ?? '' } };
}

async function go(repository: Repository, ref: string, isNew: boolean): Promise<void> {
  if (isNew) {
    if (await hasBranch(repository, ref))
      throw new CapabilityError('InvalidInput', `Cannot make the branch ${ref}: there is one of that name`);
    return await switchTo(repository, ['--no-track', `--create=${ref}`]);
  }
  if (isBranchName(ref) && (await hasBranch(repository, ref))) return await switchTo(repository, ['--', ref]);
  const isOfRemote = isBranchName(ref) && (await repository.resolve(`refs/remotes/origin/${ref}`)) !== undefined;
  if (!isOfRemote) return await switchTo(repository, ['--detach', await resolveCommit(repository, ref)]);
  await switchTo(repository, ['--no-track', `--create=${ref}`, await resolveCommit(repository, `refs/remotes/origin/${ref}`)]);
  await repository.keep('InvalidInput', `branch.${ref}.remote`, 'origin');
  await repository.keep('InvalidInput', `branch.${ref}.merge`, `refs/heads/${ref}`);
}
