/** The memories of all workspaces: each is opened when it is first asked for, and the one that was used least lately is closed when there are too many. None is closed while somebody uses it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { WorkspaceKeeper } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { Embedder } from './embedder.ts';
import type { Memory } from './memory.ts';
import { openMemory } from './open-memory.ts';

export interface Memories extends AsyncDisposable, WorkspaceKeeper {
  /** Faults: `store_failed`, `unavailable` (closed, or the workspace is being deleted), and those of `act`. */
  use<Result>(workspace: WorkspaceId, act: (memory: Memory) => Promise<Result>): Promise<Result>;
}

export type MemoriesParts = {
  /** The state directory. */
  readonly directory: string;
  readonly embedder?: Embedder | undefined;
  readonly now: () => number;
  /** Open at once, unless more are in use. */
  readonly openMax?: number | undefined;
};

const OPEN_MAX = 32;

type Open = { readonly memory: Memory; uses: number; idle?: (() => void) | undefined };

export function openMemories({ directory, embedder, now, openMax = OPEN_MAX }: MemoriesParts): Memories {
  /** The one that was used last stands last. */
  const open = new Map<WorkspaceId, Open>();
  const closing = new Map<WorkspaceId, Promise<void>>();
  const stopped = new Set<WorkspaceId>();
  let isOpen = true;
  const requireOpen = (workspace: WorkspaceId): void => {
    if (!isOpen) throw new Fault('unavailable', 'Cannot use the memory: Warren is stopping', { details: { is_sent: false } });
    if (stopped.has(workspace))
      throw new Fault('unavailable', `Cannot use the memory of ${workspace}: it is being deleted`, { details: { is_sent: false } });
  };

  const close = async (workspace: WorkspaceId, { memory }: Open): Promise<void> => {
    open.delete(workspace);
    const { promise, resolve } = Promise.withResolvers<void>();
    closing.set(workspace, promise);
    try {
      await memory[Symbol.asyncDispose]();
    } finally {
      closing.delete(workspace);
      resolve();
    }
  };
  const closeSome = (): void => {
    for (const [workspace, each] of open) {
      if (open.size <= openMax) return;
      if (each.uses === 0) close(workspace, each).catch(() => {}); // Everything it was asked to keep is on disk.
    }
  };

  return {
    async use(workspace, act) {
      while (closing.has(workspace)) await closing.get(workspace);
      requireOpen(workspace);
      const found = open.get(workspace) ?? {
        memory: openMemory({ directory: join(directory, 'workspaces', workspace), embedder, now, newId: () => newId(now()) }),
        uses: 0,
      };
      open.delete(workspace);
      open.set(workspace, found);
      found.uses++;
      closeSome();
      try {
        return await act(found.memory);
      } finally {
        found.uses--;
        if (found.uses === 0) found.idle?.();
        closeSome();
      }
    },

    async stop(workspace) {
      stopped.add(workspace);
      const found = open.get(workspace);
      if (found !== undefined) {
        if (found.uses > 0) await new Promise<void>((resolve) => Object.assign(found, { idle: resolve }));
        await close(workspace, found);
      }
      return { [Symbol.dispose]: () => void stopped.delete(workspace) };
    },

    wipe: async () => {}, // Its file is in the workspace's directory, which goes as one.

    async [Symbol.asyncDispose]() {
      isOpen = false;
      await Promise.allSettled([...[...open].map(([workspace, each]) => close(workspace, each)), ...closing.values()]);
    },
  };
}

/** Of one time after the other, so that an index of them grows at its end. */
function newId(now: number): string {
  return `mem_${now.toString(36).padStart(9, '0')}${randomBytes(8).toString('hex')}`;
}
