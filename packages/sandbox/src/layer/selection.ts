import { Fault } from '@warren/protocol';
import { namesGit } from './attention.ts';
import { ancestorsOf, type BytePath, isWithin, parsePath, quotePath, ROOT_PATH } from './byte-path.ts';
import type { SealedChange } from './manifest.ts';

/** Which changes somebody asked for. */
export type Selection = {
  has(path: BytePath): boolean;
  /** Whether a path inside a repository's own `.git` was asked for as such, not merely with all around it. */
  namesGitOf(path: BytePath): boolean;
};

/**
 * All changes, or those at or below these paths. What a chosen entry cannot do without comes along: the new directories it is in.
 * Throws `invalid_argument` for a path that leads out, `not_found` for one that has no change.
 */
export function selectChanges(changes: readonly SealedChange[], paths: readonly string[] | undefined): Selection {
  if (paths === undefined) return { has: () => true, namesGitOf: () => false };
  const chosen = paths.map(parsePath);
  for (const path of chosen) {
    if (!changes.some((change) => isWithin(change.path, path))) {
      throw new Fault('not_found', `The run did not change ${quotePath(path)}`, { details: { path: paths[chosen.indexOf(path)] } });
    }
  }
  const newDirectories = new Set<string>();
  for (const { path, before, after } of changes) {
    if (after?.kind === 'directory' && before?.kind !== 'directory') newDirectories.add(path);
  }
  const isChosen = chosenOf(chosen);
  const included = new Set<string>();
  for (const { path } of changes) {
    if (!isChosen(path)) continue;
    included.add(path);
    for (const directory of ancestorsOf(path)) if (newDirectories.has(directory)) included.add(directory);
  }
  const isNamed = chosenOf(chosen.filter(namesGit));
  return { has: (path) => included.has(path), namesGitOf: isNamed };
}

/** Whether a path is one of these or below one. */
function chosenOf(chosen: readonly BytePath[]): (path: BytePath) => boolean {
  const set = new Set<string>(chosen);
  if (set.has(ROOT_PATH)) return () => true;
  return (path) => {
    if (set.has(path)) return true;
    for (const directory of ancestorsOf(path)) if (set.has(directory)) return true;
    return false;
  };
}
