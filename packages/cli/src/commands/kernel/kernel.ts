/** `warren kernel`: opens whatever can answer, and shows one view of it. */
import type { Host } from '../../internal/host.ts';
import type { Operations } from '../../internal/operations.ts';
import type { KernelView } from '../../program/kernel-commands.ts';
import type { WorkspaceFlags } from '../../program/state-options.ts';
import { agents } from './agents.ts';
import { events } from './events.ts';
import { info } from './info.ts';
import type { KernelContext } from './kernel-context.ts';
import { methods } from './methods.ts';
import { proc } from './proc.ts';
import { prometheus } from './prometheus.ts';
import { queue } from './queue.ts';
import { registry } from './registry.ts';
import { summary } from './summary.ts';

/** Returns the exit code. */
export async function kernel(view: KernelView, host: Host, open: (flags: WorkspaceFlags) => Promise<Operations>): Promise<number> {
  await using operations = await open(view.flags);
  return await show(view, { operations, host });
}

async function show(view: KernelView, context: KernelContext): Promise<number> {
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
