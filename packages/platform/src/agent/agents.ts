/** Agents by name. What one needs to act is a process, its grants, its budgets and a box for its mail; `start` gives it all of them, or nothing. */
import {
  type AgentRecord,
  checkAgentName,
  checkLedgerGrants,
  DIMENSIONS,
  type GrantSet,
  type Kernel,
  type ProcessRecord,
  parseGrantSet,
  type WorkspaceKernel,
} from '@warren/kernel';
import { Fault, suggest, type WorkspaceId } from '@warren/protocol';
import { agentsOf, isKnownAgent, newestProcess } from '../handler/comms/agents-of.ts';
import { isIdle, isRevoked, noSuchAgent } from './no-agent.ts';

/** What is not given is as the agent is kept; of one that is not kept, nothing. */
export type StartAgent = {
  readonly agent: string;
  readonly grants?: Partial<GrantSet> | undefined;
  readonly budgets?: Readonly<Record<string, number>> | undefined;
};

export type ListedAgent = {
  readonly agent: string;
  /** As it is kept; undefined: somebody started a process in its name, and that is all there is of it. */
  readonly record: AgentRecord | undefined;
  /** The newest that is not DEAD. */
  readonly process: ProcessRecord | undefined;
};

export interface Agents {
  /** Throws `invalid_argument` (the name, a budget that nothing measures), `grant_invalid`, `ledger_amount_invalid`. */
  check(request: StartAgent): void;
  /** Without grants with those it is kept with. Faults: as `check`, `not_found` (none of this name is kept, and none were given), `illegal_transition` (it is revoked), `too_large`. */
  start(workspace: WorkspaceId, request: StartAgent): Promise<ProcessRecord>;
  /** Its newest process that is not DEAD; one begins where there is none. Faults: as `start`, and `not_found` (no such agent is kept). */
  open(workspace: WorkspaceId, agent: string): Promise<ProcessRecord>;
  /** Ends one of its processes, as whoever was given it asks for; the next `open` begins another. Faults: `unknown_pid`, `illegal_transition` (it is DEAD). */
  close(workspace: WorkspaceId, pid: number): Promise<void>;
  /** The newest process that is not DEAD. Faults: `not_found`, in other words for an agent that is idle than for one that there is not. */
  get(workspace: WorkspaceId, agent: string): Promise<ProcessRecord>;
  find(workspace: WorkspaceId, agent: string): Promise<ProcessRecord | undefined>;
  /** Those that are kept or have a live process, by name; at most 10,000 of each. */
  list(workspace: WorkspaceId): Promise<readonly ListedAgent[]>;
  /** Stops all its processes, those to come included, until it is resumed. Whether it was not paused before. Faults: `not_found` (none of this name is kept, nor did a process ever run for it), `illegal_transition` (it is revoked). */
  pause(workspace: WorkspaceId, agent: string): Promise<boolean>;
  /** Whether it was paused. Faults: as `pause`. */
  resume(workspace: WorkspaceId, agent: string): Promise<boolean>;
}

const TEMPLATE = 'agent';
const PAGE = 1_000;

export function createAgents(kernel: Pick<Kernel, 'workspace'>): Agents {
  /** Who opens an agent that is being opened gets the same process. */
  const opening = new Map<string, Promise<ProcessRecord>>();

  const open = async (workspace: WorkspaceId, agent: string): Promise<ProcessRecord> => {
    const mine = kernel.workspace(workspace);
    const live = await newestProcess(mine, agent);
    if (live !== undefined) return live;
    if ((await mine.agents.find(agent)) === undefined) throw noSuchAgent('act as', agent);
    return await agents.start(workspace, { agent });
  };

  const agents: Agents = {
    check,

    async start(workspace, request) {
      const { agent } = request;
      // Before there is a process: a request with a mistake leaves nothing behind.
      check(request);
      const mine = kernel.workspace(workspace);
      const record = await mine.agents.find(agent);
      // A name that nobody made may be a mistake: it is not given anything by default, nor is there a process of nobody.
      if (record === undefined && request.grants === undefined) throw noSuchAgent('start', agent);
      const { grants, budgets } = termsOf(request, record);
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

    async open(workspace, agent) {
      const key = `${workspace} ${agent}`;
      const under = opening.get(key) ?? open(workspace, agent).finally(() => opening.delete(key));
      opening.set(key, under);
      return await under;
    },

    async close(workspace, pid) {
      await kernel.workspace(workspace).processes.end(pid, 'completed', { reason: 'its session was ended' });
    },

    async get(workspace, agent) {
      const mine = kernel.workspace(workspace);
      const live = await newestProcess(mine, agent);
      if (live !== undefined) return live;
      throw (await mine.agents.find(agent)) === undefined ? noSuchAgent('find', agent) : isIdle('find the process of', agent);
    },

    find: (workspace, agent) => newestProcess(kernel.workspace(workspace), agent),
    list: (workspace) => listAll(kernel.workspace(workspace)),
  };
  return agents;
}

function check({ agent, grants = {}, budgets = {} }: StartAgent): void {
  checkAgentName(agent);
  parseGrantSet(grants);
  checkBudgets(agent, budgets);
}

function termsOf({ agent, grants, budgets }: StartAgent, kept: AgentRecord | undefined): Required<Pick<AgentRecord, 'grants' | 'budgets'>> {
  if (kept?.state === 'revoked') throw isRevoked('start', agent);
  return { grants: parseGrantSet(grants ?? kept?.grants ?? {}), budgets: budgets ?? kept?.budgets ?? {} };
}

async function listAll(mine: WorkspaceKernel): Promise<readonly ListedAgent[]> {
  const records = new Map((await keptAgents(mine)).map((record) => [record.name, record]));
  const processes = new Map((await agentsOf(mine)).map(({ name, process }) => [name, process]));
  const names = [...new Set([...records.keys(), ...processes.keys()])].toSorted();
  return names
    .map((agent) => ({ agent, record: records.get(agent), process: processes.get(agent) }))
    .filter(({ record, process }) => record !== undefined || process !== undefined);
}

async function keptAgents({ agents }: WorkspaceKernel): Promise<readonly AgentRecord[]> {
  const found: AgentRecord[] = [];
  for (;;) {
    const page = await agents.list({ after: found.at(-1)?.name, limit: PAGE });
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}

async function requireKnown(mine: WorkspaceKernel, agent: string, action: string): Promise<void> {
  const kept = await mine.agents.find(agent);
  if (kept?.state === 'revoked') throw isRevoked(action, agent);
  if (kept !== undefined || (await isKnownAgent(mine, agent))) return;
  throw noSuchAgent(action, agent);
}

/** A budget that nothing counts against would hold nobody to anything. Others can be added later, by whoever counts them. */
function checkBudgets(agent: string, budgets: Readonly<Record<string, number>>): void {
  if (Object.keys(budgets).length === 0) return;
  for (const [dimension] of checkLedgerGrants(budgets)) {
    if ((DIMENSIONS as readonly string[]).includes(dimension)) continue;
    const meant = suggest(dimension, DIMENSIONS);
    throw new Fault(
      'invalid_argument',
      `Cannot give agent ${agent} this budget: nothing measures ${JSON.stringify(dimension)}${meant === undefined ? '' : `; did you mean ${meant}?`} (a budget is of ${DIMENSIONS.join(', ')})`,
    );
  }
}
