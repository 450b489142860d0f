/**
 * Orders the steps of an apply so that each finds what it needs, and so that most of the time the host has the old content or the new:
 *
 * 1. directories, from the top: rights to write into them, room for new ones, the new ones;
 * 2. files and links, each put in place by one rename; where a directory gives way to one, what was in it goes right before;
 * 3. what is deleted, from the bottom, once everything new is there (a file that only moved is never in neither place);
 * 4. the modes of directories that would have been in the way before.
 */
import { ancestorsOf, type BytePath, comparePaths, parentOf, ROOT_PATH } from './byte-path.ts';
import type { Step } from './journal.ts';
import type { SealedChange } from './manifest.ts';
import type { DirectoryState, PathState } from './path-state.ts';

/** A change that is to be applied, and what the host has at its path. */
export type Work = { readonly change: SealedChange; readonly host: PathState | undefined };

export type PlanStepsRequest = {
  /** Sorted by path. */
  readonly work: readonly Work[];
  /** Mode of a directory of the host; `undefined` when there is none. */
  readonly directoryMode: (path: BytePath) => number | undefined;
  /** Directories to which a killed apply gave rights that are still to be taken back, with the mode they had. */
  readonly borrowed: ReadonlyMap<BytePath, number>;
};

/** Each phase needs the ones before it to be done. */
export type Phases = readonly (readonly Step[])[];

/** What an owner needs to add and remove entries. */
const OWNER_WRITES = 0o300;
const OWNER_ALL = 0o700;

/** A directory whose mode plays a part: as it is now, while we work, and at the end (`undefined`: it will be gone). */
type DirectoryModes = { readonly now: number; readonly working: number; readonly final: number | undefined };

export function planSteps(request: PlanStepsRequest): Phases {
  const { work } = request;
  const content = planContent(work);
  const deletions = planDeletions(work, content.deleted);
  const room = work.filter(isNewDirectory);
  const modes = planModes(request, [...content.steps, ...deletions, ...room.flatMap(makeRoom)]);
  const phases = [planDirectories(room, modes), content.steps, deletions, planFinalModes(modes)];
  return phases.filter((phase) => phase.length > 0).map((phase) => phase.map((step) => withWorkingMode(step, modes)));
}

/** By the time a directory is removed it has the rights it was given to be emptied. */
function withWorkingMode(step: Step, modes: ReadonlyMap<BytePath, DirectoryModes>): Step {
  const mode = modes.get(step.path)?.working;
  return step.operation === 'rmdir' && mode !== undefined ? { ...step, before: { kind: 'directory', mode } } : step;
}

function isNewDirectory({ change, host }: Work): boolean {
  return change.after?.kind === 'directory' && host?.kind !== 'directory';
}

/** Whatever stands where a directory is to be made goes, and the directory comes, open to its owner for now. */
function makeRoom({ change: { path, after }, host }: Work): Step[] {
  if (after?.kind !== 'directory') return [];
  const made: DirectoryState = { kind: 'directory', mode: after.mode | OWNER_ALL };
  return [
    ...(host === undefined ? [] : [{ operation: 'unlink' as const, path, before: host, after: undefined }]),
    { operation: 'mkdir', path, before: undefined, after: made },
  ];
}

function planDirectories(room: readonly Work[], modes: ReadonlyMap<BytePath, DirectoryModes>): Step[] {
  const steps = room.flatMap(makeRoom);
  const isMade = new Set<string>(room.map(({ change }) => change.path));
  for (const [path, { now, working, final }] of modes) {
    if (isMade.has(path) || now === working) continue;
    steps.push({ ...chmod(path, now, working), ...(working === final ? {} : { isTemporary: true }) });
  }
  return steps.toSorted((left, right) => comparePaths(left.path, right.path)); // Stable: unlink stays before mkdir.
}

function planContent(work: readonly Work[]): { readonly steps: readonly Step[]; readonly deleted: ReadonlySet<string> } {
  const steps: Step[] = [];
  const deleted = new Set<string>();
  const deletions = new Map<string, Work[]>();
  const replaced = new Set<string>(work.filter(isReplacedDirectory).map(({ change }) => change.path));
  for (const one of replaced.size === 0 ? [] : work) {
    const directory = [...ancestorsOf(one.change.path)].findLast((ancestor) => replaced.has(ancestor));
    if (directory === undefined) continue;
    deletions.set(directory, [...(deletions.get(directory) ?? []), one]);
    deleted.add(one.change.path);
  }
  for (const one of work) {
    const { change, host } = one;
    const { path, after } = change;
    if (after === undefined || after.kind === 'directory') continue;
    if (host?.kind === 'directory') steps.push(...(deletions.get(path) ?? []).toReversed().flatMap(remove), ...remove(one));
    const before = host?.kind === 'directory' ? undefined : host;
    const isModeOnly = change.isSameContent && after.kind === 'file' && before?.kind === 'file' && isUntouched(change, before);
    const operation = isModeOnly ? 'chmod' : after.kind === 'symlink' ? 'link' : 'write';
    steps.push({ operation, path, before, after: isModeOnly ? { ...before, mode: after.mode } : after });
  }
  return { steps, deleted };
}

function isReplacedDirectory({ change, host }: Work): boolean {
  return host?.kind === 'directory' && change.after !== undefined && change.after.kind !== 'directory';
}

/** Only then does the same content in the seal mean the same content now. */
function isUntouched({ before }: SealedChange, host: PathState): boolean {
  return before?.kind === 'file' && host.kind === 'file' && before.sha256 !== undefined && before.sha256 === host.sha256;
}

function planDeletions(work: readonly Work[], done: ReadonlySet<string>): Step[] {
  return work
    .filter(({ change }) => change.after === undefined && !done.has(change.path))
    .toReversed()
    .flatMap(remove);
}

function remove({ change: { path }, host }: Work): Step[] {
  if (host === undefined) return [];
  return [{ operation: host.kind === 'directory' ? 'rmdir' : 'unlink', path, before: host, after: undefined }];
}

function planModes({ work, directoryMode, borrowed }: PlanStepsRequest, steps: readonly Step[]): ReadonlyMap<BytePath, DirectoryModes> {
  const wanted = new Map<BytePath, number | undefined>(borrowed);
  const modes = new Map<BytePath, DirectoryModes>();
  for (const { change, host } of work) {
    if (host?.kind === 'directory' || change.after?.kind === 'directory') {
      wanted.set(change.path, change.after?.kind === 'directory' ? change.after.mode : undefined);
    }
    if (isNewDirectory({ change, host }) && change.after?.kind === 'directory') {
      const made = change.after.mode | OWNER_ALL;
      modes.set(change.path, { now: made, working: made, final: change.after.mode });
    }
  }
  const isUsed = usedDirectories(steps, wanted);
  for (const path of new Set([...wanted.keys(), ...isUsed])) {
    const now = modes.has(path) ? undefined : directoryMode(path);
    if (now === undefined) continue;
    const final = wanted.has(path) ? wanted.get(path) : now;
    modes.set(path, { now, working: (final ?? now) | (isUsed.has(path) ? OWNER_WRITES : 0), final });
  }
  return modes;
}

/** Directories that the steps write into, and those that change themselves and are passed on the way. */
function usedDirectories(steps: readonly Step[], changing: ReadonlyMap<BytePath, unknown>): ReadonlySet<BytePath> {
  const used = new Set<BytePath>();
  const passed = new Set<BytePath>();
  for (const { path } of steps) {
    if (path === ROOT_PATH) continue;
    used.add(parentOf(path));
    if (changing.has(ROOT_PATH)) used.add(ROOT_PATH);
    for (const directory of ancestorsOf(path)) {
      if (passed.has(directory)) break; // And so is everything above it.
      passed.add(directory);
      if (changing.has(directory)) used.add(directory);
    }
  }
  return used;
}

function planFinalModes(modes: ReadonlyMap<BytePath, DirectoryModes>): Step[] {
  return [...modes]
    .filter(([, { working, final }]) => final !== undefined && working !== final)
    .sort(([left], [right]) => comparePaths(right, left))
    .map(([path, { working, final }]) => chmod(path, working, final ?? working));
}

function chmod(path: BytePath, from: number, to: number): Step {
  return { operation: 'chmod', path, before: { kind: 'directory', mode: from }, after: { kind: 'directory', mode: to } };
}
