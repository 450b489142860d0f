/** `warren kernel`: opens whatever can answer, and shows one view of it. */
import type { Host } from '../../internal/host.ts';
import type { Operations } from '../../internal/operations.ts';
import { withWorkspaceAdvice } from '../../internal/workspace-advice.ts';
import type { KernelView } from '../../program/kernel-commands.ts';
import type { WorkspaceFlags } from '../../program/state-options.ts';
import { agents } from './agents.ts';
import { events } from './events.ts';
import { info } from './info.ts';
import type { KernelContext } from './kernel-context.ts';
import { method, methodNames, methods } from './methods.ts';
import { proc } from './proc.ts';
import { prometheus } from './prometheus.ts';
import { queue } from './queue.ts';
import { registry } from './registry.ts';
import { summary } from './summary.ts';

/** Returns the exit code. */
export async function kernel(view: KernelView, host: Host, open: (flags: WorkspaceFlags) => Promise<Operations>): Promise<number> {
  if (view.kind === 'method') return await method(view.name, view.flags, host);
  if (view.kind === 'method_names') return await methodNames(host);
  try {
    await using operations = await open(view.flags);
    return await show(view, { operations, host });
  } catch (error) {
    throw withWorkspaceAdvice(error, view.flags);
  }
}

/** What only the kernel of a state directory can answer. */
type AskedView = Exclude<KernelView, { readonly kind: 'method' | 'method_names' }>;

async function show(view: AskedView, context: KernelContext): Promise<number> {
  switch (view.kind) {
    case 'summary':
      return await summary(view.flags, context);
    case 'info':
      return await info(view.flags, context);
    case 'agents':
      return await agents(view.flags, context);
    case 'proc':
      return await proc(view.pid, view.flags, context);
    case 'events':
      return await events(view.flags, context);
    case 'queue':
      return await queue(view.flags, context);
    case 'registry':
      return await registry(view.flags, context);
    case 'methods':
      return await methods(view.flags, context);
    case 'prometheus':
      return await prometheus(context);
    default:
      return view satisfies never;
  }
}
