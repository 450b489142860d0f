/** Agents of a workspace, by the processes that run for them. */
import { PROCESS_STATES, type ProcessRecord, type WorkspaceKernel } from '@warren/kernel';

/** Rows of processes are never deleted: of more than these the oldest are not looked at. */
const PROCESSES_MAX = 100_000;
const PAGE = 1_000;
const LIVE_STATES = PROCESS_STATES.filter((state) => state !== 'DEAD');

export type AgentOf = { readonly name: string; readonly process: ProcessRecord | undefined };

type Processes = Pick<WorkspaceKernel, 'processes'>;

/** The newest that is not DEAD. */
export async function newestProcess({ processes }: Processes, agent: string): Promise<ProcessRecord | undefined> {
  let newest: ProcessRecord | undefined;
  for (const state of LIVE_STATES) {
    const { total } = await processes.list({ agent, state }, { limit: 1 });
    if (total === 0) continue;
    const last = (await processes.list({ agent, state }, { limit: 1, offset: total - 1 })).processes[0];
    if (last !== undefined && last.pid > (newest?.pid ?? 0)) newest = last;
  }
  return newest;
}

/** Whether a process ever ran for it. */
export async function isKnownAgent({ processes }: Processes, agent: string): Promise<boolean> {
  return agent !== '' && (await processes.list({ agent }, { limit: 1 })).total > 0;
}

/** By name, each with its newest live process. */
export async function agentsOf({ processes }: Processes): Promise<readonly AgentOf[]> {
  const newest = new Map<string, ProcessRecord | undefined>();
  const { total } = await processes.list({}, { limit: 1 });
  for (let offset = Math.max(0, total - PROCESSES_MAX); ; offset += PAGE) {
    const page = (await processes.list({}, { limit: PAGE, offset })).processes;
    for (const process of page) {
      const { agent = '', state } = process;
      if (agent !== '') newest.set(agent, state === 'DEAD' ? newest.get(agent) : process);
    }
    if (page.length < PAGE) break;
  }
  return [...newest].map(([name, process]) => ({ name, process })).toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
