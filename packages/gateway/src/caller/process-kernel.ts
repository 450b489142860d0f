import type { WorkspaceKernel } from '@warren/kernel';
import { createProcessChildren } from './process-children.ts';
import { createProcessFiles } from './process-files.ts';

/** The kernel in the hands of a process. Which operations it may call at all, and about whom, is settled before. */
export function createProcessKernel(mine: WorkspaceKernel, pid: number): WorkspaceKernel {
  const { files, grants, processes, taints } = mine;
  return {
    ...mine,
    files: createProcessFiles({ pid, files, grants, taints }),
    processes: createProcessChildren({ pid, processes, grants }),
  };
}
