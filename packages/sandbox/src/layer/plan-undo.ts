/**
 * Finds out how far an apply came, path by path, and what is to be taken back. The steps of one path lead from state to state; the host stands
 * at one of them, and every step up to there is reverted. More than one apply may have added to the journal, also after a kill.
 */
import { isFault } from '@warren/protocol';
import { type BytePath, comparePaths, joinPath, parentOf } from './byte-path.ts';
import type { Conflict } from './conflict.ts';
import type { Pace } from './internal/pace.ts';
import type { JournalStep } from './journal.ts';
import { readWithHash } from './manifest.ts';
import { isAtState, type PathState } from './path-state.ts';
import type { Tree } from './tree.ts';

/** A step to take back, and what stands at its path when its turn comes. */
export type Revert = { readonly step: JournalStep; readonly now: PathState | undefined };

export type UndoPlan = {
  /** In the order to do them. */
  readonly reverts: readonly Revert[];
  /** What force goes over. */
  readonly conflicts: readonly Conflict[];
  /** What not even force may go over: there is no place for what was kept, and it would be lost. */
  readonly obstacles: readonly Conflict[];
};

export type PlanUndoRequest = {
  readonly steps: readonly JournalStep[];
  readonly lower: Tree;
  readonly isForced: boolean;
  readonly pace: Pace;
};

export async function planUndo({ steps, lower, isForced, pace }: PlanUndoRequest): Promise<UndoPlan> {
  const byPath = Map.groupBy(steps, (step) => step.path);
  const conflicts: Conflict[] = [];
  const reverts: Revert[] = [];
  for (const [path, chain] of byPath) {
    if (pace.isDue) await pace.rest();
    const host = await readState(lower, path, pace);
    const found = revertsOf(chain, host, isForced);
    if (found === undefined) conflicts.push({ path, reason: 'the host changed it since it was applied' });
    else reverts.push(...found);
  }
  for (const { step, now } of reverts) {
    if (step.operation !== 'mkdir' || now?.kind !== 'directory') continue;
    const others = listIfReadable(lower, step.path).filter((path) => !byPath.has(path));
    conflicts.push(...others.map((path) => ({ path, reason: 'the host made it in a directory that was applied' })));
  }
  return {
    reverts: reverts.sort((left, right) => right.step.number - left.step.number),
    conflicts: conflicts.sort((left, right) => comparePaths(left.path, right.path)),
    obstacles: findObstacles(reverts, lower),
  };
}

function findObstacles(reverts: readonly Revert[], lower: Tree): readonly Conflict[] {
  const remade = new Set<string>(reverts.filter(({ step }) => step.operation === 'rmdir').map(({ step }) => step.path));
  return reverts.flatMap(({ step: { path, before, operation }, now }) => {
    if (now?.kind === 'directory' && before?.kind !== 'directory' && operation !== 'mkdir') {
      return [{ path, reason: 'it is a directory on the host' }];
    }
    const isReachable = before === undefined || remade.has(parentOf(path)) || lower.locate(path).kind === 'at';
    return isReachable ? [] : [{ path, reason: 'its directory is gone from the host' }];
  });
}

/** From the last step done to the first. `undefined`: the host stands at none of the states between them. */
function revertsOf(chain: readonly JournalStep[], host: PathState | undefined, isForced: boolean): readonly Revert[] | undefined {
  const at = chain.findLastIndex((step) => isAtState(host, step.before) || isAtState(host, step.after));
  if (at === -1 && !isForced) return undefined;
  const reverts: Revert[] = [];
  let now = host;
  for (const step of chain.slice(0, at === -1 ? chain.length : at + 1).toReversed()) {
    if (isAtState(now, step.before)) continue;
    // Between two applies the host had a state of its own, which the second overwrote by force: that is where undo ends.
    if (!isAtState(now, step.after) && (at !== -1 || reverts.length > 0)) break;
    reverts.push({ step, now });
    now = step.before;
  }
  return reverts;
}

/** What may not be listed is found out by rmdir, which refuses a directory that is not empty. */
function listIfReadable(lower: Tree, path: BytePath): readonly BytePath[] {
  try {
    return lower.list(path).map((name) => joinPath(path, name));
  } catch (error) {
    if (isFault(error, 'permission_denied')) return [];
    throw error;
  }
}

async function readState(lower: Tree, path: BytePath, pace: Pace): Promise<PathState | undefined> {
  const state = lower.state(path);
  return state?.kind === 'file' ? ((await readWithHash(lower, path, pace)) ?? state) : state;
}
