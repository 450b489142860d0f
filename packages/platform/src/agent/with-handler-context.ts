/** Gives a handler what it may use for one call, and takes it back. */
import { type ActContext, type Kernel, mergeLabels } from '@warren/kernel';
import type { Egress } from '@warren/sandbox';
import type { HandlerContext } from '../capability/handler.ts';
import type { AgentSandbox, AgentSandboxes } from './agent-sandboxes.ts';
import { labelledWorkspace } from './labelled-workspace.ts';

export type ContextParts = { readonly kernel: Pick<Kernel, 'workspace'>; readonly sandboxes: AgentSandboxes; readonly egress: Egress };

export async function withHandlerContext<Result>(
  { kernel, sandboxes, egress }: ContextParts,
  context: ActContext,
  use: (context: HandlerContext) => Promise<Result>,
): Promise<Result> {
  const { actor, facts, signal } = context;
  const plain = kernel.workspace(actor.workspace);
  const mine = labelledWorkspace(plain, context);
  await using held = new AsyncDisposableStack();
  let opening: Promise<AgentSandbox> | undefined;
  // Whoever touches no path and no host needs no look at what was granted.
  const isReaching = facts.hosts.length > 0 || facts.paths.length > 0;
  const hosts = isReaching ? ((await mine.grants.find(actor.pid))?.hosts ?? []) : [];
  // Before anything in it can write: what it writes carries what the call carries.
  const openLabelled = async (): Promise<AgentSandbox> => {
    await plain.taints.labelFiles(actor.pid, writtenLabels(context, await plain.taints.of(actor.pid)));
    return await sandboxes.open(actor.workspace, actor.pid, signal);
  };
  const sandbox = (): Promise<AgentSandbox> => {
    opening ??= openLabelled();
    return opening;
  };
  held.defer(async () => {
    const opened = await opening?.catch(() => undefined); // Whoever asked for it has the error.
    await opened?.[Symbol.asyncDispose]();
  });
  return await use({ ...context, mine, sandbox, egress, hosts });
}

const LABEL_LENGTH_MAX = 64;

/** What comes from the web and is written before the call has ended also says from where. */
function writtenLabels({ taint, facts }: ActContext, carried: readonly string[]): readonly string[] {
  const hosts = taint.includes('web')
    ? facts.hosts.map(({ host }) => `web:${host}`).filter(({ length }) => length <= LABEL_LENGTH_MAX)
    : [];
  return mergeLabels(taint, carried, hosts) ?? [];
}
