/** Paths: each with all below it, to read or to read and write. */
import type { PathGrant, PathMode } from '../store/tables/grant-table.ts';
import { canonicalPath } from './path-name.ts';
import type { PatternKind } from './pattern-kind.ts';

export const PATH_PATTERNS: PatternKind<PathGrant> = {
  field: 'fs_grants',
  shape: 'an absolute path with mode `r` or `rw`',
  parse: (entry) =>
    typeof entry === 'object' && entry !== null && 'prefix' in entry && 'mode' in entry ? pathNamed(entry.prefix, entry.mode) : undefined,
  write: (pattern) => pattern,
  read: (value) => value,
  covers: (outer, inner) => isAtLeast(outer.mode, inner.mode) && isWithin(inner.prefix, outer.prefix),
  meet,
};

/** The pattern of this path in this mode. It stands for what is below as well, which is granted where the path is. */
export function pathNamed(path: unknown, mode: unknown): PathGrant | undefined {
  const prefix = canonicalPath(path);
  return prefix === undefined || (mode !== 'r' && mode !== 'rw') ? undefined : { prefix, mode };
}

function meet(a: PathGrant, b: PathGrant): PathGrant | undefined {
  const mode = isAtLeast(a.mode, b.mode) ? b.mode : a.mode;
  if (isWithin(b.prefix, a.prefix)) return { prefix: b.prefix, mode };
  return isWithin(a.prefix, b.prefix) ? { prefix: a.prefix, mode } : undefined;
}

function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix === '/' ? '/' : `${prefix}/`);
}

function isAtLeast(mode: PathMode, least: PathMode): boolean {
  return mode === 'rw' || least === 'r';
}
