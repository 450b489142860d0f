/** `git.push`: one branch to the branch of the same name, never by force. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { noBranch } from './branch.ts';
import { checkBranchName, resolveDirectory } from './names.ts';
import { lastWords, openRepository } from './open-repository.ts';
import { remoteTarget } from './remote/remote-target.ts';
import { remoteUrl } from './remote/remote-url.ts';
import { withRemote } from './remote/with-remote.ts';

export type PushInput = JsonObject & { readonly path: string; readonly remote?: string; readonly branch?: string };

const PUSH = ['push', '--porcelain', '--no-verify', '--no-signed', '--no-recurse-submodules', '--no-follow-tags', '--no-force'];

export async function push(input: PushInput, context: HandlerContext): Promise<HandlerResult> {
  const root = resolveDirectory(input.path);
  const remote = input.remote ?? 'origin';
  const { sandbox } = await context.sandbox();
  await using repository = await openRepository(sandbox, root, context.signal);
  const branch = input.branch ?? (await repository.branch());
  if (branch === undefined) throw new CapabilityError('BranchNotFound', 'Cannot push: no branch is checked out');
  const reference = `refs/heads/${checkBranchName(branch)}`;
  const head = await repository.resolve(reference);
  if (head === undefined) throw noBranch(branch);
  const outcome = await withRemote({
    context,
    sandbox,
    made: repository.made,
    target: remoteTarget(remoteUrl(repository, remote, 'push'), root),
    service: 'git-receive-pack',
    failure: 'PushFailed',
    git: (way, signal) =>
      repository.git([...PUSH, ...way.options, '--', way.url, `${head}:${reference}`], {
        env: way.env,
        signal,
        timeoutMs: Math.max(1, context.deadlineAt - Date.now()),
      }),
  });
  const line = outcome.stdout.split('\n').find((text) => text.includes(`:${reference}\t`));
  if (line?.startsWith('!') === true) {
    throw new CapabilityError('PushRejected', `Cannot push ${branch}: ${line.split('\t').at(-1) ?? 'the other repository refuses it'}`);
  }
  if (outcome.code !== 0) throw new CapabilityError('PushFailed', `Cannot push ${branch} to ${remote}: ${lastWords(outcome)}`);
  await repository.git(['update-ref', '--', `refs/remotes/${remote}/${branch}`, head]); // What the other side has now; nothing is lost when it cannot be noted.
  return {
    output: { pushed_refs: line?.startsWith('=') === true ? [] : [reference], head_commit: head },
    usage: outcome.bytes > 0 ? { net_bytes: outcome.bytes } : {},
  };
}
