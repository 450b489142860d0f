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
    params: z.strictObject({}),
    result: z.object({ servers: listOf(mcpServerSummary) }),
    faults: [...ON_READ],
  }),
  'mcp_server.get': operation({
    summary: 'Shows a mounted server of MCP: its tools, and what of them is not as it was approved',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.strictObject({ name: word }),
    result: mcpServer,
    faults: [...ON_READ],
  }),
  'mcp_server.reload': operation({
    summary: 'Reads the file of mounted servers again and asks one of them, or all, which tools they have',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ name: optional(word) }),
    result: z.object({ servers: listOf(mcpServer) }),
    faults: [...ON_READ],
  }),
  'mcp_server.begin_login': operation({
    summary:
      'Says at which address a person logs in for a mounted server; the browser comes back to a program on the machine of that person',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ name: word, redirect_uri: word }),
    result: z.object({ address: word, state: word }),
    faults: ['unsupported', 'unavailable', 'permission_denied', ...ON_READ],
  }),
  'mcp_server.finish_login': operation({
    summary: 'Takes what the browser came back with, so that the mounted server can be used',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ name: word, state: word, code: word, issuer: optional(word) }),
    result: z.object({ logged_in: z.boolean() }),
    faults: ['conflict', 'unsupported', 'unavailable', ...ON_READ],
  }),
  'mcp_server.approve': operation({
    summary: 'Approves the tools that a mounted server has by the hash of their list, so that agents may be offered them',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ name: word, hash: word, read: optional(list(word, 256)) }),
    result: mcpServer,
    faults: ['conflict', ...ON_READ],
  }),
  'mcp_server.remove': operation({
    summary: 'Takes back what was approved of a mounted server; its tools are gone at once and it is stopped',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ name: word }),
    result: z.object({ removed: z.boolean() }),
    faults: [...ON_READ],
  }),
};
