/**
 * Who wants to hear of changes of shared values, and of which. Each process that watches has a channel of its own, on which nobody else listens: it hears only of
 * keys that it may read. The news is sent after the change and not with it: a crash in between loses it, as it loses nothing that can be read.
 */
import { createHash } from 'node:crypto';
import { ownChannel, type WorkspaceKernel } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext } from '../../capability/handler.ts';
import { MESSAGE_KIND, openBox } from '../comms/create-comms-handlers.ts';

const SCOPE = { kind: 'own', name: 'watches' } as const;
const SHARED = { kind: 'shared' } as const;
const PAGE = 1_000;
const WATCHES_MAX = 100;

type Watch = { readonly pid: number; readonly agent: string; readonly prefix: string };
type Change = { readonly key: string; readonly version: number; readonly change: 'set' | 'deleted' };

export async function watchShared(
  { mine, actor }: HandlerContext,
  prefix: string,
): Promise<{ readonly id: string; readonly channel: string }> {
  const { pid, agent } = actor;
  const channel = ownChannel('shared', pid);
  const { entries } = await mine.state.list(SCOPE, { prefix: `${pid}.`, limit: WATCHES_MAX });
  const id = `${pid}.${createHash('sha256').update(prefix).digest('hex').slice(0, 32)}`;
  try {
    if (entries.length >= WATCHES_MAX && !entries.some(({ key }) => key === id)) throw tooMany();
    await openBox(mine, pid);
    await mine.mail.subscribe(pid, channel);
    await mine.state.set(SCOPE, id, { pid, agent, prefix } satisfies Watch);
  } catch (error) {
    throw isFault(error, 'quota_exceeded') ? tooMany(error) : error;
  }
  return { id, channel };
}

/** Those who watch the key and may read it now: asked before a deletion, after anything else. */
export async function watchersOf({ state }: WorkspaceKernel, key: string): Promise<readonly Watch[]> {
  const watchers = new Map<number, Watch>();
  for (let after: string | undefined; ; ) {
    const { entries, next } = await state.list(SCOPE, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { value } of entries) {
      const watch = value as Watch; // `watchShared` wrote it.
      if (key.startsWith(watch.prefix)) watchers.set(watch.pid, watch);
    }
    if (next === undefined) break;
    after = next;
  }
  const found: Watch[] = [];
  for (const watch of watchers.values()) if ((await state.get(SHARED, key, { by: watch.agent })) !== undefined) found.push(watch);
  return found;
}

/** The change has happened, whether they can be told or not. */
export async function tellWatchers({ mine, actor }: HandlerContext, watchers: readonly Watch[], change: Change): Promise<void> {
  const payload: JsonObject = { message: JSON.stringify({ ...change, by: actor.agent }), from: actor.agent };
  for (const { pid } of watchers) {
    const told = await mine.mail.publish(undefined, ownChannel('shared', pid), { kind: MESSAGE_KIND, payload }).catch(() => undefined); // As above.
    if (told?.delivered === 0 && told.rejected === 0) await forget(mine, pid).catch(() => {}); // The next change finds it again.
  }
}

/** It ended, or does not listen any more. */
async function forget({ state }: WorkspaceKernel, pid: number): Promise<void> {
  const { entries } = await state.list(SCOPE, { prefix: `${pid}.`, limit: WATCHES_MAX });
  for (const { key } of entries) await state.delete(SCOPE, key);
}

function tooMany(cause?: unknown): CapabilityError {
  return new CapabilityError('SubscriptionFailed', 'Cannot watch more shared values: this process watches as much as it may', { cause });
}
