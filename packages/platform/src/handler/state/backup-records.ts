/** What a backup holds: scope after scope, each with its values by key. A copy holds values and no history. */
import type { StateEntry, StateScope, WorkspaceKernel } from '@warren/kernel';
import { isFault, type JsonValue } from '@warren/protocol';

const PAGE = 100;
const ATTEMPTS_MAX = 100;

/** `agent` null: what all share. */
export type BackupRecord =
  | { readonly kind: 'scope'; readonly agent: string | null }
  | ({
      readonly kind: 'value';
      readonly expiresAt: number | null;
      readonly access: StateEntry['access'] | null;
      readonly labels?: readonly string[];
    } & Pick<StateEntry, 'key' | 'value' | 'owner'>);

export async function* recordsOf(mine: WorkspaceKernel, agents: readonly (string | null)[]): AsyncGenerator<BackupRecord & JsonValue> {
  for (const agent of agents) {
    yield { kind: 'scope', agent };
    for await (const { key, value, owner, access, expiresAt, labels } of entriesOf(mine, scopeOf(agent)))
      yield {
        ...{ kind: 'value', key, value, owner, access: access === undefined ? null : { ...access }, expiresAt: expiresAt ?? null },
        ...(labels !== undefined && { labels: [...labels] }),
      };
  }
}

export type Restored = { readonly agents: readonly string[]; readonly isSharedRestored: boolean };

/** Sets what the backup has and deletes what it has not, in the scopes it has; with `only`, of this agent alone. */
export async function restoreRecords(
  mine: WorkspaceKernel,
  records: AsyncIterable<BackupRecord>,
  { only, now }: { readonly only: string | undefined; readonly now: number },
): Promise<Restored> {
  const agents: string[] = [];
  let isSharedRestored = false;
  let scope: StateScope | undefined;
  let keys = new Set<string>();
  for await (const record of records) {
    if (record.kind === 'scope') {
      await deleteOthers(mine, scope, keys);
      const isMeant = only === undefined || record.agent === only;
      scope = isMeant ? scopeOf(record.agent) : undefined;
      keys = new Set();
      if (isMeant && record.agent === null) isSharedRestored = true;
      else if (isMeant && record.agent !== null) agents.push(record.agent);
    } else if (scope !== undefined && (record.expiresAt === null || record.expiresAt > now)) {
      keys.add(record.key);
      await put(mine, scope, record, now);
    }
  }
  await deleteOthers(mine, scope, keys);
  return { agents, isSharedRestored };
}

async function put(
  { state }: WorkspaceKernel,
  scope: StateScope,
  { key, value, owner, access, expiresAt, labels }: Extract<BackupRecord, { readonly kind: 'value' }>,
  now: number,
): Promise<void> {
  const ttl = { labels, ...(expiresAt === null ? {} : { ttlMs: expiresAt - now }) };
  if (scope.kind !== 'shared') {
    await state.set(scope, key, value, ttl);
    return;
  }
  const rights = access ?? { read: ['*'], write: ['*'] };
  await untilSettled(async () => {
    const current = await state.get(scope, key);
    // What is there keeps its owner; what is made anew gets the one it had.
    const by = current !== undefined || owner === '' ? {} : { by: owner };
    await state.set(scope, key, value, { ...ttl, ...by, access: rights, expectedVersion: current?.version ?? 0 });
  });
}

async function deleteOthers(mine: WorkspaceKernel, scope: StateScope | undefined, keys: ReadonlySet<string>): Promise<void> {
  if (scope === undefined) return;
  for await (const { key } of entriesOf(mine, scope)) {
    if (keys.has(key)) continue;
    await untilSettled(async () => {
      const current = await mine.state.get(scope, key);
      if (current !== undefined) await mine.state.delete(scope, key, { expectedVersion: current.version });
    });
  }
}

/** Others change shared values meanwhile. */
async function untilSettled(change: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (error) {
      if (!isFault(error, 'conflict') || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

async function* entriesOf({ state }: WorkspaceKernel, scope: StateScope): AsyncGenerator<StateEntry> {
  for (let after: string | undefined; ; ) {
    const { entries, next } = await state.list(scope, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* entries;
    if (next === undefined) return;
    after = next;
  }
}

function scopeOf(agent: string | null): StateScope {
  return agent === null ? { kind: 'shared' } : { kind: 'agent', agent };
}
