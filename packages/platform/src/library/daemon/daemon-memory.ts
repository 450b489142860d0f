import type { FoundMemory, MemoryRecord } from '@warren/protocol/contract';
import type { WorkspaceMemory } from '../embedded-platform.ts';
import type { CallDaemon } from './call-daemon.ts';

const RESULTS_DEFAULT = 10;
const PAGE = 1_000;

export function createDaemonMemory(call: CallDaemon): WorkspaceMemory {
  return {
    store: async (content, metadata) => (await call('memory.store', { text: content, metadata })).memory_id,

    async search(query, { maxResults = RESULTS_DEFAULT, minScore, signal } = {}) {
      const { memories } = await call('memory.search', { query, limit: maxResults, min_score: minScore }, { signal });
      return memories.map(toResult);
    },

    delete: async (id) => (await call('memory.forget', { memory_id: id })).forgotten,

    async list() {
      const all: MemoryRecord[] = [];
      for (let before: string | undefined; ; ) {
        const { memories } = await call('memory.list', { before, limit: PAGE });
        all.push(...memories);
        before = memories.at(-1)?.memory_id;
        if (before === undefined) break;
      }
      return all.map((entry) => ({
        ...{ id: entry.memory_id, content: entry.text, createdAt: timeOf(entry) },
        ...(entry.metadata !== null && { metadata: entry.metadata }),
      }));
    },

    close: async () => {},
  };
}

function toResult({ memory, score, snippet }: FoundMemory) {
  const { memory_id: id, source, metadata, text } = memory;
  return {
    ...{ id, score, snippet, source, metadata: metadata ?? undefined, createdAt: timeOf(memory) },
    ...{ path: id, startLine: 1, endLine: text.split('\n').length },
  };
}

function timeOf({ created_at }: MemoryRecord): string {
  return new Date(Math.round(created_at * 1_000)).toISOString();
}
