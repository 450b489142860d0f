/**
 * Rules that no file and no exception removes. They are a seat belt, not the wall: they stop accidents and the plain ways to say something ruinous, and there
 * will always be a spelling of it that they do not read (a script on disk, an encoded one, another language). What an agent cannot reach is decided by
 * the sandbox it runs in: its root is read-only, the disks are not there, its processes are counted. Nothing may lean on this list alone.
 */
import type { PolicyRequest, RuleRef } from '../policy.ts';
import { findDestruction } from './find-destruction.ts';
import { isSystemPath } from './system-path.ts';

/** Names under which nothing can ever be called, whoever defines it. */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  'secrets.read_raw',
  'secrets.export',
  'audit.write',
  'audit.delete',
  'audit.truncate',
  'policy.modify_system',
  'state.read_private',
  'state.write_private',
]);

export type HardBlock = {
  readonly rule: string;
  /** What it says about a request, undefined when it does not block it. */
  readonly reasonFor: (request: PolicyRequest) => string | undefined;
};

export const HARD_BLOCKS: readonly HardBlock[] = [
  {
    rule: 'forbidden_capability',
    reasonFor: ({ capability }) => (isForbiddenName(capability) ? `${capability} can never be called` : undefined),
  },
  { rule: 'malformed_facts', reasonFor: ({ facts }) => malformedFact(facts) },
  {
    rule: 'system_paths',
    reasonFor: ({ facts }) =>
      facts.paths.some(({ path, mode }) => mode === 'rw' && isSystemPath(path))
        ? 'An agent never writes to the directories of the system'
        : undefined,
  },
  { rule: 'mass_destruction', reasonFor: ({ facts }) => firstOf(facts.commands, findDestruction) },
];

export function isForbiddenName(capability: string): boolean {
  return FORBIDDEN_NAMES.has(capability);
}

/** The first that blocks. */
export function hardBlockOf(request: PolicyRequest): RuleRef | undefined {
  for (const { rule, reasonFor } of HARD_BLOCKS) {
    const reason = reasonFor(request);
    if (reason !== undefined) return { layer: 'builtin', file: '', line: 0, rule, reason };
  }
  return undefined;
}

/** Conditions compare paths and hosts as they are, so one in another spelling would walk past them. */
function malformedFact({ paths, hosts }: PolicyRequest['facts']): string | undefined {
  for (const { path } of paths) if (!isCanonical(path)) return 'A path of the call is not absolute and canonical';
  for (const { host } of hosts) if (host === '' || /[^!-~]|[A-Z*/\\@?#%]|\.$/.test(host)) return 'A host of the call is not canonical';
  return undefined;
}

function isCanonical(path: string): boolean {
  return path === '/' || (path.startsWith('/') && !/\/\.{0,2}(?:\/|$)|\0/.test(path));
}

function firstOf<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
