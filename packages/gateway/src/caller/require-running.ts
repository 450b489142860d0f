import type { WorkspaceKernel } from '@warren/kernel';
import { requireAllowed } from './authorize.ts';

/** A process that is suspended, or of an agent that is paused, is stopped: it changes nothing until it goes on. (One that is DEAD has no token any more.) */
export async function requireRunning({ processes }: Pick<WorkspaceKernel, 'processes'>, pid: number, action: string): Promise<void> {
  if (!(await processes.isStopped(pid))) return;
  requireAllowed({ kind: 'denied', why: `process ${pid} is suspended or its agent paused, and may only read` }, action);
}
