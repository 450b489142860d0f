/** The one that forgets. It remembers nothing itself: what is due is found again each time, so a crash or a close in between loses nothing. */
import { isFault, type WorkspaceId } from '@warren/protocol';
import { type FaultPoints, NO_FAULTS } from '../internal/fault-points.ts';
import type { Store } from '../store/store.ts';
import { purgeWorkspace, type RetentionRules, type WorkspaceParts } from './purge-workspace.ts';
import type { Purged, Purger } from './purger.ts';

const INTERVAL_MS = 300_000;
/** After a step the others have the store for as long as it took, at most this. */
const PAUSE_MS_MAX = 50;

export type PurgerParts = {
  readonly store: Store;
  readonly list: () => Promise<readonly { readonly id: WorkspaceId; readonly retention: RetentionRules }[]>;
  readonly workspace: (id: WorkspaceId) => WorkspaceParts;
  readonly faults?: FaultPoints | undefined;
  readonly intervalMs?: number | undefined;
};

/** `begin` makes it run by itself, until it is closed. */
export function createPurger(parts: PurgerParts): Purger & { begin(): void } {
  return new StepwisePurger(parts);
}

/** The purger was closed: the run ends here. */
class Closed extends Error {}

const NOTHING: Purged = {
  events: 0,
  entries: 0,
  runs: 0,
  messages: 0,
  state: 0,
  calls: 0,
  approvals: 0,
  counters: 0,
  alerts: 0,
  fileVersions: 0,
};

class StepwisePurger implements Purger {
  readonly #parts: PurgerParts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Purged> | undefined;
  #isClosed = false;

  constructor(parts: PurgerParts) {
    this.#parts = parts;
  }

  begin(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.purge()
        .catch(() => {}) // What is left is still there for the next run, which meets the same trouble or does not.
        .finally(() => this.begin());
    }, this.#parts.intervalMs ?? INTERVAL_MS).unref();
  }

  purge(): Promise<Purged> {
    if (this.#next !== undefined) return this.#next; // It has not begun, so it will find what is due now.
    const run = this.#running.then(() => {
      this.#next = undefined;
      return this.#run();
    });
    this.#next = run;
    this.#running = run.catch(() => {}); // Who asked for the run hears of it.
    return run;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<Purged> {
    let purged = NOTHING;
    const errors: unknown[] = [];
    if (this.#isClosed) return purged;
    for (const { id, retention } of await this.#parts.list()) {
      try {
        purged = add(purged, await this.#purgeWorkspace(id, retention));
      } catch (error) {
        if (error instanceof Closed) return purged;
        if (isFault(error, 'not_found')) continue; // It was deleted meanwhile.
        errors.push(error);
      }
    }
    if (errors.length > 1) throw new AggregateError(errors, 'Cannot purge several workspaces');
    if (errors.length === 1) throw errors[0];
    return purged;
  }

  async #purgeWorkspace(id: WorkspaceId, retention: RetentionRules): Promise<Purged> {
    const { store, workspace, faults = NO_FAULTS } = this.#parts;
    const mine = store.workspace(id);
    let lastStepAt = performance.now();
    const betweenSteps = async (): Promise<void> => {
      await pause(Math.min(PAUSE_MS_MAX, performance.now() - lastStepAt));
      if (this.#isClosed) throw new Closed();
      await mine.write(() => faults.reach('store.purge'));
      lastStepAt = performance.now();
    };
    return await purgeWorkspace(mine, workspace(id), retention, betweenSteps);
  }
}

function add(one: Purged, other: Purged): Purged {
  return {
    events: one.events + other.events,
    entries: one.entries + other.entries,
    runs: one.runs + other.runs,
    messages: one.messages + other.messages,
    state: one.state + other.state,
    calls: one.calls + other.calls,
    approvals: one.approvals + other.approvals,
    counters: one.counters + other.counters,
    alerts: one.alerts + other.alerts,
    fileVersions: one.fileVersions + other.fileVersions,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
