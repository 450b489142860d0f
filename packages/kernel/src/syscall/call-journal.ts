/**
 * What is written of a call: its first transaction, its second, and its entry of the audit. What happened and could not be written is kept, and stands in the way of
 * everything that would begin, until it is.
 */
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { AuditEntry } from '../audit/audit.ts';
import type { Transaction } from '../store/store.ts';
import { isKept, writeAnswer } from './answer.ts';
import { type Begun, beginCall, requireLive } from './begin-call.ts';
import type { GateError } from './call-error.ts';
import { processKey } from './calls-under-way.ts';
import type { CallError } from './capability.ts';
import type { CheckedRequest } from './check-request.ts';
import { FinishedCalls } from './finished-calls.ts';
import type { Answer } from './gate.ts';
import type { GateShared, PreparedCall } from './gate-parts.ts';
import { type Ending, entryOf, type JournalRecord } from './journal-record.ts';
import type { KeptRefusal } from './record-refusal.ts';
import { type EndCall, recordResult } from './record-result.ts';
import type { Redact } from './redact.ts';
import { cleanGateError, type Outcome } from './redact-answer.ts';
import { WallTime } from './wall-time.ts';

/** A call that ends, whether it ever began or not. */
export type EndingCall = Pick<PreparedCall, 'workspace' | 'callId' | 'pid' | 'approvalId' | 'idempotencyKey'> & {
  readonly capability: string;
  readonly record: JournalRecord;
  readonly reservationId: number | undefined;
};

export class CallJournal {
  readonly #shared: GateShared;
  readonly #finished = new FinishedCalls();
  readonly #wall = new WallTime();
  /** Second transactions that could not be written: nothing else is begun before they are. */
  readonly #unsettled: (() => Promise<void>)[] = [];
  /** Calls that people or time ended, as long as the audit has not heard of it. */
  readonly #deciding = new Set<string>();
  #repairing: Promise<void> | undefined;

  constructor(shared: GateShared) {
    this.#shared = shared;
  }

  /** Whether everything that happened is written. */
  get isWhole(): boolean {
    return this.#shared.guard.missing === 0 && this.#unsettled.length === 0;
  }

  /** Throws what the disk throws as long as something that happened is not written down. Whoever comes meanwhile waits for the same. */
  repair(): Promise<void> {
    this.#repairing ??= this.#repair().finally(() => {
      this.#repairing = undefined;
    });
    return this.#repairing;
  }

  /** What is left to write when nothing is under way any more. */
  async close(): Promise<void> {
    await this.repair().catch(() => {}); // The next start finds in the journal what the audit lacks.
    for (const workspace of this.#finished.workspaces()) {
      const tidying = this.#finished.take(workspace);
      await this.#shared.store
        .workspace(workspace)
        .write(tidying.inside)
        .catch(() => {}); // The next start finds these rows done and audited.
    }
  }

  /** The first transaction. */
  async begin(call: PreparedCall): Promise<Begun> {
    const { budget, policyOf } = this.#shared;
    const approvalId = call.callId.replace('call_', 'approval_');
    const clean = (error: GateError): CallError => this.#cleanWith(call.redact, error);
    const begin = { ...call, approvalId, policy: policyOf(call.workspace), clean };
    return await this.#write(call.workspace, (transaction) => beginCall(transaction, budget, begin));
  }

  /** The second transaction, and the entry of the audit at the same time. */
  async finish(call: EndingCall, outcome: Outcome, durationMs: number): Promise<Answer> {
    const { workspace, callId, pid, approvalId, capability, record, reservationId } = call;
    const { result } = outcome;
    const rounded = Math.round(durationMs * 1_000) / 1_000;
    const common = { callId, capability, tier: record.tier, durationMs: rounded, approvalId };
    const answer: Answer = result.kind === 'done' ? { ...common, ...result, taint: outcome.taint } : { ...common, ...result };
    const wall = Object.hasOwn(outcome.usage, 'wall_s') ? 0 : this.#wall.seconds(processKey(workspace, pid), durationMs);
    const usage = wall === 0 ? outcome.usage : { ...outcome.usage, wall_s: wall };
    const ending: Ending = {
      outcome: result.kind === 'done' ? 'success' : result.error.type === 'OutcomeUnknown' ? 'unknown' : 'failure',
      error: result.kind === 'done' ? undefined : { type: result.error.type, message: result.error.message },
      durationMs: rounded,
      usage: Object.keys(usage).length === 0 ? undefined : usage,
      defect: outcome.defect,
    };
    if (result.kind === 'failed' && result.error.type === 'InternalError') {
      const defect = outcome.defect ?? result.error.message;
      this.#shared.onDefect?.({ call_id: callId, capability, workspace, pid, defect });
    }
    const kept = isKept(call);
    const end: EndCall = {
      callId,
      pid,
      capability,
      approvalId,
      reservationId,
      usage,
      taint: outcome.taint,
      record,
      ending,
      answer: kept ? writeAnswer(answer) : undefined,
    };
    let left = 2;
    const onWritten = (): void => {
      left -= 1;
      if (left === 0) this.#finished.add(workspace, { callId, tier: record.tier, isKept: kept });
    };
    // The audit first: its flush is under way in another thread while the store's keeps this one.
    const [audited, settled] = await Promise.allSettled([
      this.#shared.guard.append(entryOf(call, record, ending), onWritten),
      this.#settle(workspace, end, onWritten),
    ]);
    if (settled.status === 'rejected') throw carriedOut(call, result.kind, settled.reason);
    if (audited.status === 'rejected') throw carriedOut(call, result.kind, audited.reason);
    return answer;
  }

  /** On disk in the audit before the answer. */
  async refuse(call: PreparedCall, error: CallError, record: JournalRecord | undefined, startedMs: number): Promise<Answer> {
    const { workspace, callId, pid, valid, redact, approvalId } = call;
    const capability = valid.capability.name;
    const durationMs = performance.now() - startedMs;
    const cleaned = this.#cleanWith(redact, error);
    const limit = error.type === 'RateLimited' ? cleaned.context : undefined;
    const ending: Ending = { outcome: 'denied', error: { type: error.type, message: cleaned.message }, durationMs, limit };
    const known = record ?? (await this.#recordUndecided(call));
    await this.#shared.guard.append(entryOf({ workspace, pid, callId, capability, approvalId }, known, ending));
    return { callId, capability, tier: record?.tier, kind: 'failed', error: cleaned, durationMs };
  }

  /** What people or time decided about a call. When it ended the call, the row of that has done its duty. */
  async recordAnswer(entry: AuditEntry): Promise<void> {
    const { workspace, callId, kind, outcome } = entry;
    await this.#shared.guard.append(entry, () => {
      if (kind !== 'answer' || outcome !== 'denied' || callId === undefined) return;
      this.#finished.add(workspace as WorkspaceId, { callId, tier: 'approval_required', isKept: true }); // A workspace's own approvals name it.
      this.#deciding.delete(callId);
      this.#shared.waiters.wake(callId);
    });
  }

  /** Called as soon as it is committed, before whoever waits can look. */
  deciding(callId: string): void {
    this.#deciding.add(callId);
  }

  /** Whether the audit is yet to hear how it ended. */
  isDeciding(callId: string): boolean {
    return this.#deciding.has(callId);
  }

  /** It is the first answer of its key: the row has it already, and has done its duty when the audit has it too. */
  async refuseForGood(call: PreparedCall, record: JournalRecord, { answer, ending }: KeptRefusal): Promise<Answer> {
    const { workspace, callId, pid, valid } = call;
    const about = { workspace, pid, callId, capability: valid.capability.name, approvalId: undefined };
    const finished = { callId, tier: record.tier, isKept: true };
    await this.#shared.guard.append(entryOf(about, record, ending), () => this.#finished.add(workspace, finished));
    return answer;
  }

  /** A call that was not understood: its process has to exist all the same. */
  async refuseEarly(
    workspace: WorkspaceId,
    { pid, capability, via }: CheckedRequest,
    callId: string,
    error: GateError,
    startedMs: number,
  ): Promise<Answer> {
    const agent = await this.#agentOf(workspace, pid);
    const durationMs = performance.now() - startedMs;
    const cleaned = this.clean(workspace, error);
    await this.#shared.guard.append({
      kind: 'syscall',
      workspace,
      actor: { kind: 'process', pid, agent },
      action: capability,
      outcome: 'failure',
      callId,
      error: { type: error.type, message: cleaned.message },
      durationMs,
      ...(via !== undefined && { details: { via } }),
    });
    return { callId, capability, tier: undefined, kind: 'failed', error: cleaned, durationMs };
  }

  /** People have been asked: the question is in the audit before the caller hears of it. */
  async ask({ workspace, callId, pid, valid }: PreparedCall, begun: Extract<Begun, { readonly kind: 'asked' }>): Promise<void> {
    const { approvalId, record } = begun;
    const about = { workspace, pid, callId, capability: valid.capability.name, approvalId };
    const entry = entryOf(about, record, { outcome: 'pending', durationMs: 0 });
    await this.#shared.guard.append({ ...entry, kind: 'question', durationMs: undefined });
  }

  /** The workspace is gone, and the rows that were to be tidied with it. */
  forget(workspace: WorkspaceId): void {
    this.#finished.forget(workspace);
  }

  clean(workspace: WorkspaceId, error: CallError): CallError {
    return this.#cleanWith(this.#shared.redactorOf(workspace), error);
  }

  #cleanWith(redact: Redact, error: CallError): CallError {
    return cleanGateError(error, { capabilities: this.#shared.capabilities, redact });
  }

  /** What is written leaves the list when it is on disk: until then nothing else begins. */
  async #repair(): Promise<void> {
    await this.#shared.guard.ready();
    for (let settle = this.#unsettled[0]; settle !== undefined; settle = this.#unsettled[0]) {
      await settle();
      this.#unsettled.shift();
    }
  }

  async #settle(workspace: WorkspaceId, end: EndCall, onWritten: () => void): Promise<void> {
    const settle = async (): Promise<void> => {
      try {
        await this.#write(workspace, (transaction) => recordResult(transaction, this.#shared.budget, end));
      } catch (error) {
        if (!isGone(error, workspace)) throw error; // Else there is nothing left to settle with: the audit has what happened.
      }
      onWritten();
    };
    try {
      await settle();
    } catch (error) {
      this.#unsettled.push(settle);
      throw error;
    }
  }

  /** One transaction, which takes finished rows with it. */
  async #write<T>(workspace: WorkspaceId, body: (transaction: Transaction) => T): Promise<T> {
    const tidying = this.#finished.take(workspace);
    try {
      return await this.#shared.store.workspace(workspace).write((transaction) => {
        const result = body(transaction);
        tidying.inside(transaction);
        return result;
      });
    } catch (error) {
      tidying.undo();
      throw error;
    }
  }

  async #recordUndecided({ workspace, pid, valid, taint, deadlineMs, via }: PreparedCall): Promise<JournalRecord> {
    const agent = await this.#agentOf(workspace, pid);
    const { capability, recorded: input, recordedFacts: facts, inputHash } = valid;
    return {
      via,
      agent,
      tier: capability.defaultTier,
      policy: this.#shared.policyOf(workspace).version,
      input,
      inputHash,
      facts,
      taint,
      deadlineMs,
    };
  }

  async #agentOf(workspace: WorkspaceId, pid: number): Promise<string> {
    const { agent = '' } = await this.#shared.store.workspace(workspace).read((transaction) => requireLive(transaction, pid));
    return agent;
  }
}

function isGone(error: unknown, workspace: WorkspaceId): boolean {
  return isFault(error, 'not_found') && error.details?.['workspace'] === workspace;
}

/** Whoever made the call hears that it was carried out, although what came of it is not on disk everywhere. */
function carriedOut({ callId, capability }: EndingCall, kind: Outcome['result']['kind'], reason: unknown): unknown {
  if (!isFault(reason)) return reason;
  const message = `Cannot answer the call of ${capability}: it has ended, and what came of it will be recorded when it can be: ${reason.message}`;
  const effect = kind === 'done' ? 'happened' : 'unknown';
  return new Fault(reason.code, message, { cause: reason, details: { ...reason.details, call_id: callId, effect } });
}
