import type { McpServerDetails, McpServerSummary } from '@warren/platform';
import type { McpServerRecord, McpServerSummaryRecord } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

export function toMcpServerSummary(server: McpServerSummary): McpServerSummaryRecord {
  const { name, kind, state, capabilities, connections, approvedAt } = server;
  const { pinned = null, problem = null } = server;
  const approved = approvedAt === undefined ? null : toSeconds(approvedAt);
  return { name, kind, state, pinned, approved_at: approved, capabilities, connections, problem };
}

export function toMcpServer(server: McpServerDetails): McpServerRecord {
  return {
    ...toMcpServerSummary(server),
    seen: server.seen ?? null,
    tools: server.tools.map(({ capability = null, reason = null, isRead, tool, description }) => ({
      ...{ tool, capability, reason, description },
      read: isRead,
    })),
    changes: server.changes,
  };
}
