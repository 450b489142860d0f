/** Approvals of all workspaces: who waits for a decision is woken by commits, and one timer does what falls due. */
import type { RandomSource, WorkspaceId } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';
import { DueTimer } from '../schedule/due-timer.ts';
import type { Store } from '../store/store.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { Approvals } from './approvals.ts';
import { createApprovals } from './create-approvals.ts';
import { DeskSlot } from './desk.ts';
import { nextSweepAt, sweepApprovals } from './sweep-approvals.ts';
import { Waiters } from './waiters.ts';

const SWEEP_STEP = 200;
const KIND = 'kernel.approval.';

export type ApprovalOffice = {
  readonly desk: DeskSlot;
  approvals(id: WorkspaceId): Approvals;
  /** Looks for what falls due there. Called with each workspace there is at a start; later ones make themselves heard. */
  watch(id: WorkspaceId): Promise<void>;
  /** The workspace is gone: who waits for a decision there looks again, and finds that. */
  forget(id: WorkspaceId): void;
  close(): Promise<void>;
};

export type OfficeParts = { readonly store: Store; readonly clock: Clock; readonly random?: RandomSource | undefined };

export function openApprovals(parts: OfficeParts): ApprovalOffice {
  return new Office(parts);
}

class Office implements ApprovalOffice {
  readonly desk = new DeskSlot();
  readonly #parts: OfficeParts;
  readonly #waiters = new Map<WorkspaceId, Waiters>();
  readonly #timer: DueTimer;
  readonly #listening: Disposable;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: OfficeParts) {
    this.#parts = parts;
    this.#timer = new DueTimer(parts.clock, () => this.#sweepDue());
    this.#listening = parts.store.onCommit((id, events) => this.#hear(id, events));
  }

  approvals(id: WorkspaceId): Approvals {
    const { store, random } = this.#parts;
    return createApprovals({
      store: store.workspace(id),
      desk: this.desk,
      waiters: this.#waitersOf(id),
      random,
      tick: () => this.#tick(id),
    });
  }

  async watch(id: WorkspaceId): Promise<void> {
    this.#timer.set(id, await this.#parts.store.workspace(id).read(nextSweepAt));
  }

  forget(id: WorkspaceId): void {
    this.#timer.set(id, undefined);
    this.#waiters.get(id)?.wakeAll();
    this.#waiters.delete(id);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listening[Symbol.dispose]();
    this.#timer.close();
    for (const waiters of this.#waiters.values()) waiters.wakeAll();
    await this.#work;
  }

  async #tick(id: WorkspaceId): Promise<void> {
    const mine = this.#parts.store.workspace(id);
    while (await mine.write((transaction) => sweepApprovals(transaction, SWEEP_STEP)));
    await this.watch(id);
  }

  async #sweepDue(): Promise<void> {
    for (const id of this.#timer.due) await this.#tick(id);
  }

  #waitersOf(id: WorkspaceId): Waiters {
    const known = this.#waiters.get(id) ?? new Waiters();
    this.#waiters.set(id, known);
    return known;
  }

  #hear(id: WorkspaceId, events: readonly EventRecord[]): void {
    let mayBeDue = false;
    for (const event of events) {
      if (!event.kind.startsWith(KIND)) continue;
      if (event.kind === `${KIND}requested` || event.kind === `${KIND}decided` || event.kind === `${KIND}escalated`) mayBeDue = true;
      if (event.kind === `${KIND}decided`) this.#decided(id, event);
      if (event.kind === `${KIND}escalated`) this.#escalated(id, event);
    }
    if (!mayBeDue || this.#isClosed) return;
    // The store is closed or in trouble: the next commit tries again.
    this.#work = Promise.all([this.#work, this.watch(id)]).then(
      () => {},
      () => {},
    );
  }

  #escalated(workspace: WorkspaceId, { payload, pid }: EventRecord): void {
    this.desk.find()?.recordLater({
      kind: 'question',
      workspace,
      actor: { kind: 'system' },
      action: String(payload['capability']),
      outcome: 'pending',
      callId: String(payload['call_id']),
      approvalId: String(payload['approval_id']),
      details: { pid: pid ?? null, escalated_to: payload['to'] ?? [] },
    });
  }

  /** What nobody decided (its time was over, its process ended) is recorded from here. */
  #decided(id: WorkspaceId, { payload, pid }: EventRecord): void {
    const approvalId = String(payload['approval_id']);
    if (payload['state'] !== 'approved') this.desk.find()?.deciding(String(payload['call_id']));
    this.#waiters.get(id)?.wake(approvalId);
    if (payload['by'] !== null) return;
    const { state, reason } = payload;
    this.desk.find()?.recordLater({
      kind: 'answer',
      workspace: id,
      actor: { kind: 'system' },
      action: String(payload['capability']),
      outcome: 'denied',
      callId: String(payload['call_id']),
      approvalId,
      details: { state: String(state), pid: pid ?? null, ...(typeof reason === 'string' && { note: reason }) },
    });
  }
}
