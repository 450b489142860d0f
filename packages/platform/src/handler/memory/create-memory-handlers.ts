/**
 * `memory.*`: what the agents of a workspace remember together. An agent changes and forgets only what it stored itself. What is stored carries the labels of the call; whoever finds it carries them from then on, and
 * that it is of another agent.
 */
import { mergeLabels } from '@warren/kernel';
import { isFault, type JsonObject, type JsonValue } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult, type Handlers } from '../../capability/handler.ts';
import type { Found, Memory, MemoryEntry, NewMemory } from '../../memory/memory.ts';
import type { Memories } from '../../memory/open-memories.ts';
import { isoOf } from '../internal/iso-time.ts';

export function createMemoryHandlers({ memories, now }: { readonly memories: Memories; readonly now: () => number }): Handlers {
  const using = <Result>({ actor }: HandlerContext, act: (memory: Memory) => Promise<Result>): Promise<Result> =>
    named(memories.use(actor.workspace, act));
  return {
    'memory.store': async (input, context) => {
      const { text, ttl_seconds: ttl } = input;
      const expiresAt = typeof ttl === 'number' ? { expiresAt: now() + ttl * 1_000 } : {};
      const entry = { ...partsOf(input), ...expiresAt, text: String(text), source: sourceOf(context), labels: await labelsOf(context) };
      const [stored] = await using(context, (memory) => memory.store([entry]));
      if (stored === undefined) throw new Error('A memory that was stored has no id');
      return { output: { id: stored.id, duplicate: stored.isDuplicate } };
    },

    'memory.search': async ({ query, limit, tags, agent, half_life_days: halfLifeDays, diversity }, context) => {
      const options = {
        limit: Number(limit),
        ...(Array.isArray(tags) && { tags: tags.map(String) }),
        ...(typeof agent === 'string' && agent !== '' && { source: agent }),
        ...(typeof halfLifeDays === 'number' && { halfLifeDays }),
        ...(typeof diversity === 'number' && { diversity }),
      };
      const found = await using(context, (memory) => memory.search(String(query), options, context.signal));
      return given(found.map(({ entry }) => entry), { memories: found.map(toOutput), count: found.length }, context); // biome-ignore format: one line
    },

    'memory.get': async ({ id }, context) => {
      const entry = await using(context, (memory) => memory.find(String(id)));
      return given(entry === undefined ? [] : [entry], wholeOf(entry), context);
    },

    'memory.update': async (input, context) => {
      const id = String(input['id']);
      const labels = await labelsOf(context);
      const { updatedAt } = await using(context, async (memory) => {
        const entry = await ownEntry(memory, id, context);
        if (entry === undefined) throw new CapabilityError('MemoryNotFound', 'Cannot change the memory: this agent stored none of this id');
        return await memory.update(id, { ...partsOf(input), labels: mergeLabels(entry.labels, labels) ?? [] });
      });
      return { output: { id, updated_at: isoOf(updatedAt) } };
    },

    'memory.forget': async ({ id }, context) => {
      const forgotten = await using(context, async (memory) => {
        const entry = await ownEntry(memory, String(id), context);
        return entry !== undefined && (await memory.forget(entry.id));
      });
      return { output: { forgotten } };
    },
  };
}

/** One of somebody else looks like none. */
async function ownEntry(memory: Memory, id: string, context: HandlerContext): Promise<MemoryEntry | undefined> {
  const entry = await memory.find(id);
  return entry?.source === sourceOf(context) ? entry : undefined;
}

/** A process without an agent speaks for itself alone. No agent has such a name. */
function sourceOf({ actor: { agent, pid } }: HandlerContext): string {
  return agent === '' ? `process ${pid}` : agent;
}

/** What the call carries, and what its process does by now. */
async function labelsOf({ taint, mine, actor }: HandlerContext): Promise<readonly string[]> {
  return mergeLabels(taint, await mine.taints.of(actor.pid)) ?? [];
}

/** What was read labels whoever read it. */
function given(entries: readonly MemoryEntry[], output: JsonObject, context: HandlerContext): HandlerResult {
  const own = sourceOf(context);
  const taint = mergeLabels(...entries.map(({ labels, source }) => (source === own ? labels : [...labels, 'agent'])));
  return taint === undefined ? { output } : { output, taint };
}

/** The definition has checked them. */
function partsOf({ text, tags, importance, pinned }: JsonObject): Partial<NewMemory> {
  return {
    ...(typeof text === 'string' && { text }),
    ...(Array.isArray(tags) && { tags: tags.map(String) }),
    ...(typeof importance === 'number' && { importance }),
    ...(typeof pinned === 'boolean' && { isPinned: pinned }),
  };
}

function toOutput({ entry, score, snippet, why }: Found): JsonValue {
  return {
    ...{ id: entry.id, snippet, score, tags: [...entry.tags], agent: entry.source, created_at: isoOf(entry.createdAt) },
    ...{ matched: [...why.terms], text_score: why.text ?? null, vector_score: why.vector ?? null },
  };
}

function wholeOf(entry: MemoryEntry | undefined): JsonObject {
  if (entry === undefined) {
    const nothing = { text: null, agent: null, importance: null, created_at: null, updated_at: null, expires_at: null };
    return { found: false, tags: [], pinned: false, ...nothing };
  }
  const { text, tags, source, importance, isPinned, createdAt, updatedAt, expiresAt } = entry;
  return {
    ...{ found: true, text, tags: [...tags], agent: source, importance, pinned: isPinned },
    ...{ created_at: isoOf(createdAt), updated_at: isoOf(updatedAt), expires_at: expiresAt === undefined ? null : isoOf(expiresAt) },
  };
}

const TYPES: Readonly<Record<string, string>> = {
  invalid_argument: 'InvalidInput',
  not_found: 'MemoryNotFound',
  already_exists: 'MemoryExists',
  too_large: 'QuotaExceeded',
  storage_full: 'QuotaExceeded',
  quota_exceeded: 'QuotaExceeded',
  store_failed: 'DatabaseError',
  busy: 'DatabaseError',
};

async function named<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    const type = isFault(error) ? TYPES[error.code] : undefined;
    if (type === undefined || !isFault(error)) throw error;
    throw new CapabilityError(type, error.message, { cause: error });
  }
}
