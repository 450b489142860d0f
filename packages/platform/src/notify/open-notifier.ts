/**
 * Tells people. Each target follows the event log of each workspace from where it was, and remembers on disk how far it came: what happened while Warren was
 * down, or while the target was, is delivered later, in order. A notice that cannot be delivered is tried again, less and less often, for a day; one that is
 * refused, a few times. Then it is passed over, and said: those behind it wait no longer.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kernel, Redact, WorkspaceKernel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { type Notice, noticeOf } from './notice.ts';
import { NoticeRefused, type Target } from './target.ts';

const BACKOFF_MS = [1_000, 5_000, 30_000, 120_000, 600_000] as const;
const GIVE_UP_MS = 86_400_000;
const REFUSALS_MAX = 5;

export type NotifierParts = {
  readonly kernel: Pick<Kernel, 'workspace' | 'workspaces' | 'store'>;
  /** Where cursors stand. */
  readonly directory: string;
  readonly targets: readonly Target[];
  readonly now: () => number;
  /** Resolves after so long, or rejects when the signal fires. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly say: (message: string) => void;
  /** Takes the values of a workspace out of what it tells, once they are known as far as they can be. */
  readonly redactorOf: (workspace: WorkspaceId) => Promise<Redact>;
};

export type TargetStatus = {
  readonly name: string;
  readonly delivered: number;
  readonly passedOver: number;
  readonly failure: string | undefined;
};

export interface Notifier extends AsyncDisposable {
  status(): readonly TargetStatus[];
}

export async function openNotifier(parts: NotifierParts): Promise<Notifier> {
  await mkdir(parts.directory, { recursive: true, mode: 0o700 });
  const notifier = new FollowingNotifier(parts);
  await notifier.begin();
  return notifier;
}

class FollowingNotifier implements Notifier {
  readonly #parts: NotifierParts;
  readonly #closing = new AbortController();
  readonly #couriers: readonly Courier[];
  readonly #running: Promise<void>[] = [];
  readonly #known = new Set<WorkspaceId>();
  #listening: Disposable | undefined;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#couriers = parts.targets.map((target) => new Courier(parts, target));
  }

  async begin(): Promise<void> {
    if (this.#couriers.length === 0) return;
    const { kernel } = this.#parts;
    const known = (await kernel.workspaces.list()).map(({ id }) => kernel.workspace(id));
    for (const mine of known) for (const courier of this.#couriers) await courier.begin(mine);
    for (const { id } of known) this.#follow(id);
    this.#listening = kernel.store.onCommit((id) => this.#follow(id)); // A workspace that is made later makes itself heard.
  }

  #follow(id: WorkspaceId): void {
    if (this.#known.has(id) || this.#closing.signal.aborted) return;
    this.#known.add(id);
    for (const courier of this.#couriers) this.#running.push(courier.run(this.#parts.kernel.workspace(id), this.#closing.signal));
  }

  status(): readonly TargetStatus[] {
    return this.#couriers.map((courier) => courier.status());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening?.[Symbol.dispose]();
    this.#closing.abort();
    await Promise.all(this.#running);
  }
}

/** One target. */
class Courier {
  readonly #parts: NotifierParts;
  readonly #target: Target;
  #delivered = 0;
  #passedOver = 0;
  #failure: string | undefined;

  constructor(parts: NotifierParts, target: Target) {
    this.#parts = parts;
    this.#target = target;
  }

  status(): TargetStatus {
    return { name: this.#target.name, delivered: this.#delivered, passedOver: this.#passedOver, failure: this.#failure };
  }

  /** Ends with the signal. */
  async run(mine: WorkspaceKernel, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#followOnce(mine, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error);
        await this.#parts.pause(BACKOFF_MS[1], signal).catch(() => {}); // The signal fired, and the loop ends.
      }
    }
  }

  async #followOnce(mine: WorkspaceKernel, signal: AbortSignal): Promise<void> {
    const cursor = this.#cursor(mine);
    for await (const event of mine.events.subscribe({ after: (await cursor.read()) ?? 0, gaps: 'skip' }, signal)) {
      const notice = await noticeOf(mine, event, () => this.#parts.redactorOf(mine.id));
      if (notice === undefined || !this.#target.kinds.includes(notice.kind)) continue;
      await this.#deliver(notice, signal);
      await cursor.write(event.id);
    }
  }

  async #deliver(notice: Notice, signal: AbortSignal): Promise<void> {
    const { now, pause, say } = this.#parts;
    const givesUpAt = now() + GIVE_UP_MS;
    let refusals = 0;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#target.deliver(notice, signal);
        this.#delivered++;
        this.#failure = undefined;
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        this.#fail(error);
        if (error instanceof NoticeRefused) refusals++;
        if (refusals >= REFUSALS_MAX || now() > givesUpAt) {
          this.#passedOver++;
          const why = refusals >= REFUSALS_MAX ? `which refused it ${refusals} times` : 'which could not be reached within a day';
          say(`Notice ${notice.id} was not delivered to ${this.#target.name}, ${why}: ${this.#failure}`);
          return;
        }
        await pause(BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? GIVE_UP_MS, signal);
      }
    }
  }

  #fail(error: unknown): void {
    const failure = error instanceof Error ? error.message : String(error);
    if (failure !== this.#failure) this.#parts.say(`Cannot deliver to ${this.#target.name}: ${failure}`);
    this.#failure = failure;
  }

  /** A target that is new begins with what happens from now on; in a workspace that is made later, with its beginning. */
  async begin(mine: WorkspaceKernel): Promise<void> {
    const cursor = this.#cursor(mine);
    const { nextId } = await mine.events.extent();
    const kept = await cursor.read();
    if (kept === undefined || kept >= nextId) await cursor.write(nextId - 1);
  }

  #cursor({ id }: WorkspaceKernel): Cursor {
    const file = join(this.#parts.directory, `${this.#target.name}.${id}`);
    return {
      async read() {
        const content = await readFile(file, 'utf8').catch(() => ''); // It is not there, or not to be read: then it is made anew.
        const kept = /^(\d{1,15})\n$/.exec(content)?.[1];
        return kept === undefined ? undefined : Number(kept);
      },
      async write(eventId) {
        await writeFile(`${file}.new`, `${eventId}\n`, { mode: 0o600 });
        await rename(`${file}.new`, file);
      },
    };
  }
}

/** How far a target came in a workspace: the id of an event. */
type Cursor = { readonly read: () => Promise<number | undefined>; readonly write: (eventId: number) => Promise<void> };
