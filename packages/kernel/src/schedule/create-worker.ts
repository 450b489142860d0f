/**
 * A worker in this process: claims what fits into its free slots, keeps the leases of what runs, hands on signals, and says how each run ended.
 * Nothing rests on it being alive: if it dies, its leases run out and others have the work.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { FAULTS, Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { checkPayload } from '../internal/payload.ts';
import type { Store } from '../store/store.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import { EXIT_KINDS, type ExitKind } from '../store/tables/process-table.ts';
import { checkInteger, checkLease } from './check-request.ts';
import type { Queue, ScheduledClaim, Scheduler } from './queue.ts';

const CONCURRENCY_DEFAULT = 4;
const CONCURRENCY_MAX = 1_000;
/** How long one claim waits for work; then it is asked again. */
const WAIT_MS = 600_000;
/** After the store failed. */
const PAUSE_MS = 1_000;
/** How often the end of a run is told to a store that is busy, before the lease is left to run out. */
const TELLING_MAX = 10;
const DRAIN_MS_DEFAULT = 30_000;
const GRACE_MS_DEFAULT = 10_000;

export type RunResult = {
  readonly exitKind: ExitKind;
  readonly detail?: JsonObject | undefined;
  /** Whether the process ends with this; otherwise it waits for more. */
  readonly endsProcess?: boolean | undefined;
};

export type WorkerParts = {
  /** Its name in entries and events. */
  readonly worker: string;
  readonly scheduler: Pick<Scheduler, 'claim'>;
  readonly queueOf: (workspace: WorkspaceId) => Queue;
  readonly onCommit: Store['onCommit'];
  /**
   * Does the work. What it throws is a failed attempt. `signal` fires when it shall end: because of a signal to the process or its end, a lost
   * lease, or the end of the worker; the reason is a fault `aborted` that says which (`details.why`). To throw then is to be cancelled, or to
   * be given back when the worker ends.
   */
  readonly run: (claim: ScheduledClaim, signal: AbortSignal) => Promise<RunResult>;
  /** Whether it works off runs of agents, or everything else (the default). */
  readonly areRuns?: boolean | undefined;
  /** Runs at once. Default 4. */
  readonly concurrency?: number | undefined;
  readonly leaseMs?: number | undefined;
  /** Hears of trouble with the store; the worker goes on. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

/** Disposing it is stopping it without waiting for runs. */
export interface Worker extends AsyncDisposable {
  /** Runs that are under way. */
  readonly running: number;
  /**
   * Claims no more. With `drain` (the default) what runs may finish, for `drainMs`. What still runs then is told to end; after `graceMs` it
   * is given back to the queue, whatever it does. Returns how many were told.
   */
  stop(options?: { readonly drain?: boolean; readonly drainMs?: number; readonly graceMs?: number }): Promise<number>;
}

/** Claims from now on until it is stopped. Throws `queue_entry_invalid` for what is out of bounds. */
export function createWorker(parts: WorkerParts): Worker {
  const concurrency = checkInteger(parts.concurrency ?? CONCURRENCY_DEFAULT, 'concurrency', 1, CONCURRENCY_MAX);
  return new LoopWorker(parts, concurrency, checkLease(parts.leaseMs));
}

class LoopWorker implements Worker {
  readonly #parts: WorkerParts;
  readonly #concurrency: number;
  readonly #leaseMs: number;
  readonly #runs = new Set<Run>();
  readonly #stopping = new AbortController();
  readonly #listening: Disposable;
  readonly #loop: Promise<void>;
  #onSlot = (): void => {};
  #stopped: Promise<number> | undefined;

  constructor(parts: WorkerParts, concurrency: number, leaseMs: number) {
    this.#parts = parts;
    this.#concurrency = concurrency;
    this.#leaseMs = leaseMs;
    this.#listening = parts.onCommit((workspace, events) => this.#hear(workspace, events));
    this.#loop = this.#claimAll();
  }

  get running(): number {
    return this.#runs.size;
  }

  async #claimAll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const limit = this.#concurrency - this.#runs.size;
      if (limit === 0) await this.#slot();
      else for (const claim of await this.#claim(limit)) this.#start(claim);
    }
  }

  /** Resolves when a run ends, or when the worker stops. */
  async #slot(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onSlot = resolve;
    });
  }

  async #claim(limit: number): Promise<readonly ScheduledClaim[]> {
    const { worker, scheduler, areRuns, onError } = this.#parts;
    try {
      return await scheduler.claim({ worker, limit, areRuns, leaseMs: this.#leaseMs, waitMs: WAIT_MS }, this.#stopping.signal);
    } catch (error) {
      onError?.(error);
      await pause(PAUSE_MS, undefined, { signal: this.#stopping.signal }).catch(() => {}); // Stopped: the loop sees it.
      return [];
    }
  }

  #start(claim: ScheduledClaim): void {
    const run = new Run(claim, this.#parts.queueOf(claim.workspace), this.#leaseMs, this.#parts);
    this.#runs.add(run);
    void run.ended.then(() => {
      this.#runs.delete(run);
      this.#onSlot();
    });
  }

  /** What concerns a run is looked at now instead of at the next heartbeat. */
  #hear(workspace: WorkspaceId, events: readonly EventRecord[]): void {
    if (this.#runs.size === 0) return;
    for (const { pid, kind } of events) {
      if (!ALARMING.has(kind)) continue;
      for (const run of this.#runs) if (run.claim.workspace === workspace && run.claim.entry.pid === pid) void run.beat();
    }
  }

  async stop({ drain = true, drainMs = DRAIN_MS_DEFAULT, graceMs = GRACE_MS_DEFAULT } = {}): Promise<number> {
    this.#stopped ??= this.#stop(drain ? drainMs : 0, graceMs);
    return await this.#stopped;
  }

  async #stop(drainMs: number, graceMs: number): Promise<number> {
    this.#stopping.abort();
    this.#onSlot();
    await this.#loop;
    if (drainMs > 0) await this.#allEnded(drainMs);
    const told = [...this.#runs];
    for (const run of told) run.abort('stopped');
    await this.#allEnded(graceMs);
    await Promise.all([...this.#runs].map((run) => run.abandon()));
    this.#listening[Symbol.dispose]();
    return told.length;
  }

  async #allEnded(withinMs: number): Promise<void> {
    const enough = new AbortController();
    const all = Promise.all([...this.#runs].map(({ ended }) => ended)).then(() => enough.abort());
    await Promise.race([all, pause(withinMs, undefined, { signal: enough.signal }).catch(() => {})]); // All have ended.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ drain: false });
  }
}

const ALARMING = new Set(['kernel.process.signalled', 'kernel.process.terminated', 'kernel.queue.lease_expired']);

type Why = 'terminate' | 'interrupt' | 'lease_lost' | 'stopped';

/** One claim being worked on. */
class Run {
  readonly claim: ScheduledClaim;
  /** Resolves when its end has been told. Never rejects. */
  readonly ended: Promise<void>;
  readonly #queue: Queue;
  readonly #parts: WorkerParts;
  readonly #aborting = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #why: Why | undefined;
  /** Somebody has told how it ended; whatever comes later is not heard. */
  #isOver = false;

  constructor(claim: ScheduledClaim, queue: Queue, leaseMs: number, parts: WorkerParts) {
    this.claim = claim;
    this.#queue = queue;
    this.#parts = parts;
    this.#timer = setInterval(() => void this.beat(), leaseMs / 3);
    this.ended = this.#work();
  }

  /** Keeps the lease, and hears what is asked of the process. */
  async beat(): Promise<void> {
    const { entry, fence } = this.claim;
    try {
      const { pendingSignal } = await this.#queue.heartbeat(entry.id, fence);
      if (pendingSignal !== undefined) this.abort(pendingSignal);
    } catch (error) {
      if (isFault(error, 'lease_lost') || isFault(error, 'queue_entry_not_found')) this.abort('lease_lost');
      else this.#parts.onError?.(error);
    }
  }

  abort(why: Why): void {
    if (this.#isOver || this.#why !== undefined) return; // The first reason counts.
    this.#why = why;
    this.#aborting.abort(new Fault('aborted', `Cannot go on with queue entry ${this.claim.entry.id}: ${WORDS[why]}`, { details: { why } }));
  }

  /** Gives the claim back although the work may go on. */
  async abandon(): Promise<void> {
    await this.#tell((id, fence) => this.#queue.release(id, fence));
  }

  async #work(): Promise<void> {
    try {
      const result = await this.#parts.run(this.claim, this.#aborting.signal);
      await this.#complete(checkResult(result));
    } catch (error) {
      await this.#endFailed(error);
    }
  }

  async #complete({ exitKind, detail, endsProcess }: RunResult): Promise<void> {
    await this.#tell((id, fence) => this.#queue.complete(id, exitKind, { fence, detail, endsProcess }));
  }

  async #endFailed(error: unknown): Promise<void> {
    switch (this.#why) {
      case 'terminate':
      case 'interrupt':
        return await this.#complete({ exitKind: 'cancelled', detail: { signal: this.#why } });
      case 'stopped':
        return await this.abandon();
      case 'lease_lost':
      case undefined:
        return await this.#tell((id, fence) => this.#queue.fail(id, fence, error instanceof Error ? error.message : String(error)));
      default:
        this.#why satisfies never;
    }
  }

  /** Says once how it ended. A store that is busy is told again; where all fails, the lease runs out. */
  async #tell(say: (id: number, fence: number) => Promise<unknown>): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    const { entry, fence } = this.claim;
    for (let attempt = 1; ; attempt++) {
      try {
        await say(entry.id, fence);
        return;
      } catch (error) {
        if (isFault(error, 'lease_lost')) return; // Somebody else has it.
        if (!isFault(error) || !FAULTS[error.code].retry || attempt === TELLING_MAX) return this.#parts.onError?.(error);
      }
      await pause(PAUSE_MS);
    }
  }
}

const WORDS: Readonly<Record<Why, string>> = {
  terminate: 'its process shall end',
  interrupt: 'its process is interrupted',
  lease_lost: 'its lease is lost',
  stopped: 'the worker stops',
};

/** What a program hands in that is not typed is a failed attempt, not a run without an end. */
function checkResult(result: RunResult): RunResult {
  if (result?.detail !== undefined) checkPayload(result.detail, 'detail', 'queue_entry_invalid');
  if (EXIT_KINDS.includes(result?.exitKind)) return result;
  throw new Error(`The run ended without one of the kinds ${EXIT_KINDS.join(', ')}`);
}
