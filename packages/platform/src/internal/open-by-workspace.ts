/** What each workspace has one of: opened when it is first asked for; the one that was used least lately is closed when there are too many. None is closed while somebody uses it. */
import type { WorkspaceKeeper } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';

export interface ByWorkspace<Thing> extends AsyncDisposable, WorkspaceKeeper {
  /** Faults: those of opening and of `act`, `unavailable` (closed, or the workspace is being deleted). */
  use<Result>(workspace: WorkspaceId, act: (thing: Thing) => Promise<Result>): Promise<Result>;
}

/** `idle`: called when nobody uses it any more. */
type Open<Thing> = { readonly thing: Thing; uses: number; idle?: (() => void) | undefined };

export type ByWorkspaceParts<Thing extends AsyncDisposable> = {
  /** For messages: `Cannot use the …`. */
  readonly what: string;
  readonly open: (workspace: WorkspaceId) => Thing;
  /** Open at once, unless more are in use. */
  readonly openMax: number;
};

export function openByWorkspace<Thing extends AsyncDisposable>({
  what,
  open: openOne,
  openMax,
}: ByWorkspaceParts<Thing>): ByWorkspace<Thing> {
  /** The one that was used last stands last. */
  const open = new Map<WorkspaceId, Open<Thing>>();
  const closing = new Map<WorkspaceId, Promise<void>>();
  const stopped = new Set<WorkspaceId>();
  let isOpen = true;
  const requireOpen = (workspace: WorkspaceId): void => {
    if (isOpen && !stopped.has(workspace)) return;
    const message = isOpen ? `Cannot use the ${what} of ${workspace}: it is being deleted` : `Cannot use the ${what}: Warren is stopping`;
    throw new Fault('unavailable', message, { details: { is_sent: false } });
  };

  const close = async (workspace: WorkspaceId, thing: Thing): Promise<void> => {
    open.delete(workspace);
    const { promise, resolve } = Promise.withResolvers<void>();
    closing.set(workspace, promise);
    try {
      await thing[Symbol.asyncDispose]();
    } finally {
      closing.delete(workspace);
      resolve();
    }
  };
  const closeSome = (): void => {
    for (const [workspace, each] of open) {
      if (open.size <= openMax) return;
      if (each.uses === 0) close(workspace, each.thing).catch(() => {}); // Everything it was asked to keep is on disk.
    }
  };

  return {
    async use(workspace, act) {
      while (closing.has(workspace)) await closing.get(workspace);
      requireOpen(workspace);
      const found: Open<Thing> = open.get(workspace) ?? { thing: openOne(workspace), uses: 0 };
      open.delete(workspace);
      open.set(workspace, found);
      found.uses++;
      closeSome();
      try {
        return await act(found.thing);
      } finally {
        found.uses--;
        if (found.uses === 0) found.idle?.();
        closeSome();
      }
    },

    async stop(workspace) {
      stopped.add(workspace);
      while (closing.has(workspace)) await closing.get(workspace);
      const found = open.get(workspace);
      if (found !== undefined) {
        if (found.uses > 0) await new Promise<void>((resolve) => Object.assign(found, { idle: resolve }));
        await close(workspace, found.thing);
      }
      return { [Symbol.dispose]: () => void stopped.delete(workspace) };
    },

    wipe: async () => {}, // What it has is in the directory of the workspace, which goes as one.

    async [Symbol.asyncDispose]() {
      isOpen = false;
      await Promise.allSettled([...[...open].map(([workspace, { thing }]) => close(workspace, thing)), ...closing.values()]);
    },
  };
}
