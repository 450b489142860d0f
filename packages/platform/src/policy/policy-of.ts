import { createPolicy, type Policy } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import type { ParsedPolicies } from './parse-policies.ts';

/** The policy of each workspace under these files, compiled when it is first asked for. */
export function createPolicyOf({ loaded, version }: ParsedPolicies): (workspace: WorkspaceId) => Policy {
  const compiled = new Map<WorkspaceId, Policy>();
  return (workspace) => {
    const concerned = loaded.filter(({ found }) => found.workspace === undefined || found.workspace === workspace);
    const policy = compiled.get(workspace) ?? createPolicy(concerned.map((each) => each.policy), { version, workspace }); // biome-ignore format: one line
    compiled.set(workspace, policy);
    return policy;
  };
}
