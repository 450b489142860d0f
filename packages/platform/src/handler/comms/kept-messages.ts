/**
 * Messages for agents that have no process now. They are state of Warren's own, so they survive whatever the state does; who reads for the agent first gets
 * them into its box. Each is claimed for one process before it is put there and carries a key: neither two readers nor a crash in between deliver it twice.
 */
import type { Letter, StateEntry, StateScope, WorkspaceKernel } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import { CapabilityError } from '../../capability/handler.ts';

const KEPT_MAX = 1_000;
const KEEP_MS = 30 * 86_400_000;
const PAGE = 100;

type Kept = {
  readonly kind: string;
  readonly payload: JsonObject;
  readonly priority: number;
  readonly claimedBy?: number;
};

/** Throws `MailboxFull` and `CommsError`. */
export async function keepFor(mine: WorkspaceKernel, agent: string, id: string, letter: Letter): Promise<void> {
  const scope = scopeOf(agent);
  const { keys } = await mine.state.quota(scope);
  if (keys >= KEPT_MAX)
    throw new CapabilityError('MailboxFull', `Cannot send to ${agent}: ${keys} messages wait for it, the limit is ${KEPT_MAX}`);
  const kept: Kept = { kind: letter.kind, payload: letter.payload ?? {}, priority: letter.priority ?? 0 };
  await mine.state.set(scope, id, kept, { ttlMs: KEEP_MS }).catch((error: unknown) => {
    if (isFault(error, 'quota_exceeded'))
      throw new CapabilityError('MailboxFull', `Cannot send to ${agent}: too much waits for it`, { cause: error });
    if (isFault(error, 'too_large')) throw new CapabilityError('CommsError', error.message, { cause: error });
    throw error;
  });
}

export async function countKept({ state }: Pick<WorkspaceKernel, 'state'>, agent: string): Promise<number> {
  return agent === '' ? 0 : (await state.quota(scopeOf(agent))).keys;
}

/** Puts what was kept into the box of this process, in the order in which it was sent, as far as there is room. */
export async function takeKept(mine: WorkspaceKernel, agent: string, pid: number): Promise<void> {
  const scope = scopeOf(agent);
  for (let after: string | undefined; ; ) {
    const { entries, next } = await mine.state.list(scope, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const entry of entries) {
      if (!(await claim(mine, scope, entry, pid))) continue;
      const { kind, payload, priority } = entry.value as Kept; // `keepFor` wrote it.
      try {
        await mine.mail.send(undefined, pid, { kind, payload, priority, dedupeKey: entry.key, labels: entry.labels });
      } catch (error) {
        if (isFault(error, 'mailbox_full')) return; // The rest comes when there is room.
        throw error;
      }
      await mine.state.delete(scope, entry.key);
    }
    if (next === undefined) return;
    after = next;
  }
}

/** Whether it is this process that gets it. What a process claimed that is DEAD, another may have. */
async function claim({ state, processes }: WorkspaceKernel, scope: StateScope, entry: StateEntry, pid: number): Promise<boolean> {
  const { claimedBy, ...kept } = entry.value as Kept; // As above.
  if (claimedBy === pid) return true;
  if (claimedBy !== undefined && (await processes.find(claimedBy))?.state !== 'DEAD') return false;
  try {
    await state.set(
      scope,
      entry.key,
      { ...kept, claimedBy: pid },
      { ttlMs: KEEP_MS, expectedVersion: entry.version, labels: entry.labels },
    );
    return true;
  } catch (error) {
    if (isFault(error, 'conflict')) return false; // Somebody else was first.
    throw error;
  }
}

function scopeOf(agent: string): StateScope {
  return { kind: 'own', name: `mail/${agent}` };
}
