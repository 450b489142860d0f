import type { ProcessRecord, WorkspaceKernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { fromGrantParams } from './record/grant.ts';
import { toSeconds } from './time.ts';

export function createAgentRunHandlers(platform: () => Platform): HandlersOf<'agent.'> {
  return {
    async 'agent.start'({ agent, budgets, ...grants }, { workspace, mine }) {
      return await toRun(
        mine,
        agent,
        await platform().agents.start(workspace, { agent, grants: fromGrantParams(grants), budgets: budgets ?? {} }),
      );
    },

    async 'agent.find'({ agent }, { workspace, mine }) {
      const process = await platform().agents.find(workspace, agent);
      if (process !== undefined) return await toRun(mine, agent, process);
      throw new Fault('not_found', `Cannot find agent ${JSON.stringify(agent)}: it has no live process; \`warren agent start\` makes one`);
    },

    async 'agent.list'(_, { workspace, mine }) {
      const found = await platform().agents.list(workspace);
      return { agents: await Promise.all(found.map(({ agent, process }) => toRun(mine, agent, process))) };
    },

    async 'agent.pause'({ agent }, { workspace }) {
      return { agent, paused: true, changed: await platform().agents.pause(workspace, agent) };
    },

    async 'agent.resume'({ agent }, { workspace }) {
      return { agent, paused: false, changed: await platform().agents.resume(workspace, agent) };
    },
  };
}

async function toRun({ processes }: Pick<WorkspaceKernel, 'processes'>, agent: string, { pid, state, createdAt }: ProcessRecord) {
  return { agent, pid, state, paused: await processes.isPaused(agent), created_at: toSeconds(createdAt) };
}
