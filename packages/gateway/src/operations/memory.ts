import type { Kernel } from '@warren/kernel';
import type { Found, Memory, MemoryEntry, Platform } from '@warren/platform';
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { FoundMemory, MemoryRecord } from '@warren/protocol/contract';
import type { HandlersOf } from './handler.ts';
import { toMsIfGiven, toSeconds, toSecondsOrNull } from './time.ts';

/** More is none that a person reads through. */
const FOUND_MAX = 100;
const LISTED_MAX = 1_000;

export function createMemoryHandlers({ workspaces }: Kernel, platform: () => Platform): HandlersOf<'memory.'> {
  /** A workspace that does not exist is not made by asking for its memory. */
  const use = async <Result>(workspace: WorkspaceId, act: (memory: Memory) => Promise<Result>): Promise<Result> => {
    await workspaces.get(workspace);
    return await platform().memories.use(workspace, act);
  };
  return {
    async 'memory.store'({ text, pinned, expires_at, ...rest }, { workspace }) {
      const entry = { ...rest, text, isPinned: pinned, expiresAt: toMsIfGiven(expires_at) };
      const [stored] = await use(workspace, (memory) => memory.store([entry]));
      if (stored === undefined) throw new Error('A memory that was stored has no id');
      return { memory_id: stored.id, duplicate: stored.isDuplicate };
    },

    async 'memory.search'({ query, half_life_days, min_score, limit, ...rest }, { workspace, signal }) {
      const options = { ...rest, halfLifeDays: half_life_days, minScore: min_score, limit: Math.min(limit, FOUND_MAX) };
      return { memories: (await use(workspace, (memory) => memory.search(query, options, signal()))).map(toFound) };
    },

    async 'memory.get'({ memory_id }, { workspace }) {
      const entry = await use(workspace, (memory) => memory.find(memory_id));
      if (entry === undefined) throw new Fault('not_found', `Cannot find memory ${JSON.stringify(memory_id)}: there is none of this id`);
      return toMemory(entry);
    },

    async 'memory.list'({ limit, ...rest }, { workspace }) {
      return await use(workspace, async (memory) => ({
        memories: (await memory.list({ ...rest, limit: Math.min(limit, LISTED_MAX) })).map(toMemory),
        count: await memory.count(),
      }));
    },

    async 'memory.forget'({ memory_id }, { workspace }) {
      return { forgotten: await use(workspace, (memory) => memory.forget(memory_id)) };
    },
  };
}

function toMemory({ id, isPinned, tags, labels, createdAt, updatedAt, expiresAt, session, metadata, ...rest }: MemoryEntry): MemoryRecord {
  const times = { created_at: toSeconds(createdAt), updated_at: toSeconds(updatedAt), expires_at: toSecondsOrNull(expiresAt) };
  const more = { session: session ?? null, metadata: metadata ?? null };
  return { memory_id: id, ...rest, ...more, tags: [...tags], labels: [...labels], pinned: isPinned, ...times };
}

function toFound({ entry, score, snippet, why }: Found): FoundMemory {
  const { text = null, vector = null, terms, age, importance } = why;
  return { memory: toMemory(entry), score, snippet, why: { text, vector, terms: [...terms], age, importance } };
}
