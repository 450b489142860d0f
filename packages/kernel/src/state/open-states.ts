/**
 * What state has besides its rows, for all workspaces: the one timer that has deleted what is past its time. It learns what happens from committed
 * events alone, whoever wrote them.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { Store } from '../store/store.ts';
import { createState } from './create-state.ts';
import { type StateQuotas, SWEEP_DELAY_MS } from './limits.ts';
import type { State } from './state.ts';
import { sweepState } from './sweep-state.ts';

/** One timer for the earliest time of all workspaces at which something is due. */
export interface DueTimes {
  readonly due: readonly WorkspaceId[];
  set(id: WorkspaceId, at: number | undefined): void;
  close(): void;
}

export interface States extends AsyncDisposable {
  state(workspace: WorkspaceId): State;
  /** Begins to delete what is past its time in this workspace. Using its state does so too. */
  watch(workspace: WorkspaceId): Promise<void>;
  /** Deletes what is past its time in this workspace, in small steps. Returns how many values. */
  sweep(workspace: WorkspaceId): Promise<number>;
  /** The workspace is gone. */
  forget(workspace: WorkspaceId): void;
  /** Does what is due now. The timer calls it; a test that moves the clock does too. */
  tick(): Promise<void>;
  /** Resolves when the step under way is done. Whatever is left is deleted another time. Disposing does the same. */
  close(): Promise<void>;
}

export type StatesParts = {
  readonly store: Store;
  /** Makes a timer that calls this when something is due, and again later when it fails. */
  readonly createTimer: (onDue: () => Promise<void>) => DueTimes;
  readonly quotas?: StateQuotas | undefined;
};

export function openStates({ store, createTimer, quotas }: StatesParts): States {
  const states = new Map<WorkspaceId, State>();
  const looking = new Map<WorkspaceId, Promise<void>>();
  let sweeping: Promise<void> = Promise.resolve();
  let isClosed = false;

  /** Asked for again and again at once, it looks once. */
  const lookAhead = (id: WorkspaceId): Promise<void> => {
    const look = async (): Promise<void> => {
      looking.delete(id);
      if (isClosed) return;
      const dueAt = await store.workspace(id).read(({ state }) => state.nextDue());
      if (!isClosed) timer.set(id, dueAt === undefined ? undefined : dueAt + SWEEP_DELAY_MS);
    };
    const known = looking.get(id) ?? Promise.resolve().then(look);
    looking.set(id, known);
    return known;
  };

  const sweepWorkspace = async (id: WorkspaceId): Promise<number> => {
    let removed = 0;
    for (let isDone = false; !isDone && !isClosed; ) {
      const step = await store.workspace(id).write(sweepState);
      removed += step.removed;
      isDone = step.isDone;
    }
    await lookAhead(id);
    return removed;
  };

  const sweep = async (): Promise<void> => {
    const swept = await Promise.allSettled(timer.due.map((id) => sweepWorkspace(id)));
    const failed = swept.find((each) => each.status === 'rejected'); // The others were swept all the same.
    if (failed !== undefined) throw failed.reason;
  };

  const tick = (): Promise<void> => {
    const run = sweeping.then(sweep);
    sweeping = run.catch(() => {}); // Who asked hears of it; nothing is lost, since what is past its time is invisible all the same.
    return run;
  };

  const timer = createTimer(tick);
  const listening = store.onCommit((id, events) => {
    if (!events.some(({ kind }) => kind.startsWith('kernel.state.'))) return;
    lookAhead(id).catch(() => {}); // The next change looks again, and so does the next start.
  });

  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    listening[Symbol.dispose]();
    timer.close();
    await Promise.allSettled([...looking.values()]);
    await sweeping;
  };

  return {
    state(id) {
      const known = states.get(id) ?? createState({ store: store.workspace(id), quotas });
      states.set(id, known);
      return known;
    },
    watch: lookAhead,
    sweep: sweepWorkspace,
    forget(id) {
      states.delete(id);
      timer.set(id, undefined);
    },
    tick,
    close,
    [Symbol.asyncDispose]: close,
  };
}
