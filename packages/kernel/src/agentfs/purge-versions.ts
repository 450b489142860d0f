/** Deleting history: what is older, and the oldest beyond a count, in steps that keep no other writer waiting. */
import type { WorkspaceStore } from '../store/store.ts';
import type { FileContext } from './file-context.ts';

/** Versions deleted, and paths looked at, in one step. */
const STEP = 200;

/** Waits between two steps; throws when there shall be no more. */
export type BetweenSteps = () => Promise<void>;

/** Deletes past versions but the newest `keep` of a path. Returns how many. */
export async function purgeHistory({ store, sweeper }: FileContext, path: string, keep: number): Promise<number> {
  let purged = 0;
  for (;;) {
    const step = await store.write(({ files, events }) => {
      const count = files.deletePast(path, files.newestPast(path) - keep, STEP);
      if (count > 0) events.append({ pid: undefined, kind: 'kernel.file.purged', payload: { path, versions: count } });
      return count;
    });
    purged += step;
    if (step < STEP) break;
  }
  if (purged > 0) sweeper.wake();
  return purged;
}

export class VersionPurge {
  readonly #context: FileContext;
  /** The limit every path is known to keep. Writes keep it themselves, so paths are looked through only after it was lowered. */
  #keptMax: number | undefined;

  constructor(context: FileContext) {
    this.#context = context;
  }

  /**
   * Deletes what was superseded before this time, and what is beyond the limit of each path, and then the bodies that lost their last name
   * with it. Returns how many versions.
   */
  async purge(supersededBefore: number, betweenSteps: BetweenSteps): Promise<number> {
    const { store, limits, sweeper } = this.#context;
    let purged = await this.#purgeAged(supersededBefore, betweenSteps);
    const { versionsMax } = await limits();
    if (this.#keptMax === undefined || versionsMax < this.#keptMax) purged += await purgeCrowded(store, versionsMax, betweenSteps);
    this.#keptMax = versionsMax;
    await sweeper.sweep();
    return purged;
  }

  async #purgeAged(supersededBefore: number, betweenSteps: BetweenSteps): Promise<number> {
    let purged = 0;
    for (;;) {
      const step = await this.#context.store.write(({ files }) => files.deletePastBefore(supersededBefore, STEP));
      purged += step;
      if (step < STEP) return purged;
      await betweenSteps();
    }
  }
}

async function purgeCrowded(store: WorkspaceStore, versionsMax: number, betweenSteps: BetweenSteps): Promise<number> {
  let purged = 0;
  let after = '';
  for (;;) {
    const paths = await store.read(({ files }) => files.pathsWithPast(after, STEP));
    for (const path of paths) purged += await purgePath(store, path, versionsMax, betweenSteps);
    if (paths.length < STEP) return purged;
    after = paths.at(-1) ?? after;
    await betweenSteps();
  }
}

async function purgePath(store: WorkspaceStore, path: string, versionsMax: number, betweenSteps: BetweenSteps): Promise<number> {
  let purged = 0;
  for (;;) {
    const through = await store.read(({ files }) => (files.find(path)?.version ?? files.newestPast(path)) - versionsMax);
    if (through <= 0) return purged;
    const step = await store.write(({ files }) => files.deletePast(path, through, STEP));
    purged += step;
    if (step < STEP) return purged;
    await betweenSteps();
  }
}
