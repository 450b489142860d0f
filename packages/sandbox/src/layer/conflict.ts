import { Fault } from '@warren/protocol';
import { type BytePath, pathToText, quotePath } from './byte-path.ts';
import { errnoOf } from './internal/errno.ts';

/** A path where the host is not as the run saw it, or not as apply left it. */
export type Conflict = { readonly path: BytePath; readonly reason: string };

/** How many conflicting paths an error message names; its details have more. */
const NAMED_PATHS_MAX = 10;
const DETAILED_PATHS_MAX = 1_000;

export function conflictFault(action: string, conflicts: readonly Conflict[]): Fault {
  const named = conflicts.slice(0, NAMED_PATHS_MAX).map(({ path, reason }) => `${quotePath(path)} (${reason})`);
  const more = conflicts.length > named.length ? ` and ${conflicts.length - named.length} more` : '';
  const details = conflicts.slice(0, DETAILED_PATHS_MAX).map(({ path, reason }) => ({ path: pathToText(path), reason }));
  return new Fault('conflict', `${action}: the host is not as the run saw it: ${named.join(', ')}${more}`, {
    details: { paths: details.map(({ path }) => path), conflicts: details },
  });
}

/** The host changed between the check and the step. */
export function changedMeanwhile(action: 'apply' | 'undo', path: BytePath, cause?: unknown): Fault {
  const details = { paths: [pathToText(path)] };
  return new Fault('conflict', `Cannot ${action} ${quotePath(path)}: the host changed it this moment`, { details, cause });
}

/** What a system call says when something else stands where a step wants to work. */
export function isInTheWay(error: unknown): boolean {
  return ['EEXIST', 'ENOTEMPTY', 'EISDIR', 'ENOTDIR', 'ENOENT'].includes(errnoOf(error) ?? '');
}
