/** `git.clone`: no templates, no submodules, no hooks. What was begun and failed is removed. */
import type { JsonObject } from '@warren/protocol';
import { isFault } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { checkBranchName, resolveDirectory, WORKSPACE } from './names.ts';
import { lastWords, makePlace, openRepository } from './open-repository.ts';
import { remoteTarget } from './remote/remote-target.ts';
import { withRemote } from './remote/with-remote.ts';
import { runGit } from './run-git.ts';

export type CloneInput = JsonObject & { readonly url: string; readonly path: string; readonly branch?: string; readonly depth?: number };

const CLONE = ['clone', '--quiet', '--template=', '--no-recurse-submodules', '--no-hardlinks', '--no-local', '--origin=origin'];

export async function clone(input: CloneInput, context: HandlerContext): Promise<HandlerResult> {
  const root = resolveDirectory(input.path);
  const target = remoteTarget(input.url, WORKSPACE);
  const chosen = input.branch === undefined ? [] : [`--branch=${checkBranchName(input.branch)}`];
  const depth = input.depth === undefined ? [] : [`--depth=${input.depth}`, '--no-single-branch'];
  const { sandbox } = await context.sandbox();
  const { signal } = context;
  await refuseOccupied(context, root);
  await using place = await makePlace(sandbox, signal);
  const { made } = place;
  const env = { GIT_CONFIG_GLOBAL: `${made}/global`, HOME: `${made}/home`, XDG_CONFIG_HOME: `${made}/home` };
  const begun = `${root}/.git`;
  try {
    const outcome = await withRemote({
      context,
      sandbox,
      made,
      target,
      service: 'git-upload-pack',
      failure: 'CloneFailed',
      git: (way, either) =>
        runGit(
          sandbox,
          {
            args: [...CLONE, ...chosen, ...depth, ...way.options, '--', way.url, root],
            env: { ...env, ...way.env },
            cwd: WORKSPACE,
            timeoutMs: Math.max(1, context.deadlineAt - Date.now()),
          },
          either,
        ),
    });
    if (outcome.code !== 0) throw new CapabilityError('CloneFailed', `Cannot clone ${input.url}: ${lastWords(outcome)}`);
    await using repository = await openRepository(sandbox, root, signal);
    await repository.keep('CloneFailed', 'remote.origin.url', target.kind === 'web' ? target.url : target.path);
    const output = {
      path: root,
      default_branch: (await repository.branch()) ?? 'HEAD',
      head_commit: (await repository.resolve('HEAD')) ?? null,
    };
    return { output, usage: outcome.bytes > 0 ? { net_bytes: outcome.bytes } : {} };
  } catch (error) {
    await sandbox.remove(begun, { recursive: true }).catch(() => {}); // Git removes the rest itself, unless it was killed.
    throw error;
  }
}

async function refuseOccupied(context: HandlerContext, root: string): Promise<void> {
  const { sandbox } = await context.sandbox();
  const occupied = new CapabilityError('DestinationExists', `Cannot clone into ${root}: there is something`, {
    context: { destination: root },
  });
  try {
    if ((await sandbox.list(root, { signal: context.signal })).length > 0) throw occupied;
  } catch (error) {
    if (isFault(error, 'not_found')) return;
    throw isFault(error) && error.code !== 'aborted' ? occupied : error;
  }
}
