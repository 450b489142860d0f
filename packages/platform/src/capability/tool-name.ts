/**
 * Capabilities under the names of tools. Vendors take letters, digits, `_` and `-`, at most 64 of them, and no dots: so dots become double underscores. Where that could not be undone,
 * or is too long, a name ends in `-` and a part of its hash; no name of a capability has a `-`, so the two kinds never meet.
 */
import { createHash } from 'node:crypto';

export const TOOL_NAME_LENGTH_MAX = 64;
const HASH_LENGTH = 16;
const KEPT_LENGTH = TOOL_NAME_LENGTH_MAX - HASH_LENGTH - 1;

export function toolName(capability: string): string {
  const plain = capability.replaceAll('.', '__');
  if (plain.length <= TOOL_NAME_LENGTH_MAX && plain.replaceAll('__', '.') === capability) return plain;
  return `${plain.slice(0, KEPT_LENGTH)}-${createHash('sha256').update(capability).digest('hex').slice(0, HASH_LENGTH)}`;
}

/** What is called by this name; names with dots are understood, too. `names` are looked through only for one that has a hash. One that nothing has stays as it is. */
export function capabilityName(tool: string, names: () => Iterable<string>): string {
  if (tool.includes('.')) return tool;
  if (!tool.includes('-')) return tool.replaceAll('__', '.');
  for (const name of names()) if (toolName(name) === tool) return name;
  return tool;
}
