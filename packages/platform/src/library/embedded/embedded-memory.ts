import type { WorkspaceId } from '@warren/protocol';
import type { Memory, MemoryEntry } from '../../memory/memory.ts';
import type { Memories } from '../../memory/open-memories.ts';
import type { WorkspaceMemory } from '../embedded-platform.ts';

const RESULTS_DEFAULT = 10;
const PAGE = 1_000;

export function createEmbeddedMemory(id: WorkspaceId, memories: Pick<Memories, 'use'>, there: () => Promise<void>): WorkspaceMemory {
  const use = async <Result>(act: (memory: Memory) => Promise<Result>): Promise<Result> => {
    await there();
    return await memories.use(id, act);
  };
  return {
    async store(content, metadata) {
      const [stored] = await use((memory) => memory.store([{ text: content, metadata }]));
      if (stored === undefined) throw new Error('A memory that was stored has no id');
      return stored.id;
    },

    async search(query, { maxResults = RESULTS_DEFAULT, minScore, signal } = {}) {
      signal?.throwIfAborted();
      const found = await use((memory) => memory.search(query, { limit: maxResults, minScore }, signal));
      return found.map(({ entry, score, snippet }) => ({
        ...{ id: entry.id, score, snippet, source: entry.source, metadata: entry.metadata, createdAt: timeOf(entry) },
        ...{ path: entry.id, startLine: 1, endLine: entry.text.split('\n').length },
      }));
    },

    delete: (entry) => use((memory) => memory.forget(entry)),

    async list() {
      const all: MemoryEntry[] = [];
      for (let before: string | undefined; ; ) {
        const page = await use((memory) => memory.list({ limit: PAGE, before }));
        all.push(...page);
        before = page.at(-1)?.id;
        if (before === undefined) break;
      }
      return all.map((entry) => ({
        ...{ id: entry.id, content: entry.text, createdAt: timeOf(entry) },
        ...(entry.metadata !== undefined && { metadata: entry.metadata }),
      }));
    },

    close: async () => {},
  };
}

function timeOf({ createdAt }: MemoryEntry): string {
  return new Date(createdAt).toISOString();
}
