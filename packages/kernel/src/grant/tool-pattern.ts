/** Capability names: one, all below a name (`filesystem.*`), or all (`*`). Case matters. */
import type { PatternKind } from './pattern-kind.ts';
import { isPlainName } from './plain-name.ts';

export const TOOL_PATTERNS: PatternKind<string> = {
  field: 'tool_grants',
  shape: 'a capability name, `name.*` or `*`',
  parse: (entry) => (typeof entry === 'string' && isToolPattern(entry) ? entry : undefined),
  write: (pattern) => pattern,
  read: (value) => value,
  covers,
  meet: (a, b) => (covers(a, b) ? b : covers(b, a) ? a : undefined),
};

/** The pattern of this capability alone. */
export function toolNamed(name: unknown): string | undefined {
  return isPlainName(name) ? name : undefined;
}

function isToolPattern(text: string): boolean {
  return text === '*' || isPlainName(text.endsWith('.*') ? text.slice(0, -2) : text);
}

/** `a.*` stands for names that go on after `a.`; its own text does, so the same test serves for patterns below it. */
function covers(outer: string, inner: string): boolean {
  if (outer === '*' || outer === inner) return true;
  if (!outer.endsWith('.*')) return false;
  const start = outer.slice(0, -1);
  return inner.startsWith(start) && inner.length > start.length;
}
