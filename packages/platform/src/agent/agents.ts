/** Agents by name. What one needs to act is a process, its grants, its budgets and a box for its mail; `start` gives it all of them, or nothing. */
import {
  checkLedgerGrants,
  DIMENSIONS,
  type GrantSet,
  type Kernel,
  type ProcessRecord,
  parseGrantSet,
  type WorkspaceKernel,
} from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { suggest } from '../capability/suggest.ts';
import { agentsOf, isKnownAgent, newestProcess } from '../handler/comms/agents-of.ts';

export type StartAgent = { readonly agent: string; readonly grants: GrantSet; readonly budgets: Readonly<Record<string, number>> };

export interface Agents {
  /** Faults: `invalid_argument` (the name, a budget that nothing measures), `grant_invalid`, `ledger_amount_invalid`, `too_large`. */
  start(workspace: WorkspaceId, request: StartAgent): Promise<ProcessRecord>;
  /** The newest process that is not DEAD. */
  find(workspace: WorkspaceId, agent: string): Promise<ProcessRecord | undefined>;
  /** Those that have one, by name. */
  list(workspace: WorkspaceId): Promise<readonly { readonly agent: string; readonly process: ProcessRecord }[]>;
  /** Stops all its processes, those to come included, until it is resumed. Whether it was not paused before. Faults: `not_found` (no process ever ran for it). */
  pause(workspace: WorkspaceId, agent: string): Promise<boolean>;
  /** Whether it was paused. Faults: as `pause`. */
  resume(workspace: WorkspaceId, agent: string): Promise<boolean>;
}

/** Safe as a file name and in a message: policies of an agent stand in a file of its name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const TEMPLATE = 'agent';
/** Names that mean something else in policies, messages or attribution. */
const RESERVED = new Set(['default', 'system', 'warren', 'operator']);

export function createAgents(kernel: Pick<Kernel, 'workspace'>): Agents {
  return {
    async start(workspace, { agent, grants, budgets }) {
      checkName(agent);
      // Before there is a process: a request with a mistake leaves nothing behind.
      parseGrantSet(grants);
      checkBudgets(agent, budgets);
      const mine = kernel.workspace(workspace);
      const { pid } = await mine.processes.create({ name: agent, template: TEMPLATE, agent });
      try {
        await mine.grants.create(pid, grants);
        if (Object.keys(budgets).length > 0) await mine.ledger.create({ kind: 'process', pid }, budgets);
        await mine.mail.createBox(pid);
      } catch (error) {
        await mine.processes.end(pid, 'failed', { reason: 'it could not be given what it was to have' }).catch(() => {}); // The caller has the error that matters.
        throw error;
      }
      return await mine.processes.get(pid);
    },

    async pause(workspace, agent) {
      const mine = kernel.workspace(workspace);
      await requireKnown(mine, agent, 'pause');
      return await mine.processes.pauseAgent(agent);
    },

    async resume(workspace, agent) {
      const mine = kernel.workspace(workspace);
      await requireKnown(mine, agent, 'resume');
      return await mine.processes.resumeAgent(agent);
    },

    find: (workspace, agent) => newestProcess(kernel.workspace(workspace), agent),
    list: (workspace) => listLive(kernel.workspace(workspace)),
  };
}

async function listLive(mine: WorkspaceKernel): Promise<readonly { readonly agent: string; readonly process: ProcessRecord }[]> {
  return (await agentsOf(mine)).flatMap(({ name, process }) => (process === undefined ? [] : [{ agent: name, process }]));
}

async function requireKnown(mine: WorkspaceKernel, agent: string, action: string): Promise<void> {
  if (await isKnownAgent(mine, agent)) return;
  throw new Fault('not_found', `Cannot ${action} agent ${JSON.stringify(agent.slice(0, 80))}: there is none of that name`);
}

function checkName(agent: string): void {
  if (!NAME.test(agent)) {
    throw new Fault(
      'invalid_argument',
      `Cannot start agent ${JSON.stringify(agent.slice(0, 80))}: a name has 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit`,
    );
  }
  if (RESERVED.has(agent)) throw new Fault('invalid_argument', `Cannot start agent ${agent}: the name is reserved`);
}

/** A budget that nothing counts against would hold nobody to anything. Others can be added later, by whoever counts them. */
function checkBudgets(agent: string, budgets: Readonly<Record<string, number>>): void {
  if (Object.keys(budgets).length === 0) return;
  for (const [dimension] of checkLedgerGrants(budgets)) {
    if ((DIMENSIONS as readonly string[]).includes(dimension)) continue;
    const meant = suggest(dimension, DIMENSIONS);
    throw new Fault(
      'invalid_argument',
      `Cannot start agent ${agent}: nothing measures ${JSON.stringify(dimension)}${meant === undefined ? '' : `; did you mean ${meant}?`} (a budget is of ${DIMENSIONS.join(', ')})`,
    );
  }
}
