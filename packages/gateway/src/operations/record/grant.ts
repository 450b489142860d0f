import type { GrantRecord, GrantSet } from '@warren/kernel';
import type { Grant, Params } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

/** Sorted, as clients of an earlier system expect; paths in the order of their prefixes. */
export function toGrant(grant: GrantRecord): Grant {
  return {
    cap_id: grant.grantId,
    parent_cap_id: grant.parentGrantId ?? null,
    pid: grant.pid,
    tool_grants: grant.tools.toSorted(),
    fs_grants: grant.paths.map(({ prefix, mode }) => ({ prefix, mode })),
    net_grants: grant.hosts.toSorted(),
    model_grants: grant.models.toSorted(),
    sub_agent: grant.subAgents,
    created_at: toSeconds(grant.createdAt),
  };
}

type GrantParams = Pick<Params<'grant.narrow'>, 'tool_grants' | 'fs_grants' | 'net_grants' | 'model_grants' | 'sub_agent'>;

export function fromGrantParams({ tool_grants, fs_grants, net_grants, model_grants, sub_agent }: GrantParams): GrantSet {
  return {
    tools: tool_grants ?? [],
    paths: fs_grants ?? [],
    hosts: net_grants ?? [],
    models: model_grants ?? [],
    subAgents: sub_agent,
  };
}
