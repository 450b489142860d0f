/** Gives a handler what it may use for one call, and takes it back. */
import type { ActContext, Kernel } from '@warren/kernel';
import type { Egress } from '@warren/sandbox';
import type { HandlerContext } from '../capability/handler.ts';
import type { AgentSandbox, AgentSandboxes } from './agent-sandboxes.ts';

export type ContextParts = { readonly kernel: Pick<Kernel, 'workspace'>; readonly sandboxes: AgentSandboxes; readonly egress: Egress };

export async function withHandlerContext<Result>(
  { kernel, sandboxes, egress }: ContextParts,
  context: ActContext,
  use: (context: HandlerContext) => Promise<Result>,
): Promise<Result> {
  const { actor, facts, signal } = context;
  const mine = kernel.workspace(actor.workspace);
  await using held = new AsyncDisposableStack();
  let opening: Promise<AgentSandbox> | undefined;
  // Whoever touches no path and no host needs no look at what was granted.
  const isReaching = facts.hosts.length > 0 || facts.paths.length > 0;
  const hosts = isReaching ? ((await mine.grants.find(actor.pid))?.hosts ?? []) : [];
  const sandbox = (): Promise<AgentSandbox> => {
    opening ??= sandboxes.open(actor.workspace, actor.pid, signal);
    return opening;
  };
  held.defer(async () => {
    const opened = await opening?.catch(() => undefined); // Whoever asked for it has the error.
    await opened?.[Symbol.asyncDispose]();
  });
  return await use({ ...context, mine, sandbox, egress, hosts });
}
