/** Which run, and which of its paths, somebody means: `warren diff`, `warren diff 1rv`, `warren diff src`, `warren diff 1rv src`. */
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { Fault } from '@warren/protocol';
import type { RunRecord, RunStore } from '@warren/sandbox';
import type { Host } from '../internal/host.ts';

export type ChosenRun = {
  readonly run: RunRecord;
  /** Relative to the directory of the run. Undefined: everything. */
  readonly paths: readonly string[] | undefined;
};

export type ChooseRequest = {
  readonly run: string | undefined;
  readonly paths: readonly string[];
  /** Which runs come into question when none is named. */
  readonly isCandidate: (run: RunRecord) => boolean;
  /** What such a run has, in words, for the error. */
  readonly sought: string;
};

const WHOLE_ID = /^[0-9a-hjkmnp-tv-z]{12}$/;

/** The first word is a run if any run's id begins so, and else a path (`./1rv` always is). Throws `not_found`, `invalid_argument`. */
export function chooseRun(store: RunStore, host: Host, { run: word, paths, isCandidate, sought }: ChooseRequest): ChosenRun {
  const { runs, damaged } = store.listRuns();
  const isRun = word !== undefined && (WHOLE_ID.test(word) || [...runs, ...damaged].some(({ id }) => id.startsWith(word.toLowerCase())));
  if (word !== undefined && isRun) {
    const run = store.getRun(word);
    return { run, paths: paths.length === 0 ? undefined : paths.map((path) => pathOf(path, run, host)) };
  }
  const directory = host.cwd();
  const run = runs.find((candidate) => isWithin(directory, candidate.directory) && isCandidate(candidate));
  if (run === undefined) {
    const what =
      word === undefined
        ? `a run of "${directory}" ${sought}`
        : `the run or path "${word}": no run id begins so, and no run of "${directory}" ${sought}`;
    throw new Fault('not_found', `Cannot find ${what}`, {
      details: { directory, ...(word !== undefined && { run: word }), fix: 'warren run --dir . -- …, or name one of: warren runs' },
    });
  }
  return { run, paths: word === undefined ? undefined : [word, ...paths].map((path) => pathOf(path, run, host)) };
}

/** Written as seen from here; as the run knows it. From elsewhere it is taken as seen from the directory of the run. */
function pathOf(path: string, run: RunRecord, host: Host): string {
  const here = host.cwd();
  const base = isWithin(here, run.directory) ? here : run.directory;
  const inside = relative(run.directory, resolve(base, path));
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new Fault('invalid_argument', `Cannot look at "${path}": it is not in "${run.directory}", the directory of run ${run.id}`, {
      details: { path },
    });
  }
  return inside;
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`);
}

/** A layer with something in it, as far as anybody knows. */
export function hasChanges({ layer }: RunRecord): boolean {
  return layer.state !== 'empty' && layer.state !== 'dropped';
}
