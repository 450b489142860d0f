/** `git.init`: without templates, so without hooks. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { checkBranchName, resolveDirectory } from './names.ts';
import { lastWords, makePlace, openRepository } from './open-repository.ts';
import { runGit } from './run-git.ts';

export async function init(
  { path, initial_branch = 'main' }: JsonObject & { readonly path: string; readonly initial_branch?: string },
  context: HandlerContext,
): Promise<HandlerResult> {
  const root = resolveDirectory(path);
  const branch = checkBranchName(initial_branch);
  const { sandbox } = await context.sandbox();
  const { signal } = context;
  if (await exists(sandbox.stat(`${root}/.git`, { signal, follow: false }))) {
    await using repository = await openRepository(sandbox, root, signal);
    return { output: { path: root, branch: (await repository.branch()) ?? 'HEAD', created: false } };
  }
  await sandbox.mkdir(root, { parents: true, signal }).catch((error: unknown) => {
    throw new CapabilityError('InitFailed', `Cannot make the directory ${root}: ${messageOf(error)}`, { cause: error });
  });
  await using place = await makePlace(sandbox, signal);
  const env = { GIT_CONFIG_GLOBAL: `${place.made}/global`, HOME: `${place.made}/home`, GIT_DIR: `${root}/.git` };
  const outcome = await runGit(sandbox, { args: ['init', '--quiet', '--template=', `--initial-branch=${branch}`], env, cwd: root }, signal);
  if (outcome.code !== 0) throw new CapabilityError('InitFailed', `Cannot make a repository of ${root}: ${lastWords(outcome)}`);
  await using repository = await openRepository(sandbox, root, signal); // Also shows that no link led elsewhere.
  return { output: { path: repository.root, branch, created: true } };
}

async function exists(looking: Promise<unknown>): Promise<boolean> {
  return await looking.then(
    () => true,
    () => false,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it failed';
}
