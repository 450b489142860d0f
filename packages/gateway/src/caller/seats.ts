/**
 * In whose place a caller acts. A process is itself. An agent is its newest live process, which begins when there is none; so is one that an operator or a member names: what an
 * agent may do, its grants and budgets say, never the rights of whoever speaks for it.
 */
import type { Kernel, Principal } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { OPERATIONS } from '@warren/protocol/contract';
import type { Identity } from '../http/authenticate.ts';
import { authorize, type Decision, type Family, requireAllowed } from './authorize.ts';
import { selectWorkspace } from './select-workspace.ts';

/** What a caller asks for: the headers `warren-workspace` and `warren-agent`. */
export type AskedSeat = { readonly workspace: string | undefined; readonly agent?: string | undefined };

export type Seat = { readonly workspace: WorkspaceId; readonly pid: number };

export interface Seats {
  /**
   * Of now: an agent that was started anew has another process. Faults: `permission_denied` (another's workspace or agent), `invalid_argument` (no agent named),
   * `not_found` (there is no such agent), and what starting it fails with.
   */
  find(identity: Pick<Identity, 'principal'>, asked: AskedSeat): Promise<Seat>;
}

/** Names that are remembered. Beyond them they are looked up each time. */
const KNOWN_MAX = 10_000;

/** Members and operators are not asked about families. */
const NOBODY: Family = { isBelow: async () => false, isOf: async () => false };

export function createSeats(kernel: Kernel, { agents }: Pick<Platform, 'agents'>): Seats & Disposable {
  /** By workspace and agent; forgotten whenever a process there begins, moves or ends. */
  const known = new Map<WorkspaceId, Map<string, number>>();
  const lease = kernel.store.onCommit((workspace, events) => {
    if (known.has(workspace) && events.some(({ kind }) => kind.startsWith('kernel.process.'))) known.delete(workspace);
  });

  async function newest(workspace: WorkspaceId, agent: string): Promise<number> {
    const there = known.get(workspace)?.get(agent);
    if (there !== undefined) return there;
    const names = known.get(workspace) ?? new Map<string, number>();
    known.set(workspace, names);
    const process = await agents.open(workspace, agent);
    // What was found while something changed is not kept: its map is no longer the one that is looked at.
    if (names.size < KNOWN_MAX) names.set(agent, process.pid);
    return process.pid;
  }

  return {
    async find({ principal }, { workspace: named, agent }) {
      const workspace = selectWorkspace(principal, named);
      if (principal.kind === 'process') {
        const { pid } = principal;
        if (agent !== undefined && (await kernel.workspace(workspace).processes.get(pid)).agent !== agent) {
          throw denied();
        }
        return { workspace, pid };
      }
      if (principal.kind === 'agent') {
        if (agent !== undefined && agent !== principal.agent) throw denied();
        return { workspace, pid: await newest(workspace, principal.agent) };
      }
      requireAllowed(await actingFor(principal), 'act for an agent');
      if (agent === undefined || agent === '') {
        throw new Fault('invalid_argument', 'Cannot act: say as which agent, in header warren-agent', {
          details: { field: 'warren-agent' },
        });
      }
      return { workspace, pid: await newest(workspace, agent) };
    },
    [Symbol.dispose]: () => lease[Symbol.dispose](),
  };
}

/** Whether who is neither may act for an agent: viewers and approvers only look. */
export async function mayActFor(principal: Principal): Promise<boolean> {
  return (await actingFor(principal)).kind === 'allowed';
}

async function actingFor(principal: Principal): Promise<Decision> {
  return await authorize(principal, OPERATIONS['call.make'], {}, NOBODY);
}

function denied(): Fault {
  return new Fault('permission_denied', 'Cannot act as that agent: the token is of another');
}
