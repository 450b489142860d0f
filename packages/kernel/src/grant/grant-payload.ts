import type { JsonObject } from '../internal/json.ts';
import type { GrantRow } from '../store/tables/grant-table.ts';

/** A grant as events show it. */
export function grantPayload(row: GrantRow): JsonObject {
  return {
    grant_id: row.grantId,
    parent_grant_id: row.parentGrantId ?? null,
    tool_grants: row.tools,
    fs_grants: row.paths,
    net_grants: row.hosts,
    model_grants: row.models,
    sub_agent: row.subAgents,
  };
}
