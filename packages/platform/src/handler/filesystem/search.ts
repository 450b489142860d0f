/** `filesystem.search`: files by name, or groups of them. */
import type { JsonObject } from '@warren/protocol';
import type { HandlerContext, HandlerResult } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { timestamp } from '../internal/file-text.ts';
import { listTree, type TreeEntry } from '../internal/file-tree.ts';
import { compileGlob } from '../internal/glob.ts';

type Metric = 'count' | 'total_size';
export type Aggregate = {
  readonly group_by: 'extension' | 'dir' | 'mtime-bucket' | 'none';
  readonly metrics: readonly Metric[];
  readonly sort_by: Metric | 'key';
  readonly max_groups: number;
  readonly dedupe: boolean;
};
type SearchInput = {
  readonly path: string;
  readonly pattern: string;
  readonly max_results: number;
  readonly include_hidden: boolean;
  readonly include_hash: boolean;
  readonly max_hash_bytes: number;
  readonly aggregate?: Partial<Aggregate>;
};

const AGGREGATE: Aggregate = { group_by: 'none', metrics: ['count'], sort_by: 'count', max_groups: 50, dedupe: false };
const DAY_MS = 86_400_000;
const AGES = [
  { key: '<1d', days: 1 },
  { key: '<7d', days: 7 },
  { key: '<30d', days: 30 },
  { key: '<365d', days: 365 },
] as const;
/** All that is hashed in one call. */
const HASHED_BYTES_MAX = 4_294_967_296;

export async function search(input: SearchInput, context: HandlerContext, now: () => number): Promise<HandlerResult> {
  const matches = compileGlob(input.pattern);
  const files = await AgentFiles.open(context);
  const root = await files.locate(input.path, 'r');
  await files.directory(root);
  const { entries, isWhole } = await listTree(files, root, { includeHidden: input.include_hidden, includeIgnored: true });
  const found = entries.filter(({ path }) => matches(path)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  if (input.aggregate !== undefined) {
    const aggregate = { ...AGGREGATE, ...input.aggregate };
    const regular = found.filter(({ kind }) => kind === 'file');
    const rows = aggregate.dedupe
      ? await duplicates(files, root, regular, input.max_hash_bytes, aggregate)
      : groups(regular, aggregate, now());
    return { output: { ...rows, total_matches: regular.length, truncated: !isWhole } };
  }
  const listed = found.slice(0, input.max_results);
  const hashes = input.include_hash
    ? await hash(
        files,
        root,
        listed.filter(({ kind }) => kind === 'file'),
        input.max_hash_bytes,
      )
    : undefined;
  const described = listed.map((entry) => ({
    path: `${root}/${entry.path}`,
    type: entry.kind,
    size: entry.size,
    modified: timestamp(entry.modifiedMs),
    ...(hashes === undefined ? {} : { checksum: hashes.sums.get(entry.path) ?? null }),
  }));
  const skipped = hashes === undefined ? {} : { large_files_skipped: hashes.skipped };
  return { output: { matches: described, total_matches: found.length, truncated: !isWhole || found.length > listed.length, ...skipped } };
}

function groups(found: readonly TreeEntry[], aggregate: Aggregate, now: number): JsonObject {
  const byKey = new Map<string, { count: number; total_size: number }>();
  for (const entry of found) {
    const key = keyOf(entry, aggregate.group_by, now);
    const group = byKey.get(key) ?? { count: 0, total_size: 0 };
    group.count++;
    group.total_size += entry.size;
    byKey.set(key, group);
  }
  const all = [...byKey].map(([key, group]) => ({ key, ...group }));
  const { sort_by: sortBy } = aggregate;
  const byName = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : 1);
  const sorted = all.toSorted((a, b) => (sortBy === 'key' ? 0 : b[sortBy] - a[sortBy]) || byName(a, b));
  const rest = sorted.slice(aggregate.max_groups);
  const shown = sorted.slice(0, aggregate.max_groups);
  if (rest.length > 0) {
    shown.push({ key: '<other>', count: sum(rest.map(({ count }) => count)), total_size: sum(rest.map((group) => group.total_size)) });
  }
  const rows = shown.map((row) => ({ key: row.key, ...Object.fromEntries(aggregate.metrics.map((metric) => [metric, row[metric]])) }));
  return { rows, groups_truncated: rest.length > 0 };
}

function keyOf({ path, modifiedMs }: TreeEntry, groupBy: Aggregate['group_by'], now: number): string {
  switch (groupBy) {
    case 'none':
      return '<all>';
    case 'dir':
      return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
    case 'mtime-bucket':
      return AGES.find(({ days }) => now - modifiedMs < days * DAY_MS)?.key ?? '>=365d';
    case 'extension': {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const dot = name.lastIndexOf('.');
      return dot > 0 && dot < name.length - 1 ? name.slice(dot) : '<none>';
    }
  }
}

/** Only files of the same size can be the same, so only those are hashed. */
async function duplicates(
  files: AgentFiles,
  root: string,
  found: readonly TreeEntry[],
  bytesMax: number,
  { max_groups: groupsMax }: Aggregate,
): Promise<JsonObject> {
  const bySize = Map.groupBy(
    found.filter(({ size }) => size > 0),
    ({ size }) => size,
  );
  const candidates = [...bySize.values()].filter(({ length }) => length > 1).flat();
  const { sums, skipped } = await hash(files, root, candidates, bytesMax);
  const bySum = Map.groupBy(
    candidates.filter(({ path }) => sums.has(path)),
    ({ path }) => sums.get(path) ?? '',
  );
  const all = [...bySum].filter(([, same]) => same.length > 1);
  const rows = all.map(([checksum, same]) => ({
    checksum,
    count: same.length,
    paths: same.slice(0, 100).map(({ path }) => `${root}/${path}`),
    reclaimable_bytes: (same.length - 1) * (same[0]?.size ?? 0),
  }));
  const sorted = rows.toSorted((a, b) => b.reclaimable_bytes - a.reclaimable_bytes);
  return { rows: sorted.slice(0, groupsMax), groups_truncated: sorted.length > groupsMax, large_files_skipped: skipped };
}

/** By path below the root. Hashed inside, in as few commands as their names need. */
async function hash(
  files: AgentFiles,
  root: string,
  found: readonly TreeEntry[],
  bytesMax: number,
): Promise<{ readonly sums: ReadonlyMap<string, string>; readonly skipped: number }> {
  const sums = new Map<string, string>();
  const small: TreeEntry[] = [];
  let bytes = 0;
  for (const entry of found) {
    if (entry.size > bytesMax || bytes + entry.size > HASHED_BYTES_MAX) continue;
    bytes += entry.size;
    small.push(entry);
  }
  if (small.length > 0) {
    const stdin = small.map(({ path }) => `${root}/${path}\0`).join('');
    const { stdout } = await files.run(['xargs', '-0', 'sha256sum', '-z', '--'], { stdin, outputBytesMax: 134_217_728 });
    for (const line of Buffer.from(stdout).toString().split('\0')) {
      if (line.length > 66 + root.length) sums.set(line.slice(66 + root.length + 1), line.slice(0, 64)); // "hash  path"
    }
  }
  return { sums, skipped: found.length - small.length };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
