/** The memories of all workspaces. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type ByWorkspace, openByWorkspace } from '../internal/open-by-workspace.ts';
import type { Room } from '../workspace/stored-bytes.ts';
import type { Embedder } from './embedder.ts';
import type { Memory } from './memory.ts';
import { openMemory } from './open-memory.ts';

export type Memories = ByWorkspace<Memory>;

export type MemoriesParts = {
  /** The state directory. */
  readonly directory: string;
  readonly embedder?: Embedder | undefined;
  readonly now: () => number;
  readonly room?: Room | undefined;
  /** Open at once, unless more are in use. */
  readonly openMax?: number | undefined;
};

const OPEN_MAX = 32;

export function openMemories({ directory, embedder, now, room, openMax = OPEN_MAX }: MemoriesParts): Memories {
  return openByWorkspace({
    what: 'memory',
    open: (workspace) =>
      openMemory({
        directory: join(directory, 'workspaces', workspace),
        ...{ embedder, now },
        newId: () => newId(now()),
        requireRoom: (bytes) => room?.require(workspace, bytes) ?? Promise.resolve(),
      }),
    openMax,
  });
}

/** Of one time after the other, so that an index of them grows at its end. */
function newId(now: number): string {
  return `mem_${now.toString(36).padStart(9, '0')}${randomBytes(8).toString('hex')}`;
}
