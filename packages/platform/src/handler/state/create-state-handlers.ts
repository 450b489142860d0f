/** `state.session.*`, `state.persistent.*` and `state.shared.*`: values under keys, of a session, of an agent, of all agents of a workspace. */
import type { StateEntry } from '@warren/kernel';
import type { JsonValue } from '@warren/protocol';
import { CapabilityError, type Handler, type HandlerContext, type HandlerResult, type Handlers } from '../../capability/handler.ts';
import { isoOf } from '../internal/iso-time.ts';
import { tellWatchers, watchersOf, watchShared } from './shared-watches.ts';
import { agentScope, named, sessionScope } from './state-scope.ts';

const SHARED = { kind: 'shared' } as const;
/** To delete whatever version there is while others change it. */
const ATTEMPTS_MAX = 10;

export function createStateHandlers(): Handlers {
  return { ...SESSION, ...PERSISTENT, ...SHARED_HANDLERS };
}

const SESSION: Handlers = {
  'state.session.get': async ({ key }, context) => {
    const entry = await named(context.mine.state.get(sessionScope(context), String(key)));
    return output({ value: entry?.value ?? null, found: entry !== undefined });
  },
  'state.session.set': async ({ key, value = null }, context) => {
    const { previous } = await named(context.mine.state.set(sessionScope(context), String(key), value));
    return output({ previous_value: previous ?? null, overwritten: previous !== undefined });
  },
  'state.session.delete': async ({ key }, context) => {
    const { isDeleted, previous } = await named(context.mine.state.delete(sessionScope(context), String(key)));
    return output({ previous_value: previous ?? null, deleted: isDeleted });
  },
  'state.session.list': async (input, context) => {
    const { entries, next } = await named(context.mine.state.list(sessionScope(context), page(input)));
    return output({ keys: entries.map(({ key }) => key), count: entries.length, next: next ?? null });
  },
  'state.session.clear': async (_, context) => output({ removed_count: await named(context.mine.state.clear(sessionScope(context))) }),
};

const PERSISTENT: Handlers = {
  'state.persistent.get': async ({ key, version }, context) => {
    const options = typeof version === 'number' ? { version } : {};
    const entry = await named(context.mine.state.get(agentScope(context), String(key), options));
    if (entry === undefined) return output({ value: null, version: 0, found: false, created_at: null, updated_at: null });
    const { createdAt, updatedAt } = entry;
    return output({ value: entry.value, version: entry.version, found: true, created_at: isoOf(createdAt), updated_at: isoOf(updatedAt) });
  },
  'state.persistent.set': async ({ key, value = null, ttl_seconds: ttl }, context) => {
    const set = await named(context.mine.state.set(agentScope(context), String(key), value, { ...ttlOf(ttl), by: context.actor.agent }));
    return output({ version: set.version, previous_version: set.previousVersion });
  },
  'state.persistent.delete': async ({ key }, context) => {
    const { isDeleted } = await named(context.mine.state.delete(agentScope(context), String(key), { by: context.actor.agent }));
    return output({ deleted: isDeleted });
  },
  'state.persistent.list': async (input, context) => {
    const { entries, next, totalBytes } = await named(context.mine.state.list(agentScope(context), page(input)));
    return output({ entries: entries.map(headOf), count: entries.length, total_size_bytes: totalBytes, next: next ?? null });
  },
  'state.persistent.query': async (input, context) => {
    const { entries, next } = await named(context.mine.state.list(agentScope(context), page(input)));
    const whole = entries.map((entry) => ({ ...headOf(entry), value: entry.value, created_at: isoOf(entry.createdAt) }));
    return output({ entries: whole, count: whole.length, next: next ?? null });
  },
  'state.persistent.history': async ({ key, limit }, context) => {
    const found = await named(context.mine.state.history(agentScope(context), String(key), Number(limit)));
    const versions = found.map(({ version, value, isDeletion, at }) => ({
      version,
      value: value ?? null,
      deleted: isDeletion,
      updated_at: isoOf(at),
    }));
    return output({ versions, count: versions.length });
  },
};

const SHARED_HANDLERS: Handlers = {
  'state.shared.get': async ({ key }, { mine, actor }) => {
    const entry = await named(mine.state.get(SHARED, String(key), { by: actor.agent }));
    if (entry === undefined) return output({ value: null, version: 0, found: false, owner_agent: null, updated_at: null });
    const { value, version, owner, updatedAt } = entry;
    return output({ value, version, found: true, owner_agent: owner, updated_at: isoOf(updatedAt) });
  },
  'state.shared.set': async ({ key, value = null, expected_version: expectedVersion, ttl_seconds: ttl, access }, context) => {
    const { mine, actor } = context;
    const options = { expectedVersion: Number(expectedVersion), ...ttlOf(ttl), ...accessOf(access), by: actor.agent };
    const { version } = await named(mine.state.set(SHARED, String(key), value, options));
    const watchers = await watchersOf(mine, String(key)).catch(() => []); // It is set, whoever hears of it.
    await tellWatchers(context, watchers, { key: String(key), version, change: 'set' });
    return output({ version });
  },
  'state.shared.delete': async ({ key, expected_version: expected }, context) => {
    const name = String(key);
    for (let attempt = 1; ; attempt++) {
      try {
        return output({ deleted: await deleteShared(context, name, typeof expected === 'number' ? expected : undefined) });
      } catch (error) {
        const isBetween = expected === undefined && error instanceof CapabilityError && error.type === 'VersionConflict';
        if (!isBetween || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  },
  'state.shared.list': async (input, { mine, actor }) => {
    const { entries, next, totalBytes } = await named(mine.state.list(SHARED, { ...page(input), by: actor.agent }));
    const heads = entries.map((entry) => ({ ...headOf(entry), owner_agent: entry.owner }));
    return output({ entries: heads, count: heads.length, total_size_bytes: totalBytes, next: next ?? null });
  },
  'state.shared.watch': async ({ prefix }, context) => {
    const { id, channel } = await watchShared(context, String(prefix ?? ''));
    return output({ subscription_id: id, channel });
  },
};

async function deleteShared(context: HandlerContext, key: string, expected: number | undefined): Promise<boolean> {
  const { mine, actor } = context;
  const expectedVersion = expected ?? (await named(mine.state.get(SHARED, key, { by: actor.agent })))?.version;
  if (expectedVersion === undefined) return false;
  const watchers = await watchersOf(mine, key).catch(() => []);
  const { isDeleted } = await named(mine.state.delete(SHARED, key, { expectedVersion, by: actor.agent }));
  if (isDeleted) await tellWatchers(context, watchers, { key, version: expectedVersion, change: 'deleted' });
  return isDeleted;
}

function output(value: HandlerResult['output']): HandlerResult {
  return { output: value };
}

function page({ prefix, after, limit }: Parameters<Handler>[0]) {
  return { prefix: String(prefix ?? ''), ...(typeof after === 'string' ? { after } : {}), limit: Number(limit) };
}

function ttlOf(seconds: JsonValue | undefined): { readonly ttlMs?: number } {
  return typeof seconds === 'number' ? { ttlMs: seconds * 1_000 } : {};
}

/** The definition has checked it. */
function accessOf(access: JsonValue | undefined) {
  if (typeof access !== 'object' || access === null || Array.isArray(access)) return {};
  const { read = ['*'], write = ['*'] } = access as { readonly read?: readonly string[]; readonly write?: readonly string[] };
  return { access: { read, write } };
}

function headOf({ key, version, sizeBytes, updatedAt }: StateEntry) {
  return { key, version, size_bytes: sizeBytes, updated_at: isoOf(updatedAt) };
}
