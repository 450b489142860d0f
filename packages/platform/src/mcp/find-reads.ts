/**
 * The tools that somebody says change nothing, by the names their server gives them. They may be named as their server names them, or by what they are here: `list_notes` or
 * `mcp.notes.list_notes`. A name that could mean two tools marks none: a server might have named one after another's capability.
 */
import { Fault } from '@warren/protocol';
import { cleanText } from './clean-text.ts';
import type { McpServerConfig } from './mcp-config-format.ts';
import { nameTools, type ToolList } from './tool-list.ts';

/** Sorted, each once. Throws `invalid_argument` for a name of no tool. */
export function findReads(
  { name: server, tools }: Pick<McpServerConfig, 'name' | 'tools'>,
  list: Pick<ToolList, 'tools'>,
  said: readonly string[],
): readonly string[] {
  const own = new Set(list.tools.map(({ name }) => name));
  const exported = new Map(
    nameTools(server, list, tools).flatMap(({ tool, name }) => (name.kind === 'named' ? [[name.capability, tool.name] as const] : [])),
  );
  const found = said.map((each) => {
    const meant = [own.has(each) ? each : undefined, exported.get(each), exported.get(`mcp.${server}.${each}`)];
    const [tool, ...others] = new Set(meant.filter((name) => name !== undefined));
    if (tool !== undefined && others.length === 0) return tool;
    const name = JSON.stringify(cleanText(each, 64));
    const why = tool === undefined ? `it has no tool ${name}` : `${name} could be two of its tools`;
    throw new Fault('invalid_argument', `Cannot approve the MCP server ${server}: ${why}`, {
      details: { fix: `warren mcp-server show ${server}` },
    });
  });
  return [...new Set(found)].sort();
}
