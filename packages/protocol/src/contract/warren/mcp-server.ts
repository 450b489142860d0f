/** `mcp_server.*`: servers of MCP that are mounted as capabilities. Which there are stands in a file of the operator; here is what was approved of them. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { mcpServer, mcpServerSummary } from '../record/mcp-server.ts';
import { OPERATOR } from '../scope.ts';
import { ON_READ } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { list, listOf } from '../value/list.ts';
import { word } from '../value/text.ts';

export const MCP_SERVER_OPERATIONS = {
  'mcp_server.list': operation({
    summary: 'Lists the servers of MCP that are mounted, and whether their tools are those that were approved',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.object({}),
    result: z.object({ servers: listOf(mcpServerSummary) }),
    faults: [...ON_READ],
  }),
  'mcp_server.get': operation({
    summary: 'Shows a mounted server of MCP: its tools, and what of them is not as it was approved',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.object({ name: word }),
    result: mcpServer,
    faults: [...ON_READ],
  }),
  'mcp_server.reload': operation({
    summary: 'Reads the file of mounted servers again and asks one of them, or all, which tools they have',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.object({ name: optional(word) }),
    result: z.object({ servers: listOf(mcpServer) }),
    faults: [...ON_READ],
  }),
  'mcp_server.approve': operation({
    summary: 'Approves the tools that a mounted server has by the hash of their list, so that agents may be offered them',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.object({ name: word, hash: word, read: optional(list(word, 256)) }),
    result: mcpServer,
    faults: ['conflict', ...ON_READ],
  }),
  'mcp_server.remove': operation({
    summary: 'Takes back what was approved of a mounted server; its tools are gone at once and it is stopped',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.object({ name: word }),
    result: z.object({ removed: z.boolean() }),
    faults: [...ON_READ],
  }),
};
