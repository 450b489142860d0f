/**
 * Claims over all workspaces. Everything that matters is in the store; what is kept here (where there may be work, who waits, whose turn it is,
 * when something is due) follows from committed events, and a start begins by looking everywhere.
 */
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';
import type { Store } from '../store/store.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import { type CheckedClaim, checkClaim, checkInteger } from './check-request.ts';
import { type ClaimParts, claimEntries } from './claim-entries.ts';
import { DueTimer } from './due-timer.ts';
import { releaseEntry } from './end-attempt.ts';
import { requireHeld } from './entry.ts';
import { FairShare } from './fair-share.ts';
import type { ScheduledClaim, ScheduledClaimOptions, Scheduler } from './queue.ts';
import { nextSweepAt, sweepQueue } from './sweep-queue.ts';
import type { WaitingLine } from './waiting-line.ts';
import { WaitingLines } from './waiting-lines.ts';

const WAIT_MS_MAX = 3_600_000;
/** Claims that may wait. */
const WAITING_MAX = 10_000;
/** What is done of what is due in one transaction. */
const SWEEP_STEP = 500;

export type SchedulerParts = ClaimParts & {
  readonly store: Store;
  readonly clock: Clock;
  readonly settingsOf: (id: WorkspaceId) => Promise<{ readonly weight: number; readonly runningMax: number }>;
};

/** The scheduler, to be closed before the store is. */
export type OwnedScheduler = Scheduler & {
  /** Looks for work and for what is due in these workspaces. Called once, with all there are; later ones make themselves heard. */
  begin(ids: readonly WorkspaceId[]): Promise<void>;
  /** The workspace is gone. */
  forget(id: WorkspaceId): void;
  /** Ends every wait with nothing. */
  close(): void;
};

export function createScheduler(parts: SchedulerParts): OwnedScheduler {
  return new FairScheduler(parts);
}

class FairScheduler implements OwnedScheduler {
  readonly #parts: SchedulerParts;
  readonly #shares = new FairShare();
  readonly #timer: DueTimer;
  readonly #lines = new WaitingLines();
  readonly #listening: Disposable;
  #isClosed = false;
  /** Claims under way that may wait. */
  #patient = 0;
  /** Where the next due time may have changed. */
  readonly #changed = new Set<WorkspaceId>();
  /** A look ahead is about to begin. */
  #willLook = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#timer = new DueTimer(parts.clock, () => this.tick());
    this.#listening = parts.store.onCommit((id, events) => this.#hear(id, events));
  }

  async begin(ids: readonly WorkspaceId[]): Promise<void> {
    for (const id of ids) {
      this.#changed.add(id);
      this.#lines.makeReady(id, 1);
    }
    await this.#lookAhead();
  }

  async claim(
    { waitMs = 0, workspace, ...options }: ScheduledClaimOptions,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<readonly ScheduledClaim[]> {
    checkInteger(waitMs, 'wait_ms', 0, WAIT_MS_MAX);
    const request = checkClaim(options);
    if (this.#isClosed) throw new Fault('aborted', 'Cannot claim: the scheduler is closed');
    if (waitMs > 0 && this.#patient >= WAITING_MAX) {
      throw new Fault('busy', `Cannot wait for work: ${this.#patient} claims wait, the limit is ${WAITING_MAX}`);
    }
    const { startsProcess, isAdmissionChecked, areRuns } = request;
    using place = this.#lines.enter({ isSharing: !startsProcess, isAdmissionChecked, areRuns }, workspace);
    const patience = waitMs > 0 ? 1 : 0;
    this.#patient += patience;
    try {
      return await this.#claimOrWait(request, place.line, performance.now() + waitMs, signal);
    } finally {
      this.#patient -= patience;
      place.line.passOn();
    }
  }

  async #claimOrWait(request: CheckedClaim, line: WaitingLine, endsAt: number, signal: AbortSignal): Promise<readonly ScheduledClaim[]> {
    for (let isAgain = false; ; isAgain = true) {
      while (line.ready.length > 0 && !signal.aborted && !this.#isClosed) {
        const claims = await this.#attempt(request, line);
        if (claims.length > 0) return signal.aborted ? await this.#giveBack(claims) : claims;
      }
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0 || this.#isClosed || !(await line.wait(leftMs, isAgain, signal))) return [];
    }
  }

  /** One transaction in each workspace whose turn it is, all at once. */
  async #attempt(request: CheckedClaim, line: WaitingLine): Promise<readonly ScheduledClaim[]> {
    await this.#learnWeights(line.ready);
    const shares = this.#shares.divide(line.ready, request.limit);
    const attempts = [...shares].map(([id, limit]) => this.#attemptIn(id, { ...request, limit }, line));
    const settled = await Promise.allSettled(attempts);
    const claims = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const failed = settled.find((each) => each.status === 'rejected');
    if (claims.length === 0 && failed !== undefined) throw failed.reason;
    return claims;
  }

  async #attemptIn(id: WorkspaceId, request: CheckedClaim, line: WaitingLine): Promise<readonly ScheduledClaim[]> {
    const mark = line.mark(id);
    try {
      const { weight, runningMax } = await this.#parts.settingsOf(id);
      this.#shares.setWeight(id, weight);
      const mine = this.#parts.store.workspace(id);
      const { claims, hasMore } = await mine.write((transaction) => claimEntries(transaction, this.#parts, request, runningMax));
      if (claims.length < request.limit) this.#shares.giveBack(id, request.limit - claims.length);
      if (!hasMore) line.foundNothing(id, mark);
      return claims.map((claim) => ({ ...claim, workspace: id }));
    } catch (error) {
      this.#shares.giveBack(id, request.limit);
      if (!isFault(error, 'not_found')) throw error;
      line.foundNothing(id, mark); // The workspace is gone.
      this.#shares.forget(id);
      return [];
    }
  }

  /** Those that are known are learned anew with each claim. */
  async #learnWeights(ids: readonly WorkspaceId[]): Promise<void> {
    for (const id of ids) {
      if (this.#shares.hasWeight(id)) continue;
      const settings = await this.#parts.settingsOf(id).catch(() => ({ weight: 1 })); // It is gone; the attempt finds out.
      this.#shares.setWeight(id, settings.weight);
    }
  }

  /** Whoever asked has gone. Where giving back fails, the leases run out. */
  async #giveBack(claims: readonly ScheduledClaim[]): Promise<readonly ScheduledClaim[]> {
    await Promise.allSettled(
      claims.map(({ workspace, entry, fence }) =>
        this.#parts.store
          .workspace(workspace)
          .write((transaction) => void releaseEntry(transaction, this.#parts, requireHeld(transaction, entry.id, fence))),
      ),
    );
    return [];
  }

  async tick(): Promise<void> {
    await this.#lookAhead();
    for (let due = this.#timer.due; due.length > 0; due = this.#timer.due) {
      for (const id of due) await this.#sweep(id);
      await this.#lookAhead();
    }
  }

  async #sweep(id: WorkspaceId): Promise<void> {
    const mine = this.#parts.store.workspace(id);
    while (await mine.write((transaction) => sweepQueue(transaction, this.#parts, SWEEP_STEP)));
    this.#changed.add(id);
  }

  forget(id: WorkspaceId): void {
    this.#changed.delete(id);
    this.#shares.forget(id);
    this.#timer.set(id, undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#lines.sendAway();
    this.#listening[Symbol.dispose]();
    this.#timer.close();
  }

  #hear(id: WorkspaceId, events: readonly EventRecord[]): void {
    const ofQueue = events.filter(({ kind }) => kind.startsWith('kernel.queue.'));
    // What the queue does to a process comes with an event of its own.
    const wakes = ofQueue.filter(mayBringWork).length || events.filter((event) => isFreed(event) || event.kind === UPDATED).length;
    if (wakes > 0) this.#lines.makeReady(id, wakes);
    if (ofQueue.length === 0) return;
    this.#changed.add(id);
    if (this.#willLook) return;
    this.#willLook = true;
    queueMicrotask(() => {
      this.#willLook = false;
      void this.#lookAhead().catch(() => {}); // The store is closed or in trouble: the next commit tries again.
    });
  }

  /** Finds out when something is due next where that may have changed. */
  async #lookAhead(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const [index, id] of changed.entries()) {
      try {
        this.#timer.set(id, await this.#parts.store.workspace(id).read(nextSweepAt));
      } catch (error) {
        if (isFault(error, 'not_found')) {
          this.forget(id); // It was deleted meanwhile.
          continue;
        }
        for (const left of changed.slice(index)) this.#changed.add(left); // The next commit looks again.
        throw error;
      }
    }
  }
}

/** More may run at once than before. */
const UPDATED = 'kernel.workspace.updated';

/** Events of the queue after which nothing can be claimed that could not be before. */
const QUIET = new Set(
  ['claimed', 'held', 'lease_prolonged', 'failed', 'lease_expired', 'recovered', 'purged'].map((each) => `kernel.queue.${each}`),
);

function mayBringWork({ kind, payload }: EventRecord): boolean {
  return kind === 'kernel.queue.enqueued' ? payload['delay_ms'] === 0 : !QUIET.has(kind);
}

/** A process that can be claimed again. */
function isFreed({ kind, payload }: EventRecord): boolean {
  return kind === 'kernel.process.transitioned' && payload['new_state'] !== 'RUNNING';
}
