/**
 * Watches: what changes below a path is told to the process as mail, on a channel of the watch on which nobody else listens or speaks. They look every so often, from inside the sandbox, and compare; so they see what is there after a change and
 * not each step of it, need nothing installed, and see through every mount. A watch ends when it is asked to, with its process, with its right to read, after an hour, or with the daemon.
 */
import { ownChannel, type WorkspaceKernel } from '@warren/kernel';
import { isFault } from '@warren/protocol';
import type { AgentSandboxes } from '../../agent/agent-sandboxes.ts';
import { CapabilityError, type HandlerContext } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { listTree, type TreeEntry } from '../internal/file-tree.ts';

export const WATCH_LIMITS = {
  perProcessMax: 8,
  max: 1_024,
  entriesMax: 20_000,
  /** Changes told of one look; more are summed up in one message. */
  messagesMax: 200,
  betweenMs: 1_000,
  lifetimeMs: 3_600_000,
  /** Looks in a row that may fail before a watch ends. */
  failuresMax: 3,
} as const;
export type WatchLimits = { readonly [Key in keyof typeof WATCH_LIMITS]: number };

export type WatchEvent = 'create' | 'modify' | 'delete' | 'rename';
export type WatchRequest = {
  readonly path: string;
  readonly isRecursive: boolean;
  readonly events: ReadonlySet<WatchEvent>;
  readonly matches: (path: string) => boolean;
};
type Change = { readonly event: WatchEvent; readonly path: string; readonly from?: string | undefined };
type Watch = {
  readonly id: string;
  readonly pid: number;
  readonly workspace: string;
  readonly end: AbortController;
  readonly done: Promise<void>;
};
type WatchParts = { readonly sandboxes: AgentSandboxes; readonly now: () => number; readonly limits?: Partial<WatchLimits> | undefined };

export class Watches implements AsyncDisposable {
  readonly #parts: WatchParts;
  readonly #limits: WatchLimits;
  readonly #watches = new Map<string, Watch>();
  #next: number;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#limits = { ...WATCH_LIMITS, ...parts.limits };
    this.#next = parts.now();
  }

  get active(): number {
    return this.#watches.size;
  }

  /** Begins with a look, so that nothing after the answer is missed. Throws `TooManyWatches`, `FileTooLarge` and what looking throws. */
  async start(context: HandlerContext, request: WatchRequest): Promise<{ readonly id: string; readonly channel: string }> {
    const { pid, workspace } = context.actor;
    const mine = [...this.#watches.values()].filter((watch) => watch.pid === pid && watch.workspace === workspace);
    if (mine.length >= this.#limits.perProcessMax || this.#watches.size >= this.#limits.max) {
      throw new CapabilityError(
        'TooManyWatches',
        `Cannot watch more: ${mine.length} watches are open, the limit is ${this.#limits.perProcessMax}`,
      );
    }
    const first = await this.#look(await AgentFiles.open(context), request);
    const id = `watch_${this.#next++}`;
    const channel = ownChannel('watch', pid, id);
    await subscribe(context.mine, pid, channel);
    const end = new AbortController();
    const watch = { id, pid, workspace, end };
    const done = this.#follow(watch, channel, context.mine, request, first).finally(() => {
      this.#watches.delete(id);
      return context.mine.mail.unsubscribe(pid, channel).catch(() => {}); // The box went with its process.
    });
    done.catch(() => {}); // What ends it is told by mail.
    this.#watches.set(id, { ...watch, done });
    return { id, channel };
  }

  /** Whether there was one. Only of the same process. */
  async end(workspace: string, pid: number, id: string): Promise<boolean> {
    const watch = this.#watches.get(id);
    if (watch === undefined || watch.pid !== pid || watch.workspace !== workspace) return false;
    watch.end.abort();
    await watch.done.catch(() => {}); // It is over, however.
    return true;
  }

  /** Those of a workspace that is being deleted; the gate lets no other begin. */
  async stop(workspace: string): Promise<Disposable> {
    const mine = [...this.#watches.values()].filter((watch) => watch.workspace === workspace);
    for (const { end } of mine) end.abort();
    await Promise.allSettled(mine.map(({ done }) => done));
    return { [Symbol.dispose]() {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#watches.values()];
    for (const { end } of all) end.abort();
    await Promise.allSettled(all.map(({ done }) => done));
  }

  async #follow(watch: Omit<Watch, 'done'>, channel: string, mine: WorkspaceKernel, request: WatchRequest, first: Picture): Promise<void> {
    const endsAt = this.#parts.now() + this.#limits.lifetimeMs;
    const { signal } = watch.end;
    let before = first;
    let failures = 0;
    let reason = 'its time is over';
    while (this.#parts.now() < endsAt) {
      await pause(this.#limits.betweenMs, signal);
      if (signal.aborted) return;
      try {
        const after = await this.#lookAgain(watch, mine, request);
        await this.#tell(watch, channel, mine, request, changesBetween(before, after));
        before = after;
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isFault(error, 'unknown_pid') || isFault(error, 'conflict')) return;
        reason = error instanceof CapabilityError ? error.message : 'the files cannot be looked at';
        const isFinal = error instanceof CapabilityError || isFault(error, 'permission_denied');
        if (isFinal || ++failures >= this.#limits.failuresMax) break;
      }
    }
    const payload = { watch_id: watch.id, event: 'end', path: request.path, reason };
    await mine.mail.publish(undefined, channel, { kind: 'filesystem.watch', payload }).catch(() => {}); // Nobody is left to be told.
  }

  async #lookAgain({ pid, end }: Omit<Watch, 'done'>, mine: WorkspaceKernel, request: WatchRequest): Promise<Picture> {
    await using held = await this.#parts.sandboxes.open(mine.id, pid, end.signal);
    const files = await AgentFiles.of(mine, pid, held.sandbox, end.signal);
    await files.locate(request.path, 'r'); // It may have become a link, and grants may have gone.
    return await this.#look(files, request);
  }

  async #look(files: AgentFiles, { path, isRecursive }: WatchRequest): Promise<Picture> {
    const entry = await files.find(path);
    if (entry === undefined) return new Map();
    if (entry.kind !== 'directory')
      return new Map([['', { path: '', kind: 'file', size: entry.size, modifiedMs: entry.mtimeMs, inode: '' }]]);
    const { entries, isWhole } = await listTree(files, path, {
      includeHidden: true,
      includeIgnored: true,
      depthMax: isRecursive ? undefined : 1,
    });
    if (!isWhole || entries.length > this.#limits.entriesMax) {
      throw new CapabilityError('FileTooLarge', `Cannot watch so many files: the limit is ${this.#limits.entriesMax}`, {
        context: { path },
      });
    }
    return new Map(entries.map((found) => [found.path, found]));
  }

  async #tell(
    watch: Omit<Watch, 'done'>,
    channel: string,
    mine: WorkspaceKernel,
    request: WatchRequest,
    changes: readonly Change[],
  ): Promise<void> {
    const wanted = changes.filter(({ event, path }) => request.events.has(event) && request.matches(path));
    const absolute = (path: string): string => (path === '' ? request.path : `${request.path}/${path}`);
    const at = new Date(this.#parts.now()).toISOString();
    for (const { event, path, from } of wanted.slice(0, this.#limits.messagesMax)) {
      const payload = { watch_id: watch.id, event, path: absolute(path), at, ...(from === undefined ? {} : { from: absolute(from) }) };
      await mine.mail.publish(undefined, channel, { kind: 'filesystem.watch', payload });
    }
    const rest = wanted.length - this.#limits.messagesMax;
    if (rest <= 0) return;
    await mine.mail.publish(undefined, channel, {
      kind: 'filesystem.watch',
      payload: { watch_id: watch.id, event: 'overflow', path: request.path, at, count: rest },
    });
  }
}

type Picture = ReadonlyMap<string, TreeEntry>;

/** A file of the same number under another name was renamed. */
function changesBetween(before: Picture, after: Picture): readonly Change[] {
  const gone = new Map([...before].filter(([path]) => !after.has(path)).map(([path, { inode }]) => [inode, path]));
  const changes: Change[] = [];
  for (const [path, entry] of after) {
    const old = before.get(path);
    const from = old === undefined ? gone.get(entry.inode) : undefined;
    if (from !== undefined) {
      gone.delete(entry.inode);
      changes.push({ event: 'rename', path, from });
    } else if (old === undefined) changes.push({ event: 'create', path });
    else if (entry.kind !== 'directory' && (old.size !== entry.size || old.modifiedMs !== entry.modifiedMs || old.inode !== entry.inode))
      changes.push({ event: 'modify', path });
  }
  for (const path of gone.values()) changes.push({ event: 'delete', path });
  return changes;
}

async function subscribe(mine: WorkspaceKernel, pid: number, channel: string): Promise<void> {
  await mine.mail.createBox(pid).catch((error: unknown) => {
    if (!isFault(error, 'mailbox_exists')) throw error;
  });
  await mine.mail.subscribe(pid, channel);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  timer.unref();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
