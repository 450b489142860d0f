import type { Kernel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import type { IsBelow } from './authorize.ts';

export function isBelowIn(kernel: Pick<Kernel, 'store'>, workspace: WorkspaceId): IsBelow {
  return (pid, ancestor) =>
    kernel.store.workspace(workspace).read(({ processes }) => pid !== ancestor && processes.ancestry(pid).includes(ancestor));
}
