/** Pairs up what the eye sees as one change: a file deleted here that appears with the same content there was renamed. */
import { closeSync } from 'node:fs';
import { type BytePath, comparePaths, nameOf } from './byte-path.ts';
import { hashContent } from './content.ts';
import type { Pace } from './internal/pace.ts';
import type { FileState, PathState } from './path-state.ts';
import type { ReviewedChange } from './review.ts';
import type { Tree } from './tree.ts';

export type DiffEntry = {
  readonly path: BytePath;
  /** Where it was, if it was renamed. */
  readonly from: BytePath | undefined;
  /** What the host has now (of a rename: where it was). */
  readonly before: PathState | undefined;
  readonly after: PathState | undefined;
  readonly change: ReviewedChange;
  /** The other half of a rename. */
  readonly deletion: ReviewedChange | undefined;
};

/** Sorted by path. */
export async function diffEntries(changes: readonly ReviewedChange[], upper: Tree, pace: Pace): Promise<readonly DiffEntry[]> {
  const renames = await findRenames(changes, upper, pace);
  const renamed = new Set(renames.values());
  const entries = changes.filter((change) => !renamed.has(change)).map((change) => entryOf(change, renames.get(change)));
  return entries.sort((left, right) => comparePaths(left.path, right.path));
}

function entryOf(change: ReviewedChange, deletion: ReviewedChange | undefined): DiffEntry {
  const { path, status, after } = change;
  return { path, from: deletion?.path, before: deletion === undefined ? status.host : deletion.status.host, after, change, deletion };
}

/**
 * From the added to the deleted half. Only equal contents: cheap, never a guess. An empty file is like any other, so it is not one; and what
 * deserves attention is shown line by line, not as something moved.
 */
async function findRenames(
  changes: readonly ReviewedChange[],
  upper: Tree,
  pace: Pace,
): Promise<ReadonlyMap<ReviewedChange, ReviewedChange>> {
  const deleted = new Map<string, ReviewedChange[]>();
  const sizes = new Set<number>();
  for (const change of changes) {
    const { host } = change.status;
    if (change.after !== undefined || change.status.kind !== 'pending' || host?.kind !== 'file' || host.size === 0) continue;
    if (host.sha256 === undefined || change.attention !== undefined) continue;
    sizes.add(host.size);
    deleted.set(host.sha256, [...(deleted.get(host.sha256) ?? []), change]);
  }
  const renames = new Map<ReviewedChange, ReviewedChange>();
  for (const change of changes) {
    const { path, after, status } = change;
    if (status.kind !== 'pending' || status.host !== undefined || after?.kind !== 'file' || !sizes.has(after.size)) continue;
    if (change.attention !== undefined) continue;
    const candidates = deleted.get(await hashFile(upper, path, after, pace)) ?? [];
    const best = candidates.findIndex((candidate) => nameOf(candidate.path) === nameOf(path));
    const [found] = candidates.splice(Math.max(best, 0), 1);
    if (found !== undefined) renames.set(change, found);
  }
  return renames;
}

async function hashFile(tree: Tree, path: BytePath, { size }: FileState, pace: Pace): Promise<string> {
  const file = tree.openFile(path);
  try {
    return await hashContent(file, size, pace);
  } finally {
    closeSync(file);
  }
}
