/**
 * The list of tools of a server, as it is pinned: every tool in full, in a form of which equal lists have one hash. What a server says is text of a stranger: the hash is of what it
 * said, while what people and models are shown of it is cleaned.
 */
import { createHash } from 'node:crypto';
import { Fault, type JsonObject, type JsonValue } from '@warren/protocol';
import { isObject } from '../capability/compile-field.ts';
import { copyJson } from '../capability/copy-json.ts';
import { canonicalJson } from './canonical-json.ts';
import { cleanText } from './clean-text.ts';
import { MCP_LIMITS } from './mcp-limits.ts';
import { type ToolName, toolName } from './tool-name.ts';

/** One tool, as its server describes it. */
export type ForeignTool = JsonObject & { readonly name: string; readonly inputSchema: JsonObject };

export type ToolList = {
  /** SHA-256 of the canonical list, in hexadecimal. */
  readonly hash: string;
  /** By name. */
  readonly tools: readonly ForeignTool[];
};

/** Throws `too_large` and `invalid_argument`: a list with one hostile tool is used not at all. */
export function readToolList(server: string, listed: readonly unknown[]): ToolList {
  const refuse = (reason: string): Fault => new Fault('invalid_argument', `Cannot use the tools of the MCP server ${server}: ${reason}`);
  if (listed.length > MCP_LIMITS.toolsMax)
    throw new Fault('too_large', `Cannot use the tools of the MCP server ${server}: it has more than ${MCP_LIMITS.toolsMax}`);
  const copied = copyJson(listed, MCP_LIMITS.listBytesMax);
  if (copied.kind === 'refused') throw refuse(`the list ${copied.reason}`);
  const tools = (copied.value as readonly JsonValue[]).map((tool): ForeignTool => {
    if (!isObject(tool) || typeof tool['name'] !== 'string' || !isObject(tool['inputSchema'])) throw refuse('one has no name or no schema');
    const bytes = Buffer.byteLength(JSON.stringify(tool['inputSchema'])) + Buffer.byteLength(JSON.stringify(tool['outputSchema'] ?? null));
    if (bytes > MCP_LIMITS.schemaBytesMax)
      throw refuse(
        `the schemas of ${JSON.stringify(cleanText(tool['name'], 64))} have ${bytes} bytes, the limit is ${MCP_LIMITS.schemaBytesMax}`,
      );
    if (!isPlain(tool['inputSchema'])) throw refuse(`the schema of ${JSON.stringify(cleanText(tool['name'], 64))} is none`);
    return tool as ForeignTool; // As was checked.
  });
  const names = new Set(tools.map(({ name }) => name));
  if (names.size < tools.length) throw refuse('two have the same name');
  const sorted = tools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { hash: createHash('sha256').update(canonicalJson(sorted)).digest('hex'), tools: sorted };
}

/** Of an object, with fields and names of those it needs: what whoever shows it relies on. */
function isPlain({ type, properties = {}, required = [] }: JsonObject): boolean {
  const areSchemas = isObject(properties) && Object.values(properties).every((each) => isObject(each) || typeof each === 'boolean');
  return type === 'object' && areSchemas && Array.isArray(required) && required.every((each) => typeof each === 'string');
}

export type NamedTool = { readonly tool: ForeignTool; readonly name: ToolName };

/** Of tools whose names become one, none is used: neither can be called by mistake for the other. `allowed`: those of this server that may be used; all when absent. */
export function nameTools(
  server: string,
  { tools }: Pick<ToolList, 'tools'>,
  allowed: readonly string[] | undefined,
): readonly NamedTool[] {
  const named = tools
    .filter(({ name }) => allowed === undefined || allowed.includes(name))
    .map((tool) => ({ tool, name: toolName(server, tool.name) }));
  const counts = new Map<string, number>();
  for (const { name } of named) if (name.kind === 'named') counts.set(name.capability, (counts.get(name.capability) ?? 0) + 1);
  return named.map((each) =>
    each.name.kind === 'named' && (counts.get(each.name.capability) ?? 0) > 1
      ? { tool: each.tool, name: { kind: 'refused', reason: `and another tool would both be ${each.name.capability}` } }
      : each,
  );
}

const TEXT_KEYS: ReadonlySet<string> = new Set(['title', 'description', '$comment']);

/** A schema as models are shown it: whatever it says in words is cleaned, whatever it demands stays. */
export function cleanSchema(schema: JsonObject): JsonObject {
  return clean(schema) as JsonObject; // Of an object it makes an object.
}

function clean(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(clean);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, TEXT_KEYS.has(name) && typeof each === 'string' ? cleanText(each) : clean(each)]),
  );
}
