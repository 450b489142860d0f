import type { WorkspaceKernel } from '@warren/kernel';
import { requireAllowed } from './authorize.ts';

/** A process that is suspended is stopped: it changes nothing until it goes on. (One that is DEAD has no token any more.) */
export async function requireRunning({ processes }: Pick<WorkspaceKernel, 'processes'>, pid: number, action: string): Promise<void> {
  const process = await processes.find(pid);
  if (process?.state !== 'SUSPENDED') return;
  requireAllowed({ kind: 'denied', why: `process ${pid} is suspended, and may only read` }, action);
}
