/** Processes as a process sees them: it may have children only as its grants say, and none that gets away from it. */
import type { WorkspaceKernel } from '@warren/kernel';
import { type Decision, requireAllowed } from './authorize.ts';

type Processes = WorkspaceKernel['processes'];
type CreateProcess = Parameters<Processes['create']>[0];

export type ProcessChildrenParts = Pick<WorkspaceKernel, 'processes' | 'grants'> & { readonly pid: number };

/** Grants are never added to and given once, so a right that is found can at most be taken away before it is used. */
export function createProcessChildren({ pid, processes, grants }: ProcessChildrenParts): Processes {
  const decide = async ({ parentPid = pid, agent, onParentEnd = 'end' }: CreateProcess): Promise<Decision> => {
    if (agent !== undefined) return denied('a process may not say whose agent a child is: it would spend the budget of that one');
    if (onParentEnd !== 'end') return denied('a child that a process creates ends with it');
    for (const each of new Set([pid, parentPid])) {
      if ((await grants.find(each))?.subAgents !== true) return denied(`process ${each} has no grant for sub agents`);
    }
    return { kind: 'allowed' };
  };
  return {
    ...processes,
    async create(request) {
      requireAllowed(await decide(request), 'create a process');
      return await processes.create(request);
    },
  };
}

function denied(why: string): Decision {
  return { kind: 'denied', why };
}
