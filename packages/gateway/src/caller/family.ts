import type { Kernel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import type { Family } from './authorize.ts';

export function familyIn(kernel: Pick<Kernel, 'store'>, workspace: WorkspaceId): Family {
  const mine = kernel.store.workspace(workspace);
  return {
    isBelow: (pid, ancestor) => mine.read(({ processes }) => pid !== ancestor && processes.ancestry(pid).includes(ancestor)),
    isOf: (pid, agent) => mine.read(({ processes }) => Number.isSafeInteger(pid) && processes.find(pid)?.agent === agent),
  };
}
