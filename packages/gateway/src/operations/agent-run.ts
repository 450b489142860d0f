import type { ProcessRecord } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { Fault } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { fromGrantParams } from './record/grant.ts';
import { toSeconds } from './time.ts';

export function createAgentRunHandlers(platform: () => Platform): HandlersOf<'agent.'> {
  return {
    async 'agent.start'({ agent, budgets, ...grants }, { workspace }) {
      return toRun(agent, await platform().agents.start(workspace, { agent, grants: fromGrantParams(grants), budgets: budgets ?? {} }));
    },

    async 'agent.find'({ agent }, { workspace }) {
      const process = await platform().agents.find(workspace, agent);
      if (process !== undefined) return toRun(agent, process);
      throw new Fault('not_found', `Cannot find agent ${JSON.stringify(agent)}: it has no live process; \`warren agent start\` makes one`);
    },

    async 'agent.list'(_, { workspace }) {
      const found = await platform().agents.list(workspace);
      return { agents: found.map(({ agent, process }) => toRun(agent, process)) };
    },
  };
}

function toRun(agent: string, { pid, state, createdAt }: ProcessRecord) {
  return { agent, pid, state, created_at: toSeconds(createdAt) };
}
