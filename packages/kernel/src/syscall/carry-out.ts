/**
 * Calls that have a row already: approved by people, or begun by a life of the gate that ended. Each is carried out once, or comes to its end without.
 *
 * An approved call is read from its row, so what is carried out is what was approved, whoever asks for it. What stands in its way for a time (a rate limit,
 * a budget, a suspended process, a full disk) does not use the approval up: it is tried again until the approval is over.
 */
import { isFault, type WorkspaceId } from '@warren/protocol';
import { decide } from '../approval/decide.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import { isEnded } from './answer.ts';
import type { CallJournal } from './call-journal.ts';
import type { CallError } from './capability.ts';
import { approvalIsOver, changedSince, isOver, triedAgainAfterMs } from './carry-out-bounds.ts';
import type { Answer } from './gate.ts';
import type { GateShared, PreparedCall } from './gate-parts.ts';
import { readRecord } from './journal-record.ts';
import { WAIT_MS_MAX } from './limits.ts';
import { outcomeUnknown } from './redact-answer.ts';
import { resolveCall } from './resolve-call.ts';
import { rowsInState } from './rows-in-state.ts';
import type { CallRunner } from './run-call.ts';
import { validateInput } from './validate-input.ts';
import { waitForCall } from './wait-for-call.ts';

/** Before something that was approved and could not be carried out for lack of a disk is tried again. */
const RETRY_MS = 5_000;
const TIMER_MS_MAX = 2_147_483_647;

/** On its way to be carried out. */
type Carrying = { readonly ended: Promise<void>; isWantedAgain: boolean };

/** Approved, and something stands in its way for now. */
type Held = { readonly workspace: WorkspaceId; readonly callId: string; readonly timer: NodeJS.Timeout; readonly why: string };

type Approved = { readonly row: CallRow; readonly approval: ApprovalRow };

export class CarryOut {
  readonly #shared: GateShared;
  readonly #journal: CallJournal;
  readonly #runner: CallRunner;
  readonly #carrying = new Map<string, Carrying>();
  readonly #held = new Map<string, Held>();
  #isBegun = false;

  constructor(shared: GateShared, journal: CallJournal, runner: CallRunner) {
    this.#shared = shared;
    this.#journal = journal;
    this.#runner = runner;
  }

  /** From here on what is approved is carried out, and first what was before. Returns how many that were. */
  async begin(): Promise<number> {
    this.#isBegun = true;
    let count = 0;
    for (const workspace of await this.#shared.workspaces()) {
      const store = this.#shared.store.workspace(workspace);
      for (const state of ['open', 'asked'] as const) {
        const rows = await rowsInState(store, state);
        const ids = await store.read(({ approvals }) => rows.filter((row) => isApproved(row, approvals)).map(({ id }) => id));
        for (const id of ids) this.later(workspace, id);
        count += ids.length;
      }
    }
    return count;
  }

  /** Never throws. What is on its way already is looked at once more afterwards: what it waits for may have come meanwhile. */
  later(workspace: WorkspaceId, callId: string): void {
    const { life } = this.#shared;
    if (life.isClosed || !this.#isBegun || this.#shared.stopped.has(workspace)) return;
    const key = keyOf(workspace, callId);
    const known = this.#carrying.get(key);
    if (known !== undefined) {
      known.isWantedAgain = true;
      return;
    }
    life.begin();
    const ended = this.#approved(workspace, callId)
      .catch((error: unknown) => {
        if (isFault(error, 'conflict') || isFault(error, 'unknown_pid')) return; // Its process ended just now, which is heard of by itself.
        this.#hold(workspace, callId, RETRY_MS, 'disk');
      })
      .finally(() => {
        const isWantedAgain = this.#carrying.get(key)?.isWantedAgain === true;
        this.#carrying.delete(key);
        if (isWantedAgain) this.later(workspace, callId);
        life.end();
      });
    this.#carrying.set(key, { ended, isWantedAgain: false });
  }

  /** Resolves when it was tried. */
  async tried(workspace: WorkspaceId, callId: string): Promise<void> {
    this.later(workspace, callId);
    await this.#carrying.get(keyOf(workspace, callId))?.ended;
  }

  /** What was approved while a process could not go on is carried out when it can, and ends when it never will. */
  async resume(workspace: WorkspaceId, pid: number): Promise<void> {
    const ids = await this.#shared.store.workspace(workspace).read(({ calls, approvals }) =>
      calls
        .ofProcess(pid, ['asked', 'open'], 10_000)
        .filter((row) => isApproved(row, approvals))
        .map(({ id }) => id),
    );
    for (const id of ids) this.later(workspace, id);
  }

  /** What stood in the way may be gone. */
  tryHeld(workspace?: WorkspaceId): void {
    for (const held of [...this.#held.values()]) {
      if (workspace === undefined || held.workspace === workspace) this.later(held.workspace, held.callId);
    }
  }

  /** Lets go of what is held there; resolves when nothing is on its way any more. */
  async stopIn(workspace: WorkspaceId): Promise<void> {
    for (const held of [...this.#held.values()]) if (held.workspace === workspace) this.#letGo(workspace, held.callId);
    const prefix = keyOf(workspace, '');
    await Promise.all([...this.#carrying].flatMap(([key, { ended }]) => (key.startsWith(prefix) ? [ended] : [])));
  }

  /** What is held stays approved: the next start looks for it. */
  close(): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  /** Carries out once more what a life that ended had begun. Nobody was asked about it; whoever makes it has brought its arguments. */
  async again(call: PreparedCall, row: CallRow): Promise<Answer> {
    const { workspace, callId } = call;
    if (this.#shared.underWay.find(workspace, callId) !== undefined) return await this.#answerOf(call, WAIT_MS_MAX);
    const startedMs = performance.now();
    const tried = await this.#runner.try(call, undefined);
    switch (tried.kind) {
      case 'answered':
        return tried.answer;
      case 'refused':
        return await this.#journal.refuse(call, tried.error, tried.record ?? readRecord(row.record), startedMs);
      case 'known':
        return await this.#answerOf(call, 0);
      default:
        throw new Error('A call that was begun was asked about');
    }
  }

  async #answerOf({ workspace, callId }: PreparedCall, waitMs: number): Promise<Answer> {
    return await waitForCall(this.#shared, this.#journal, { workspace, callId, waitMs, pid: undefined, signal: undefined });
  }

  async #approved(workspace: WorkspaceId, callId: string): Promise<void> {
    const { store, capabilities, redactorOf, clock } = this.#shared;
    if (!this.#journal.isWhole) await this.#journal.repair();
    const redact = redactorOf(workspace);
    await this.#shared.prepare?.(workspace);
    const found = await store.workspace(workspace).read(({ calls, approvals, processes }) => {
      const row = calls.find(callId);
      const approval = row?.approvalId === undefined ? undefined : approvals.find(row.approvalId);
      return row === undefined || approval === undefined ? undefined : { row, approval, process: processes.find(row.pid) };
    });
    if (found === undefined || found.approval.state !== 'approved' || isEnded(found.row)) return this.#letGo(workspace, callId);
    const { row, approval, process } = found;
    if (row.state === 'open' && row.effect === 'once') return this.#letGo(workspace, callId);
    if (process === undefined || process.state === 'DEAD') return await this.#endWithProcess(workspace, found);
    if (row.state === 'asked' && isOver(approval, clock.now())) {
      return await this.#end(workspace, found, approvalIsOver(row.capability, this.#held.get(keyOf(workspace, callId))?.why));
    }
    const resolved = resolveCall(capabilities, row.capability);
    if (resolved.kind === 'refused') return await this.#end(workspace, found, resolved.error);
    if (resolved.capability.version !== row.version || row.input === undefined)
      return await this.#end(workspace, found, changedSince(row.capability));
    const validated = validateInput(row.pid, resolved.capability, row.input, redact);
    if (validated.kind === 'refused') return await this.#end(workspace, found, validated.error);
    if (validated.call.callHash !== approval.callHash) return await this.#end(workspace, found, changedSince(row.capability));
    const { reasoning, taint, askedHash, deadlineMs, via } = readRecord(row.record);
    await this.#try(found, {
      ...{ workspace, callId, pid: row.pid, valid: validated.call, redact, approvalId: approval.id, idempotencyKey: row.idempotencyKey },
      ...{ reasoning, taint, askedHash, deadlineMs, via, onProgress: undefined, again: { row, isApproved: true } },
    });
  }

  async #try({ row, approval }: Approved, call: PreparedCall): Promise<void> {
    const { workspace, callId } = call;
    if (this.#shared.underWay.find(workspace, callId) !== undefined) return;
    const startedMs = performance.now();
    const tried = await this.#runner.try(call, undefined);
    if (tried.kind === 'asked') throw new Error('A call that was approved was asked about again');
    if (tried.kind !== 'refused') return this.#letGo(workspace, callId);
    const { error } = tried;
    const record = tried.record ?? readRecord(row.record);
    if (this.#shared.life.isClosed && error.type === 'Cancelled') return; // It was stopped before it began: the next start carries it out.
    const waitMs = triedAgainAfterMs(error);
    if (waitMs === undefined) return await this.#end(workspace, { row, approval }, error, performance.now() - startedMs);
    const now = this.#shared.clock.now();
    if (isOver(approval, now)) return await this.#end(workspace, { row, approval }, approvalIsOver(row.capability, error.message));
    const isTold = this.#held.get(keyOf(workspace, callId))?.why === error.type;
    this.#hold(workspace, callId, Math.min(waitMs, Math.max(1, approval.expiresAt - now)), error.type);
    if (!isTold && !this.#shared.life.isClosed) await this.#journal.refuse(call, error, record, startedMs);
  }

  #hold(workspace: WorkspaceId, callId: string, ms: number, why: string): void {
    this.#letGo(workspace, callId);
    if (this.#shared.life.isClosed || this.#shared.stopped.has(workspace)) return;
    const timer = setTimeout(() => this.later(workspace, callId), Math.min(ms, TIMER_MS_MAX)).unref();
    this.#held.set(keyOf(workspace, callId), { workspace, callId, timer, why });
  }

  #letGo(workspace: WorkspaceId, callId: string): void {
    const key = keyOf(workspace, callId);
    clearTimeout(this.#held.get(key)?.timer);
    this.#held.delete(key);
  }

  /** It was approved and cannot be carried out: that is its end. Of one that a life which ended had begun nobody knows how far it came. */
  async #end(workspace: WorkspaceId, { row, approval }: Approved, error: CallError, durationMs = 0): Promise<void> {
    this.#letGo(workspace, row.id);
    const why = row.state === 'open' ? outcomeUnknown(row.capability, row.effect) : error;
    const { id: callId, pid, idempotencyKey, capability, reservationId } = row;
    const ending = {
      workspace,
      callId,
      pid,
      approvalId: approval.id,
      idempotencyKey,
      capability,
      reservationId,
      record: readRecord(row.record),
    };
    const result = { kind: 'failed', error: this.#journal.clean(workspace, why) } as const;
    await this.#journal.finish(ending, { result, usage: {}, taint: [] }, durationMs);
  }

  async #endWithProcess(workspace: WorkspaceId, { row, approval }: Approved): Promise<void> {
    if (row.state === 'open') return await this.#end(workspace, { row, approval }, outcomeUnknown(row.capability, row.effect));
    this.#letGo(workspace, row.id);
    await this.#shared.store.workspace(workspace).write((transaction) => {
      const now = transaction.approvals.find(approval.id);
      if (now?.state === 'approved') decide(transaction, now, { state: 'cancelled', reason: 'the process ended' });
    });
  }
}

function keyOf(workspace: WorkspaceId, callId: string): string {
  return `${workspace}/${callId}`;
}

/** Once begun it cannot be carried out a second time if it is of effect `once`: a start closes these. */
function isApproved(row: CallRow, approvals: { find(id: string): ApprovalRow | undefined }): boolean {
  if (row.approvalId === undefined || isEnded(row) || (row.state === 'open' && row.effect === 'once')) return false;
  return approvals.find(row.approvalId)?.state === 'approved';
}
