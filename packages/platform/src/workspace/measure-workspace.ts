/** What one workspace has, counted when somebody asks. */
import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store, WorkspaceKernel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import type { Memories } from '../memory/open-memories.ts';
import { type StoredParts, totalOf } from './stored-bytes.ts';

export type Held = { readonly count: number; readonly bytes: number };

export type WorkspaceUsage = {
  readonly agents: number;
  /** Those that are not DEAD. */
  readonly processes: number;
  readonly memories: Held;
  /** In the directory that agents work in. */
  readonly files: Held;
  /** In agentfs, all versions together. */
  readonly storedFiles: Held;
  readonly sessions: Held;
  readonly secrets: number;
  /** All of it, with secrets. */
  readonly storedBytes: number;
};

export type MeasureParts = {
  readonly directory: string;
  readonly memories: Pick<Memories, 'use'>;
  readonly mine: WorkspaceKernel;
  readonly store: Pick<Store, 'workspace'>;
};

const PAGE = 1_000;
const FILES_MAX = 1_000_000;
/** Of stat(2), whatever the file system has. */
const BLOCK_BYTES = 512;

export async function measureWorkspace({ directory, memories, mine, store }: MeasureParts, signal: AbortSignal): Promise<WorkspaceUsage> {
  const root = join(directory, 'workspaces', mine.id);
  const { processes, files: storedFiles } = await mine.observe.summary();
  const memoryFile = await sizeOf(join(root, 'memory.db'));
  const [files, sessions] = [await measureTree(join(root, 'files'), signal), await measureTree(join(root, 'sessions'), signal)];
  const secretBytes = await store.workspace(mine.id).read(({ secrets }) => secrets.bytes());
  return {
    agents: await countPages((after) => mine.agents.list({ limit: PAGE, after }), signal),
    processes: Object.entries(processes).reduce((sum, [state, count]) => (state === 'DEAD' ? sum : sum + count), 0),
    // One that nothing was ever kept in is not made by being counted.
    memories:
      memoryFile === 0 ? { count: 0, bytes: 0 } : { count: await memories.use(mine.id, (memory) => memory.count()), bytes: memoryFile },
    ...{ files, storedFiles, sessions },
    secrets: await countPages((after) => mine.secrets.list({ limit: PAGE, after }), signal),
    storedBytes: totalOf({
      files: files.bytes,
      memories: memoryFile,
      sessions: sessions.bytes,
      storedFiles: storedFiles.bytes,
      secrets: secretBytes,
    }),
  };
}

/** The bytes alone, for what asks often. */
export async function countStored(
  { directory, store }: Pick<MeasureParts, 'directory' | 'store'>,
  id: WorkspaceId,
  signal: AbortSignal,
): Promise<StoredParts> {
  const root = join(directory, 'workspaces', id);
  const rows = await store.workspace(id).read(({ files, secrets }) => ({ storedFiles: files.usedBytes(), secrets: secrets.bytes() }));
  return {
    ...rows,
    files: (await measureTree(join(root, 'files'), signal)).bytes,
    memories: await sizeOf(join(root, 'memory.db')),
    sessions: (await measureTree(join(root, 'sessions'), signal)).bytes,
  };
}

async function countPages(
  list: (after: string | undefined) => Promise<readonly { readonly name: string }[]>,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (let after: string | undefined; ; ) {
    signal.throwIfAborted();
    const page = await list(after);
    count += page.length;
    after = page.at(-1)?.name;
    if (page.length < PAGE || after === undefined) return count;
  }
}

/** Links are counted and not followed. What cannot be looked at is left out. */
async function measureTree(root: string, signal: AbortSignal): Promise<Held> {
  let [count, bytes] = [0, 0];
  for (const left = [root]; left.length > 0 && count < FILES_MAX; ) {
    const folder = left.pop() ?? root;
    for await (const entry of entriesIn(folder)) {
      signal.throwIfAborted();
      const path = join(folder, entry.name);
      if (entry.isDirectory()) left.push(path);
      else {
        count++;
        bytes += await sizeOf(path);
      }
    }
  }
  return { count, bytes };
}

async function* entriesIn(folder: string): AsyncGenerator<Dirent, void> {
  try {
    yield* await opendir(folder);
  } catch {
    // It is not there, or closed to us.
  }
}

async function sizeOf(path: string): Promise<number> {
  return await lstat(path).then(
    ({ size, blocks }) => Math.min(size, blocks * BLOCK_BYTES), // A file of holes stores nothing.
    () => 0, // It went meanwhile, or was never there.
  );
}
