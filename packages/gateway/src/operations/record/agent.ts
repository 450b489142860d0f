import type { AgentRecord } from '@warren/kernel';
import type { AgentRecord as Agent } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

export function toAgent({ name, purpose, state, grants, budgets, createdAt, updatedAt }: AgentRecord, isPaused: boolean): Agent {
  return {
    agent: name,
    purpose,
    state,
    paused: isPaused,
    tool_grants: [...grants.tools],
    fs_grants: grants.paths.map(({ prefix, mode }) => ({ prefix, mode })),
    net_grants: [...grants.hosts],
    model_grants: [...grants.models],
    sub_agent: grants.subAgents,
    budgets: { ...budgets },
    created_at: toSeconds(createdAt),
    updated_at: toSeconds(updatedAt),
  };
}
