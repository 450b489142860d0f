/**
 * The composition of the kernel: which part is handed to which. Parts know the store and not each other; what one needs of another (giving
 * back what a dead process held, stopping a process whose budget is spent) is handed over here.
 */
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { createEvents } from './event/create-events.ts';
import { RecentEvents } from './event/recent-events.ts';
import { type Clock, createClock } from './internal/clock.ts';
import type { FaultPoints } from './internal/fault-points.ts';
import type { Kernel, WorkspaceKernel } from './kernel.ts';
import { createProcesses } from './process/create-processes.ts';
import { createProcessChanges, type ProcessHooks } from './process/process-changes.ts';
import type { RecoveryPolicy } from './process/processes.ts';
import { recoverProcesses } from './process/recover-processes.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import { createWorkspaces } from './workspace/create-workspaces.ts';

export type KernelOptions = {
  /** The state directory. */
  readonly directory: string;
  readonly clock?: Clock | undefined;
  readonly faults?: FaultPoints | undefined;
  /** Default: `resume`. */
  readonly recovery?: RecoveryPolicy | undefined;
  /** Looks only; every change is refused. */
  readonly isReadOnly?: boolean | undefined;
  /** Runs every transaction twice, to hold them to their rule. For tests. */
  readonly isRehearsing?: boolean | undefined;
};

/** Throws what opening the store throws. */
export async function openKernel(options: KernelOptions): Promise<Kernel> {
  const clock = options.clock ?? createClock();
  const store = openSqliteStore({ ...options, clock });
  const hooks: ProcessHooks = { onEnd: [], onMove: [] };
  const changes = createProcessChanges(hooks);
  const recentOf = new Map<WorkspaceId, RecentEvents>();
  const recent = (id: WorkspaceId): RecentEvents => {
    const known = recentOf.get(id) ?? new RecentEvents();
    recentOf.set(id, known);
    return known;
  };
  store.onCommit((id, events) => recent(id).add(events));
  const workspaces = createWorkspaces(store);

  const parts = new Map<WorkspaceId, WorkspaceKernel>();
  const workspace = (id: WorkspaceId): WorkspaceKernel => {
    const known = parts.get(id);
    if (known !== undefined) return known;
    const mine = store.workspace(id);
    const made = {
      id,
      processes: createProcesses({ store: mine, changes, allowChild: () => {} }),
      events: createEvents({ store: mine, recent: recent(id) }),
    } as unknown as WorkspaceKernel; // Until the other parts are here.
    parts.set(id, made);
    return made;
  };

  try {
    if (options.isReadOnly !== true) {
      const known = await workspaces.list();
      if (!known.some(({ id }) => id === DEFAULT_WORKSPACE)) await workspaces.create(DEFAULT_WORKSPACE);
      for (const { id } of known)
        await recoverProcesses(store.workspace(id), options.recovery ?? 'resume', { hooks, isLeased: () => false });
    }
  } catch (error) {
    await store.close();
    throw error;
  }

  return {
    workspace,
    workspaces,
    store,
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  } as unknown as Kernel; // As above.
}
