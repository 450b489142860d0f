/** Calls that have a row already: approved by people, or begun by a life of the gate that ended. Each is carried out once, or comes to its end without. */
import { isFault, type WorkspaceId } from '@warren/protocol';
import { isEnded } from './answer.ts';
import { type GateError, gateError } from './call-error.ts';
import type { CallJournal } from './call-journal.ts';
import type { CallError } from './capability.ts';
import type { Answer } from './gate.ts';
import type { GateShared, PreparedCall } from './gate-parts.ts';
import { type JournalRecord, readRecord } from './journal-record.ts';
import { WAIT_MS_MAX } from './limits.ts';
import { resolveCall } from './resolve-call.ts';
import type { CallRunner } from './run-call.ts';
import { validateInput } from './validate-input.ts';
import { waitForCall } from './wait-for-call.ts';

/** Before something that was approved and could not be carried out for lack of a disk is tried again. */
const RETRY_MS = 5_000;

export class CarryOut {
  readonly #shared: GateShared;
  readonly #journal: CallJournal;
  readonly #runner: CallRunner;
  /** Approved calls that are on their way to be carried out. */
  readonly #carrying = new Set<string>();

  constructor(shared: GateShared, journal: CallJournal, runner: CallRunner) {
    this.#shared = shared;
    this.#journal = journal;
    this.#runner = runner;
  }

  /** Never throws. What cannot be carried out now for want of a disk is tried again. */
  later(workspace: WorkspaceId, callId: string): void {
    const { life } = this.#shared;
    const key = `${workspace}/${callId}`;
    if (life.isClosed || this.#carrying.has(key)) return;
    this.#carrying.add(key);
    life.begin();
    void this.#approved(workspace, callId)
      .catch((error: unknown) => {
        if (isFault(error, 'conflict') || isFault(error, 'unknown_pid')) return; // Its process has ended, and the question with it.
        setTimeout(() => this.later(workspace, callId), RETRY_MS).unref();
      })
      .finally(() => {
        this.#carrying.delete(key);
        life.end();
      });
  }

  /** What was approved while a process was suspended is carried out when it goes on. */
  async continued(workspace: WorkspaceId, pid: number): Promise<void> {
    const asked = await this.#shared.store
      .workspace(workspace)
      .read(({ calls, approvals }) =>
        calls
          .ofProcess(pid, ['asked'], 1_000)
          .filter(({ approvalId }) => approvalId !== undefined && approvals.find(approvalId)?.state === 'approved'),
      );
    for (const { id } of asked) this.later(workspace, id);
  }

  /** Carries out a call that has a row: approved, or once more. */
  async now(call: PreparedCall): Promise<Answer> {
    const { workspace, callId } = call;
    if (this.#shared.underWay.find(workspace, callId) !== undefined) return await this.#answerOf(call, WAIT_MS_MAX);
    const startedMs = performance.now();
    const tried = await this.#runner.try(call, undefined);
    switch (tried.kind) {
      case 'answered':
        return tried.answer;
      case 'refused': {
        const row = call.again?.row;
        const record = tried.record ?? (row === undefined ? undefined : readRecord(row.record));
        if (record === undefined) throw new Error('A call is carried out again and has no row');
        // Time mends these: what was approved stays approved until its process may go on.
        if (tried.error.type === 'ProcessSuspended' || call.approvalId === undefined)
          return await this.#journal.refuse(call, tried.error, record, startedMs);
        return await this.#endUnbegun(call, call.valid.capability.name, record, tried.error, performance.now() - startedMs);
      }
      case 'known':
        return await this.#answerOf(call, 0);
      default:
        throw new Error('A call that was approved was asked about again');
    }
  }

  async #answerOf({ workspace, callId }: PreparedCall, waitMs: number): Promise<Answer> {
    return await waitForCall(this.#shared, this.#journal, { workspace, callId, waitMs, pid: undefined, signal: undefined });
  }

  async #approved(workspace: WorkspaceId, callId: string): Promise<void> {
    const { store, capabilities, redactorOf } = this.#shared;
    if (!this.#journal.isWhole) await this.#journal.repair();
    const { row, approval } = await store.workspace(workspace).read(({ calls, approvals }) => {
      const found = calls.find(callId);
      return { row: found, approval: found?.approvalId === undefined ? undefined : approvals.find(found.approvalId) };
    });
    if (row === undefined || approval?.state !== 'approved' || isEnded(row) || row.input === undefined) return;
    if (row.state === 'open' && row.effect === 'once') return;
    const record = readRecord(row.record);
    const resolved = resolveCall(capabilities, row.capability);
    const validated =
      resolved.kind === 'refused' ? resolved : validateInput(row.pid, resolved.capability, row.input, redactorOf(workspace));
    const call = {
      workspace,
      callId,
      pid: row.pid,
      approvalId: approval.id,
      idempotencyKey: row.idempotencyKey,
      reasoning: record.reasoning,
      taint: record.taint,
      deadlineMs: record.deadlineMs,
      onProgress: undefined,
      again: { row, isApproved: true },
    };
    if (validated.kind === 'refused') await this.#endUnbegun(call, row.capability, record, validated.error, 0);
    else if (validated.call.callHash !== approval.callHash)
      await this.#endUnbegun(call, row.capability, record, changedSince(row.capability), 0);
    else await this.now({ ...call, valid: validated.call });
  }

  /** It was approved and cannot be carried out: that is its end. */
  async #endUnbegun(
    { workspace, callId, pid, approvalId, idempotencyKey }: Omit<PreparedCall, 'valid'>,
    capability: string,
    record: JournalRecord,
    error: CallError,
    durationMs: number,
  ): Promise<Answer> {
    const result = { kind: 'failed', error: this.#journal.clean(workspace, error) } as const;
    const ending = { workspace, callId, pid, approvalId, idempotencyKey, capability, record, reservationId: undefined };
    return await this.#journal.finish(ending, { result, usage: {}, taint: [] }, durationMs);
  }
}

function changedSince(capability: string): GateError {
  return gateError('ApprovalExpired', {
    message: `Cannot call ${capability}: its definition reads the arguments in another way since it was approved`,
    agentMessage: `${capability} changed after this call was approved, so the approval does not hold any more. Nothing was done. Call again, which asks again.`,
    recovery: [{ action: 'retry', description: 'Make the call again', capability }],
    retryable: true,
    context: { capability },
  });
}
