/** Gives a handler what it may use for one call, and takes it back. */
import { type ActContext, type Kernel, mergeLabels, type WorkspaceKernel } from '@warren/kernel';
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
  const { actor, callId, input, facts, taint, deadlineAt, progress, redact } = context;
  const plain = kernel.workspace(actor.workspace);
  let labelled: WorkspaceKernel | undefined;
  let opening: Promise<AgentSandbox> | undefined;
  // Before anything in it can write: what it writes carries what the call carries.
  const openLabelled = async (): Promise<AgentSandbox> => {
    await plain.taints.labelFiles(actor.pid, writtenLabels(context, await plain.taints.of(actor.pid)));
    return await sandboxes.open(actor.workspace, actor.pid, context.signal);
  };
  const given: HandlerContext = {
    ...{ actor, callId, input, facts, taint, deadlineAt, progress, redact, egress },
    hosts: await hostsOf(plain, context),
    sandbox: () => {
      opening ??= openLabelled();
      return opening;
    },
    // Made when they are asked for: many handlers need neither.
    get signal() {
      return context.signal;
    },
    get mine() {
      labelled ??= labelledWorkspace(plain, context);
      return labelled;
    },
  };
  try {
    return await use(given);
  } finally {
    // Whoever asked for it has the error.
    if (opening !== undefined) await (await opening.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

/** Whoever touches no path and no host needs no look at what was granted. */
async function hostsOf({ grants }: WorkspaceKernel, { actor, facts }: ActContext): Promise<readonly string[]> {
  if (facts.hosts.length === 0 && facts.paths.length === 0) return [];
  return (await grants.find(actor.pid))?.hosts ?? [];
}

const LABEL_LENGTH_MAX = 64;

/** What comes from the web and is written before the call has ended also says from where. */
function writtenLabels({ taint, facts }: ActContext, carried: readonly string[]): readonly string[] {
  const hosts = taint.includes('web')
    ? facts.hosts.map(({ host }) => `web:${host}`).filter(({ length }) => length <= LABEL_LENGTH_MAX)
    : [];
  return mergeLabels(taint, carried, hosts) ?? [];
}
