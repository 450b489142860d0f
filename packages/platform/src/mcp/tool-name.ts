/**
 * The names of capabilities that tools of others become: `mcp.<server>.<tool>`. The server's part is the operator's, so no tool of a stranger stands where one of Warren's, of
 * a pack or of another server does. A name that is not plain is refused rather than made plain: what looks like something else is not to be called by it.
 */
import { MCP_LIMITS } from './mcp-limits.ts';

const PLAIN = /^[A-Za-z][A-Za-z0-9_./-]*$/;
/** What names of capabilities are held to. */
const CAPABILITY_LENGTH_MAX = 128;

export type ToolName = { readonly kind: 'named'; readonly capability: string } | { readonly kind: 'refused'; readonly reason: string };

export function toolName(server: string, tool: string): ToolName {
  if (tool.length > MCP_LIMITS.toolNameLengthMax) return refused(`has a name of ${tool.length} characters`);
  if (!PLAIN.test(tool)) return refused('has a name that is not of letters, digits, ., _, / and -');
  const plain = tool
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[./-]/g, '_')
    .replace(/_{2,}/g, '_')
    .replace(/_+$/, '');
  const capability = `mcp.${server}.${plain}`;
  return capability.length <= CAPABILITY_LENGTH_MAX
    ? { kind: 'named', capability }
    : refused(`would be named ${capability.length} characters long`);
}

function refused(reason: string): ToolName {
  return { kind: 'refused', reason };
}
