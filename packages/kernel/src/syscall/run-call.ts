/** A call that is understood goes through the gate: it waits for its turn, is begun, carried out and finished. */
import type { CallRow } from '../store/tables/call-table.ts';
import { type ActEnd, act } from './act.ts';
import type { Begun } from './begin-call.ts';
import { type GateError, gateError } from './call-error.ts';
import type { CallJournal } from './call-journal.ts';
import { CallLanes, type Lane } from './call-lanes.ts';
import { CallWatch } from './call-watch.ts';
import { processKey } from './calls-under-way.ts';
import type { CallError } from './capability.ts';
import type { Answer, CallRequest } from './gate.ts';
import { gaveUp } from './gate-faults.ts';
import type { GateShared, PreparedCall } from './gate-parts.ts';
import type { JournalRecord } from './journal-record.ts';
import type { Redact } from './redact.ts';
import { redactAnswer, stoppedError } from './redact-answer.ts';
import { reviewedCall } from './review-call.ts';

type Open = Extract<Begun, { readonly kind: 'open' }>;

/** What a call came to in its first transaction, and where it goes on. */
export type Tried =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'asked'; readonly begun: Extract<Begun, { readonly kind: 'asked' }> }
  | { readonly kind: 'known'; readonly row: CallRow }
  | { readonly kind: 'refused'; readonly error: CallError; readonly record: JournalRecord | undefined };

export class CallRunner {
  readonly #shared: GateShared;
  readonly #journal: CallJournal;
  readonly #lanes: CallLanes;

  constructor(shared: GateShared, journal: CallJournal) {
    this.#shared = shared;
    this.#journal = journal;
    this.#lanes = new CallLanes(shared.limits);
  }

  async try(call: PreparedCall, signal: AbortSignal | undefined): Promise<Tried> {
    const { workspace, callId, pid, valid } = call;
    const { capability, facts } = valid;
    const startedMs = performance.now();
    const watch = new CallWatch(pid, capability.name, facts);
    const entry = this.#shared.underWay.add(workspace, callId, watch);
    const onAbort = (): void => watch.stop({ kind: 'caller' });
    signal?.addEventListener('abort', onAbort, { once: true });
    let lane: Lane | undefined;
    try {
      const turn = { process: processKey(workspace, pid), capability: capability.name, max: capability.concurrencyMax };
      lane = this.#lanes.tryEnter(turn);
      if (lane === undefined) {
        const entered = await this.#waitForTurn(turn, watch, call);
        if (entered.kind === 'refused') return { kind: 'refused', error: entered.error, record: undefined };
        lane = entered.lane;
      }
      this.#shared.guard.check(); // What it does could not be recorded: it is not begun.
      const begun = await this.#journal.begin(call);
      if (begun.kind === 'asked') return { kind: 'asked', begun };
      if (begun.kind === 'refused' && begun.kept !== undefined) {
        return { kind: 'answered', answer: await this.#journal.refuseForGood(call, begun.record, begun.kept) };
      }
      if (begun.kind !== 'open') return begun;
      const leftMs = Math.max(1, call.deadlineMs - (performance.now() - startedMs));
      const held = lane;
      lane = undefined; // From here on it is given back when the implementation has ended.
      return { kind: 'answered', answer: await this.#perform(call, begun, watch, held, leftMs) };
    } finally {
      lane?.leave();
      signal?.removeEventListener('abort', onAbort);
      entry[Symbol.dispose]();
      this.#shared.waiters.wake(callId); // Whoever made the same call waits until it is answered, not only until it is done.
    }
  }

  async #waitForTurn(
    turn: Parameters<CallLanes['enter']>[0],
    watch: CallWatch,
    { valid, deadlineMs }: PreparedCall,
  ): Promise<{ readonly kind: 'entered'; readonly lane: Lane } | { readonly kind: 'refused'; readonly error: CallError }> {
    const timer = setTimeout(() => watch.stop({ kind: 'deadline', deadlineMs }), deadlineMs);
    try {
      const entered = await this.#lanes.enter(turn, watch.signal);
      if (entered.kind === 'entered') return entered;
      if (watch.stopped?.kind === 'caller') throw gaveUp();
      if (entered.kind === 'full') return { kind: 'refused', error: tooManyCalls(turn.capability) };
      if (watch.stopped === undefined || watch.stopped.kind === 'deadline')
        return { kind: 'refused', error: noTurn(turn.capability, deadlineMs) };
      return { kind: 'refused', error: stoppedError(valid.capability, watch.stopped, 'never_began') };
    } finally {
      clearTimeout(timer);
    }
  }

  async #perform(call: PreparedCall, begun: Open, watch: CallWatch, lane: Lane, leftMs: number): Promise<Answer> {
    const { workspace, callId, pid, valid, redact, deadlineMs, approvalId, idempotencyKey } = call;
    const { capability, input, facts } = valid;
    const { capabilities, clock, limits } = this.#shared;
    const startedMs = performance.now();
    const context = {
      actor: { workspace, pid, agent: begun.record.agent },
      callId,
      input,
      facts,
      taint: capability.taints.length === 0 ? begun.record.taint : [...new Set([...begun.record.taint, ...capability.taints])],
      deadlineAt: clock.now() + Math.ceil(leftMs),
      progress: tellProgress(call.onProgress, redact),
      redact,
    };
    const end = await act(capability, context, watch, { deadlineMs, leftMs, graceMs: limits.graceMs });
    const durationMs = performance.now() - startedMs;
    this.#letGo(call, end, lane);
    const outcome = redactAnswer(end, watch.stopped, { capability, capabilities, redact });
    const { record, reservationId } = begun;
    const ending = { workspace, callId, pid, approvalId, idempotencyKey, capability: capability.name, record, reservationId };
    const answer = await this.#journal.finish(ending, outcome, durationMs);
    this.#shared.review?.(reviewedCall(call))?.after?.(answer);
    return answer;
  }

  /** Gives the place back, or, when the implementation does not end, waits for that and records it. */
  #letGo({ workspace, callId, pid, approvalId, valid }: PreparedCall, end: ActEnd, lane: Lane): void {
    if (end.kind !== 'abandoned') {
      lane.leave();
      return;
    }
    lane.leaveGate();
    void end.late.then(async (late) => {
      lane.leave();
      const isDone = late.kind === 'acted' && late.acted?.kind === 'done';
      await this.#shared.guard
        .append({
          kind: 'system',
          workspace,
          actor: { kind: 'system' },
          action: valid.capability.name,
          outcome: isDone ? 'success' : 'failure',
          callId,
          approvalId,
          details: { late: true, pid, stopped: end.stop.kind },
        })
        .catch(() => {}); // It is kept, and stands in the way of the next call.
    });
  }
}

const tellNobody = (): void => {};

function tellProgress(onProgress: CallRequest['onProgress'], redact: Redact): (message: string, share?: number) => void {
  if (onProgress === undefined) return tellNobody;
  return (message, share) => {
    try {
      onProgress(redact(String(message)).slice(0, 1_024), typeof share === 'number' && share >= 0 && share <= 1 ? share : undefined);
    } catch {
      // Whoever listens has a defect; the call goes on.
    }
  };
}

function tooManyCalls(capability: string): GateError {
  return gateError('TooManyCalls', {
    message: `Cannot call ${capability}: too many calls wait for their turn`,
    agentMessage: `Too many calls are under way or wait. Nothing was done. Wait until some have ended, then call ${capability} again.`,
    recovery: [{ action: 'wait_and_retry', description: 'Wait until calls of yours have ended', capability }],
    retryable: true,
    retryAfterMs: 1_000,
    context: { capability },
  });
}

function noTurn(capability: string, deadlineMs: number): GateError {
  return gateError('Timeout', {
    message: `Cannot call ${capability}: its turn did not come within its deadline of ${deadlineMs} ms`,
    agentMessage: `Other calls kept ${capability} from its turn for ${deadlineMs / 1_000} seconds. Nothing was done. Call again when some have ended.`,
    recovery: [{ action: 'wait_and_retry', description: 'Wait until calls of yours have ended', capability }],
    retryable: true,
    context: { capability, effect: 'none', operation: capability, timeout_seconds: deadlineMs / 1_000 },
  });
}
