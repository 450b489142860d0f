import type { AgentTerms, ProcessRecord, WorkspaceKernel } from '@warren/kernel';
import type { ListedAgent, Platform } from '@warren/platform';
import { isFault } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { fromGrantParams } from './record/grant.ts';
import { toSeconds } from './time.ts';

type Names = 'agent.start' | 'agent.open' | 'agent.find' | 'agent.list' | 'agent.pause' | 'agent.resume';

/** Agents as they act; as they are kept, they stand in `agent-record.ts`. */
export function createAgentRunHandlers(platform: () => Platform): Pick<HandlersOf<'agent.'>, Names> {
  return {
    /** Without a word of grants an agent that is kept gets what it is kept with; with them one that is not kept is, so that it can be shown and revoked. */
    async 'agent.start'({ agent, budgets, ...given }, { workspace, mine }) {
      const { sub_agent, ...lists } = given;
      const isGranting = sub_agent || Object.values(lists).some((each) => each !== undefined);
      const grants = isGranting ? fromGrantParams(given) : undefined;
      platform().agents.check({ agent, grants, budgets });
      if (grants !== undefined) await keep(mine, agent, { grants, budgets });
      return await toRun(mine, agent, await platform().agents.start(workspace, { agent, grants, budgets }));
    },

    async 'agent.open'({ agent }, { workspace, mine }) {
      return await toRun(mine, agent, await platform().agents.open(workspace, agent));
    },

    async 'agent.find'({ agent }, { workspace, mine }) {
      return await toRun(mine, agent, await platform().agents.get(workspace, agent));
    },

    async 'agent.list'(_, { workspace, mine }) {
      const found = await platform().agents.list(workspace);
      return { agents: await Promise.all(found.map((each) => toListed(mine, each))) };
    },

    async 'agent.pause'({ agent }, { workspace }) {
      return { agent, paused: true, changed: await platform().agents.pause(workspace, agent) };
    },

    async 'agent.resume'({ agent }, { workspace }) {
      return { agent, paused: false, changed: await platform().agents.resume(workspace, agent) };
    },
  };
}

/** Of those who start it at once one makes it. */
async function keep({ agents }: WorkspaceKernel, agent: string, terms: AgentTerms): Promise<void> {
  if ((await agents.find(agent)) !== undefined) return;
  try {
    await agents.create(agent, terms);
  } catch (error) {
    if (!isFault(error, 'already_exists')) throw error;
  }
}

async function toRun({ processes }: Pick<WorkspaceKernel, 'processes'>, agent: string, { pid, state, createdAt }: ProcessRecord) {
  return { agent, pid, state, paused: await processes.isPaused(agent), created_at: toSeconds(createdAt) };
}

async function toListed({ processes }: Pick<WorkspaceKernel, 'processes'>, { agent, record, process }: ListedAgent) {
  return {
    agent,
    purpose: record?.purpose ?? '',
    kept: record !== undefined,
    revoked: record?.state === 'revoked',
    paused: await processes.isPaused(agent),
    pid: process?.pid ?? null,
    state: process?.state ?? null,
    created_at: toSeconds(record?.createdAt ?? process?.createdAt ?? 0),
  };
}
