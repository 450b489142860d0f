/** The gate. Here the steps are put in their order; each stands in a file of its own. */
import { randomBytes } from 'node:crypto';
import { Fault, isFault, type RandomSource, type WorkspaceId } from '@warren/protocol';
import type { ApprovalOffice } from '../approval/open-approvals.ts';
import { Waiters } from '../approval/waiters.ts';
import type { Audit } from '../audit/audit.ts';
import { isAllowed } from '../grant/question.ts';
import type { Clock } from '../internal/clock.ts';
import type { BreachParts } from '../ledger/answer-breach.ts';
import type { Decision, Policy } from '../policy/policy.ts';
import type { Store, Transaction } from '../store/store.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { TaintRow } from '../store/tables/taint-table.ts';
import { type ActEnd, act } from './act.ts';
import { answerOf, isEnded, isKept, writeAnswer } from './answer.ts';
import { AuditGuard } from './audit-guard.ts';
import { type BeginCall, type Begun, beginCall, requireLive } from './begin-call.ts';
import { type GateError, gateError } from './call-error.ts';
import { createCallIds } from './call-ids.ts';
import { CallLanes, type Lane } from './call-lanes.ts';
import { CallWatch } from './call-watch.ts';
import { CallsUnderWay, processKey } from './calls-under-way.ts';
import type { CallError, CapabilityTable } from './capability.ts';
import { type CheckedRequest, checkMs, checkRequest } from './check-request.ts';
import { editCall } from './edit-call.ts';
import { type CallQuestion, explainCall } from './explain-call.ts';
import { FinishedCalls } from './finished-calls.ts';
import type { Answer, CallRequest, Gate, Offer, Recovered, UnfinishedCall } from './gate.ts';
import { type Ending, entryOf, type JournalRecord, readRecord } from './journal-record.ts';
import { GATE_LIMITS, type GateLimits, WAIT_MS_MAX } from './limits.ts';
import { type EndCall, recordResult } from './record-result.ts';
import { recoverCalls } from './recover-calls.ts';
import { type Redact, redactOwnTokens } from './redact.ts';
import { cleanGateError, type Outcome, outcomeUnknown, redactAnswer, stoppedError } from './redact-answer.ts';
import { resolveCall } from './resolve-call.ts';
import { clearTaints, taintsOf } from './taints.ts';
import { listUnfinished, UNFINISHED_MAX } from './unfinished-calls.ts';
import { type ValidCall, validateInput } from './validate-input.ts';
import { WallTime } from './wall-time.ts';

/** What whoever opens a gate decides. */
export type GateOptions = {
  readonly capabilities: CapabilityTable;
  /** Asked once for each call; a policy never changes, so what changes meanwhile counts from the next call on. */
  readonly policyOf: (workspace: WorkspaceId) => Policy;
  readonly audit: Pick<Audit, 'append' | 'search'>;
  /** Takes known secrets out of a text. Default: Warren's own tokens. */
  readonly redactorOf?: ((workspace: WorkspaceId) => Redact) | undefined;
  readonly limits?: Partial<GateLimits> | undefined;
  readonly random?: RandomSource | undefined;
};

/** What the kernel hands over. */
export type GateParts = GateOptions & {
  readonly store: Store;
  readonly clock: Clock;
  readonly budget: BreachParts;
  readonly office: ApprovalOffice;
  readonly workspaces: () => Promise<readonly WorkspaceId[]>;
};

/** Before something that was approved and could not be carried out for lack of a disk is tried again. */
const RETRY_MS = 5_000;

export function createGate(parts: GateParts): Gate {
  return new SyscallGate(parts);
}

/** A call as far as it is understood. */
type Prepared = {
  readonly workspace: WorkspaceId;
  readonly callId: string;
  readonly pid: number;
  readonly valid: ValidCall;
  readonly approvalId: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly reasoning: string | undefined;
  readonly taint: readonly string[];
  readonly deadlineMs: number;
  readonly onProgress: CallRequest['onProgress'];
  readonly again: BeginCall['again'];
};

type Open = Extract<Begun, { readonly kind: 'open' }>;

/** What a call came to in its first transaction, and where it goes on. */
type Tried =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'asked'; readonly begun: Extract<Begun, { readonly kind: 'asked' }> }
  | { readonly kind: 'known'; readonly row: CallRow }
  | { readonly kind: 'refused'; readonly error: CallError; readonly record: JournalRecord | undefined };

class SyscallGate implements Gate {
  readonly #parts: GateParts;
  readonly #guard: AuditGuard;
  readonly #lanes: CallLanes;
  readonly #limits: GateLimits;
  readonly #ids: () => string;
  readonly #underWay: CallsUnderWay;
  readonly #finished = new FinishedCalls();
  readonly #waiters = new Waiters();
  readonly #wall = new WallTime();
  readonly #leases: Disposable[] = [];
  /** Approved calls that are on their way to be carried out. */
  readonly #carrying = new Set<string>();
  /** Second transactions that could not be written: nothing else is begun before they are. */
  readonly #unsettled: (() => Promise<void>)[] = [];
  readonly #idle: (() => void)[] = [];
  #active = 0;
  #isClosed = false;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#limits = { ...GATE_LIMITS, ...parts.limits };
    this.#guard = new AuditGuard(parts.audit);
    this.#lanes = new CallLanes(this.#limits);
    this.#ids = createCallIds(parts.clock, parts.random ?? randomBytes);
    this.#underWay = new CallsUnderWay(parts.store);
    this.#leases.push(
      parts.office.desk.take({
        record: (entry) => this.#guard.append(entry),
        recordLater: (entry) => void this.#guard.append(entry).catch(() => {}), // It is kept, and stands in the way of the next call.
        edit: (workspace, call, input) => editCall({ ...parts, redactorOf: this.#redactor }, workspace, call, input),
        carryOut: (workspace, callId) => this.#carryOutLater(workspace, callId),
      }),
      parts.store.onCommit((workspace, events) => {
        for (const event of events) this.#hear(workspace, event);
      }),
    );
  }

  get active(): number {
    return this.#active;
  }

  async call(workspace: WorkspaceId, request: CallRequest, signal?: AbortSignal): Promise<Answer> {
    const checked = checkRequest(request);
    this.#requireOpen(signal);
    if (this.#guard.missing > 0 || this.#unsettled.length > 0) await this.#repair();
    this.#active += 1;
    try {
      return await this.#call(workspace, checked, signal);
    } finally {
      this.#active -= 1;
      if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #call(workspace: WorkspaceId, request: CheckedRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const startedMs = performance.now();
    const callId = this.#ids();
    const { capabilities } = this.#parts;
    const resolved = resolveCall(capabilities, request.capability);
    if (resolved.kind === 'refused') return await this.#refuseEarly(workspace, request, callId, resolved.error, startedMs);
    const { capability } = resolved;
    const validated = validateInput(request.pid, capability, request.input, this.#redactor(workspace));
    if (validated.kind === 'refused') return await this.#refuseEarly(workspace, request, callId, validated.error, startedMs);
    const prepared: Prepared = {
      workspace,
      callId,
      pid: request.pid,
      valid: validated.call,
      approvalId: undefined,
      idempotencyKey: request.idempotencyKey,
      reasoning: request.reasoning === undefined ? undefined : this.#redactor(workspace)(request.reasoning),
      taint: request.taint,
      deadlineMs: Math.min(request.deadlineMs ?? capability.deadlineMs.default, capability.deadlineMs.max),
      onProgress: request.onProgress,
      again: undefined,
    };
    const tried = await this.#try(prepared, signal);
    switch (tried.kind) {
      case 'answered':
        return tried.answer;
      case 'refused':
        return await this.#refuse(prepared, tried.error, tried.record, startedMs);
      case 'known':
        return await this.#sameCall(prepared, tried.row, request, signal);
      case 'asked':
        return await this.#asked(prepared, tried.begun, request, signal);
      default:
        tried satisfies never;
        throw new Error('A call was tried to no known end');
    }
  }

  /** Waits for its turn, begins it and, when it may be, carries it out. */
  async #try(call: Prepared, signal: AbortSignal | undefined): Promise<Tried> {
    const { workspace, callId, pid, valid } = call;
    const { capability, facts } = valid;
    const startedMs = performance.now();
    const watch = new CallWatch(pid, capability.name, facts);
    const entry = this.#underWay.add(workspace, callId, watch);
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
      const begun = await this.#begin(call);
      if (begun.kind !== 'open') return begun.kind === 'asked' ? { kind: 'asked', begun } : begun;
      const leftMs = Math.max(1, call.deadlineMs - (performance.now() - startedMs));
      const held = lane;
      lane = undefined; // From here on it is given back when the implementation has ended.
      return { kind: 'answered', answer: await this.#perform(call, begun, watch, held, leftMs) };
    } finally {
      lane?.leave();
      signal?.removeEventListener('abort', onAbort);
      entry[Symbol.dispose]();
      this.#waiters.wake(callId); // Whoever made the same call waits until it is answered, not only until it is done.
    }
  }

  async #waitForTurn(
    turn: Parameters<CallLanes['enter']>[0],
    watch: CallWatch,
    { valid, deadlineMs }: Prepared,
  ): Promise<{ readonly kind: 'entered'; readonly lane: Lane } | { readonly kind: 'refused'; readonly error: CallError }> {
    const timer = setTimeout(() => watch.stop({ kind: 'deadline', deadlineMs }), deadlineMs);
    try {
      const entered = await this.#lanes.enter(turn, watch.signal);
      if (entered.kind === 'entered') return entered;
      if (watch.stopped?.kind === 'caller') throw aborted();
      if (entered.kind === 'full') return { kind: 'refused', error: tooManyCalls(turn.capability) };
      if (watch.stopped === undefined || watch.stopped.kind === 'deadline')
        return { kind: 'refused', error: noTurn(turn.capability, deadlineMs) };
      return { kind: 'refused', error: stoppedError(valid.capability, watch.stopped, 'never_began') };
    } finally {
      clearTimeout(timer);
    }
  }

  /** The first transaction. */
  async #begin(call: Prepared): Promise<Begun> {
    const { workspace, callId, pid, valid, idempotencyKey, reasoning, taint, deadlineMs, again } = call;
    const { store, budget, policyOf } = this.#parts;
    const policy = policyOf(workspace);
    const approvalId = callId.replace('call_', 'approval_');
    const begin = { workspace, callId, approvalId, pid, valid, idempotencyKey, reasoning, policy, taint, deadlineMs, again };
    return await this.#write(store, workspace, (transaction) => beginCall(transaction, budget, begin));
  }

  async #perform(call: Prepared, begun: Open, watch: CallWatch, lane: Lane, leftMs: number): Promise<Answer> {
    const { workspace, callId, pid, valid, deadlineMs } = call;
    const { capability, input, facts } = valid;
    const redact = this.#redactor(workspace);
    const startedMs = performance.now();
    const context = {
      actor: { workspace, pid, agent: begun.record.agent },
      callId,
      input,
      facts,
      deadlineAt: this.#parts.clock.now() + Math.ceil(leftMs),
      progress: tellProgress(call.onProgress, redact),
    };
    const end = await act(capability, context, watch, { deadlineMs, leftMs, graceMs: this.#limits.graceMs });
    const durationMs = performance.now() - startedMs;
    this.#letGo(call, end, lane);
    const outcome = redactAnswer(end, watch.stopped, { capability, capabilities: this.#parts.capabilities, redact });
    return await this.#finish({ ...call, capability: capability.name }, begun.record, begun.reservationId, outcome, durationMs);
  }

  /** Gives the place back, or, when the implementation does not end, waits for that and records it. */
  #letGo({ workspace, callId, pid, approvalId, valid }: Prepared, end: ActEnd, lane: Lane): void {
    if (end.kind !== 'abandoned') {
      lane.leave();
      return;
    }
    lane.leaveGate();
    void end.late.then(async (late) => {
      lane.leave();
      const isDone = late.kind === 'acted' && late.acted?.kind === 'done';
      await this.#guard
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

  /** The second transaction, and the entry of the audit at the same time. */
  async #finish(
    call: Pick<Prepared, 'workspace' | 'callId' | 'pid' | 'approvalId' | 'idempotencyKey'> & { readonly capability: string },
    record: JournalRecord,
    reservationId: number | undefined,
    outcome: Outcome,
    durationMs: number,
  ): Promise<Answer> {
    const { workspace, callId, pid, approvalId, idempotencyKey, capability: name } = call;
    const { result } = outcome;
    const rounded = Math.round(durationMs * 1_000) / 1_000;
    const common = { callId, capability: name, tier: record.tier, durationMs: rounded, approvalId };
    const answer: Answer = result.kind === 'done' ? { ...common, ...result, taint: outcome.taint } : { ...common, ...result };
    const wall = Object.hasOwn(outcome.usage, 'wall_s') ? 0 : this.#wall.seconds(processKey(workspace, pid), durationMs);
    const usage = wall === 0 ? outcome.usage : { ...outcome.usage, wall_s: wall };
    const ending: Ending = {
      outcome: result.kind === 'done' ? 'success' : 'failure',
      error: result.kind === 'done' ? undefined : { type: result.error.type, message: result.error.message },
      durationMs: rounded,
      usage: Object.keys(usage).length === 0 ? undefined : usage,
      defect: outcome.defect,
    };
    const kept = isKept({ idempotencyKey, approvalId });
    const end: EndCall = {
      callId,
      pid,
      capability: name,
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
    const entry = entryOf({ workspace, pid, callId, capability: name, approvalId }, record, ending);
    // The audit first: its flush is under way in another thread while the store's keeps this one.
    const [audited, settled] = await Promise.allSettled([this.#guard.append(entry, onWritten), this.#settle(workspace, end, onWritten)]);
    if (settled.status === 'rejected') throw settled.reason;
    if (audited.status === 'rejected') throw audited.reason;
    return answer;
  }

  async #settle(workspace: WorkspaceId, end: EndCall, onWritten: () => void): Promise<void> {
    const { store, budget } = this.#parts;
    const settle = async (): Promise<void> => {
      await this.#write(store, workspace, (transaction) => recordResult(transaction, budget, end));
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
  async #write<T>(store: Store, workspace: WorkspaceId, body: (transaction: Transaction) => T): Promise<T> {
    const tidying = this.#finished.take(workspace);
    try {
      return await store.workspace(workspace).write((transaction) => {
        const result = body(transaction);
        tidying.inside(transaction);
        return result;
      });
    } catch (error) {
      tidying.undo();
      throw error;
    }
  }

  /** A call that was not understood: its process has to exist all the same. */
  async #refuseEarly(
    workspace: WorkspaceId,
    request: CheckedRequest,
    callId: string,
    error: GateError,
    startedMs: number,
  ): Promise<Answer> {
    const { agent = '' } = await this.#parts.store.workspace(workspace).read((transaction) => requireLive(transaction, request.pid));
    const durationMs = performance.now() - startedMs;
    const { capability } = request;
    await this.#guard.append({
      kind: 'syscall',
      workspace,
      actor: { kind: 'process', pid: request.pid, agent },
      action: capability,
      outcome: 'failure',
      callId,
      error: { type: error.type, message: error.message },
      durationMs,
    });
    return { callId, capability, tier: undefined, kind: 'failed', error: this.#clean(workspace, error), durationMs };
  }

  /** On disk in the audit before the answer. */
  async #refuse(call: Prepared, error: CallError, record: JournalRecord | undefined, startedMs: number): Promise<Answer> {
    const { workspace, callId, pid, valid, approvalId } = call;
    const capability = valid.capability.name;
    const durationMs = performance.now() - startedMs;
    const cleaned = this.#clean(workspace, error);
    const ending: Ending = { outcome: 'denied', error: { type: error.type, message: cleaned.message }, durationMs };
    const known = record ?? (await this.#recordUndecided(call));
    await this.#guard.append(entryOf({ workspace, pid, callId, capability, approvalId }, known, ending));
    return { callId, capability, tier: record?.tier, kind: 'failed', error: cleaned, durationMs };
  }

  async #recordUndecided({ workspace, pid, valid, taint, deadlineMs }: Prepared): Promise<JournalRecord> {
    const { agent = '' } = await this.#parts.store.workspace(workspace).read((transaction) => requireLive(transaction, pid));
    const { capability, recorded: input, inputHash } = valid;
    return { agent, tier: capability.defaultTier, policy: this.#parts.policyOf(workspace).version, input, inputHash, taint, deadlineMs };
  }

  #clean(workspace: WorkspaceId, error: CallError): CallError {
    return cleanGateError(error, { capabilities: this.#parts.capabilities, redact: this.#redactor(workspace) });
  }

  /** People have been asked: the question is in the audit before the caller hears of it. */
  async #asked(
    call: Prepared,
    begun: Extract<Begun, { readonly kind: 'asked' }>,
    request: CheckedRequest,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const { workspace, callId, pid, valid } = call;
    const { approvalId, record, expiresAt } = begun;
    const { name } = valid.capability;
    await this.#guard.append({
      ...entryOf({ workspace, pid, callId, capability: name, approvalId }, record, { outcome: 'pending', durationMs: 0 }),
      kind: 'question',
      durationMs: undefined,
    });
    if (request.onAsk === 'wait') return await this.#waitFor(workspace, callId, request.waitMs, undefined, signal);
    return { callId, capability: name, tier: record.tier, kind: 'pending', approvalId, expiresAt };
  }

  /** The key is known: what that call came to, comes to, or, if it may be repeated and nobody knows, comes to now. */
  async #sameCall(call: Prepared, row: CallRow, request: CheckedRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const { workspace } = call;
    if (row.state === 'open' && !isEnded(row) && this.#underWay.find(workspace, row.id) === undefined && row.effect !== 'once') {
      const again = { ...call, callId: row.id, approvalId: row.approvalId, again: { row, isApproved: row.approvalId !== undefined } };
      return await this.#carry(again);
    }
    const waitMs = row.state === 'asked' && request.onAsk === 'return' ? 0 : request.waitMs;
    return await this.#waitFor(workspace, row.id, waitMs, undefined, signal);
  }

  async result(
    workspace: WorkspaceId,
    callId: string,
    { waitMs = 0, pid }: { readonly waitMs?: number | undefined; readonly pid?: number | undefined } = {},
    signal?: AbortSignal,
  ): Promise<Answer> {
    checkMs(waitMs, 'wait_ms', 0, WAIT_MS_MAX);
    if (typeof callId !== 'string') throw notFound('');
    this.#requireOpen(signal);
    return await this.#waitFor(workspace, callId, waitMs, pid, signal);
  }

  async #waitFor(
    workspace: WorkspaceId,
    callId: string,
    waitMs: number,
    pid: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const endsAt = performance.now() + waitMs;
    for (;;) {
      const over = new AbortController();
      const leftMs = endsAt - performance.now();
      // It listens before it looks, so that nothing ends in between.
      const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
      const woken = leftMs > 0 ? this.#waiters.wait(callId, leftMs, either) : undefined;
      woken?.catch(() => {}); // Heard of below, or abandoned.
      try {
        const { row, approval } = await this.#parts.store.workspace(workspace).read(({ calls, approvals }) => {
          const found = calls.find(callId);
          return { row: found, approval: found?.approvalId === undefined ? undefined : approvals.find(found.approvalId) };
        });
        if (row === undefined || (pid !== undefined && row.pid !== pid)) throw notFound(callId);
        const isUnderWay = this.#underWay.find(workspace, callId) !== undefined;
        if (isEnded(row) && !isUnderWay) {
          await this.#repair(); // It may be what the audit lacks.
          const answer = answerOf(row, approval);
          if (answer === undefined) throw notFound(callId);
          return answer;
        }
        if (row.state === 'open' && !isUnderWay) {
          const error = outcomeUnknown(row.capability, row.effect);
          return { callId, capability: row.capability, tier: readRecord(row.record).tier, kind: 'failed', error, durationMs: 0 };
        }
        if (woken !== undefined && !this.#isClosed) await woken;
        else if (approval !== undefined) {
          const { id: approvalId, expiresAt } = approval;
          return { callId, capability: row.capability, tier: readRecord(row.record).tier, kind: 'pending', approvalId, expiresAt };
        } else throw new Fault('deadline', `Cannot wait any longer for call ${callId}: it is under way`, { details: { call_id: callId } });
      } finally {
        over.abort();
      }
    }
  }

  async cancel(workspace: WorkspaceId, callId: string, { pid }: { readonly pid?: number | undefined } = {}): Promise<boolean> {
    const watch = this.#underWay.find(workspace, callId);
    if (watch !== undefined) {
      if (pid !== undefined && watch.pid !== pid) throw notFound(callId);
      watch.stop({ kind: 'cancelled' });
      return true;
    }
    const row = await this.#parts.store.workspace(workspace).read(({ calls }) => calls.find(callId));
    if (row === undefined || (pid !== undefined && row.pid !== pid)) throw notFound(callId);
    if (row.state !== 'asked' || row.approvalId === undefined) return false;
    try {
      await this.#parts.office.approvals(workspace).cancel(row.approvalId, 'the call was cancelled');
      return true;
    } catch (error) {
      if (isFault(error, 'conflict')) return false; // Somebody decided meanwhile.
      throw error;
    }
  }

  async offered(workspace: WorkspaceId, pid: number): Promise<readonly Offer[]> {
    const policy = this.#parts.policyOf(workspace);
    const { agent, held } = await this.#parts.store.workspace(workspace).read((transaction) => ({
      agent: requireLive(transaction, pid).agent ?? '',
      held: transaction.grants.find(pid),
    }));
    if (held === undefined) return [];
    return this.#parts.capabilities.list().flatMap((capability): readonly Offer[] => {
      const { name, tags, defaultTier } = capability;
      if (!isAllowed(held, { kind: 'tool', tool: name })) return [];
      const { mildest } = policy.outlook({ capability: name, tags, agent, defaultTier });
      return mildest === 'blocked' ? [] : [{ name, tier: mildest }];
    });
  }

  async explain(workspace: WorkspaceId, question: CallQuestion): Promise<Decision> {
    const { store, capabilities, policyOf } = this.#parts;
    const policy = policyOf(workspace);
    return await store.workspace(workspace).read((transaction) => explainCall(transaction, capabilities, policy, question));
  }

  async unfinished(
    workspace: WorkspaceId,
    { pid, limit = UNFINISHED_MAX }: { readonly pid?: number | undefined; readonly limit?: number | undefined } = {},
  ): Promise<readonly UnfinishedCall[]> {
    return await this.#parts.store
      .workspace(workspace)
      .read((transaction) => listUnfinished(transaction, pid, Math.min(limit, UNFINISHED_MAX)));
  }

  async taints(workspace: WorkspaceId, pid: number): Promise<readonly TaintRow[]> {
    return await this.#parts.store.workspace(workspace).read((transaction) => taintsOf(transaction, pid));
  }

  async clearTaints(workspace: WorkspaceId, pid: number): Promise<number> {
    return await this.#parts.store.workspace(workspace).write((transaction) => clearTaints(transaction, pid));
  }

  async recover(): Promise<Recovered> {
    const { store, budget, audit } = this.#parts;
    const sum = { unknown: 0, audited: 0, approved: 0 };
    for (const workspace of await this.#parts.workspaces()) {
      const recovered = await recoverCalls(
        {
          store: store.workspace(workspace),
          budget,
          search: audit.search.bind(audit),
          append: (entry) => this.#guard.append(entry),
          isUnderWay: (callId) => this.#underWay.find(workspace, callId) !== undefined,
        },
        (callId) => this.#carryOutLater(workspace, callId),
      );
      sum.unknown += recovered.unknown;
      sum.audited += recovered.audited;
      sum.approved += recovered.approved;
    }
    return sum;
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#waiters.wakeAll();
    }
    if (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    for (const lease of this.#leases.splice(0)) lease[Symbol.dispose]();
    await this.#repair().catch(() => {}); // The next start finds in the journal what the audit lacks.
    for (const workspace of this.#finished.workspaces()) {
      const tidying = this.#finished.take(workspace);
      await this.#parts.store
        .workspace(workspace)
        .write(tidying.inside)
        .catch(() => {}); // The next start finds these rows done and audited.
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Never throws. What cannot be carried out now for want of a disk is tried again. */
  #carryOutLater(workspace: WorkspaceId, callId: string): void {
    const key = `${workspace}/${callId}`;
    if (this.#isClosed || this.#carrying.has(key)) return;
    this.#carrying.add(key);
    this.#active += 1;
    void this.#carryOut(workspace, callId)
      .catch((error: unknown) => {
        if (isFault(error, 'conflict') || isFault(error, 'unknown_pid')) return; // Its process has ended, and the question with it.
        setTimeout(() => this.#carryOutLater(workspace, callId), RETRY_MS).unref();
      })
      .finally(() => {
        this.#carrying.delete(key);
        this.#active -= 1;
        if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  async #carryOut(workspace: WorkspaceId, callId: string): Promise<void> {
    if (this.#guard.missing > 0 || this.#unsettled.length > 0) await this.#repair();
    const { row, approval } = await this.#parts.store.workspace(workspace).read(({ calls, approvals }) => {
      const found = calls.find(callId);
      return { row: found, approval: found?.approvalId === undefined ? undefined : approvals.find(found.approvalId) };
    });
    if (row === undefined || approval?.state !== 'approved' || isEnded(row) || row.input === undefined) return;
    if (row.state === 'open' && row.effect === 'once') return;
    const record = readRecord(row.record);
    const resolved = resolveCall(this.#parts.capabilities, row.capability);
    const validated =
      resolved.kind === 'refused' ? resolved : validateInput(row.pid, resolved.capability, row.input, this.#redactor(workspace));
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
    else await this.#carry({ ...call, valid: validated.call });
  }

  /** Carries out a call that has a row: approved, or once more. */
  async #carry(call: Prepared): Promise<Answer> {
    if (this.#underWay.find(call.workspace, call.callId) !== undefined) {
      return await this.#waitFor(call.workspace, call.callId, WAIT_MS_MAX, undefined, undefined);
    }
    const startedMs = performance.now();
    const tried = await this.#try(call, undefined);
    switch (tried.kind) {
      case 'answered':
        return tried.answer;
      case 'refused': {
        const row = call.again?.row;
        const record = tried.record ?? (row === undefined ? undefined : readRecord(row.record));
        if (record === undefined) throw new Error('A call is carried out again and has no row');
        // Time mends these: what was approved stays approved until its process may go on.
        if (tried.error.type === 'ProcessSuspended' || call.approvalId === undefined)
          return await this.#refuse(call, tried.error, record, startedMs);
        return await this.#endUnbegun(call, call.valid.capability.name, record, tried.error, performance.now() - startedMs);
      }
      case 'known':
        return await this.#waitFor(call.workspace, call.callId, 0, undefined, undefined);
      default:
        throw new Error('A call that was approved was asked about again');
    }
  }

  /** It was approved and cannot be carried out: that is its end. */
  async #endUnbegun(
    call: Omit<Prepared, 'valid'>,
    capability: string,
    record: JournalRecord,
    error: CallError,
    durationMs: number,
  ): Promise<Answer> {
    const result = { kind: 'failed', error: this.#clean(call.workspace, error) } as const;
    return await this.#finish({ ...call, capability }, record, undefined, { result, usage: {}, taint: [] }, durationMs);
  }

  #hear(workspace: WorkspaceId, event: EventRecord): void {
    const { kind, pid, payload } = event;
    if (kind === 'kernel.call.ended' || kind === 'kernel.approval.decided') this.#waiters.wake(String(payload['call_id']));
    else if (kind.startsWith('kernel.process.') || kind.startsWith('kernel.grant.')) {
      this.#underWay.hear(workspace, event);
      if (kind === 'kernel.process.transitioned' && payload['prev_state'] === 'SUSPENDED' && pid !== undefined) {
        void this.#continued(workspace, pid).catch(() => {}); // The store is closed or in trouble; a start looks again.
      }
    }
  }

  /** What was approved while a process was suspended is carried out when it goes on. */
  async #continued(workspace: WorkspaceId, pid: number): Promise<void> {
    const asked = await this.#parts.store
      .workspace(workspace)
      .read(({ calls, approvals }) =>
        calls
          .ofProcess(pid, ['asked'], 1_000)
          .filter(({ approvalId }) => approvalId !== undefined && approvals.find(approvalId)?.state === 'approved'),
      );
    for (const { id } of asked) this.#carryOutLater(workspace, id);
  }

  /** Throws what the disk throws as long as something that happened is not written down. */
  async #repair(): Promise<void> {
    await this.#guard.ready();
    for (let settle = this.#unsettled[0]; settle !== undefined; settle = this.#unsettled[0]) {
      this.#unsettled.shift();
      try {
        await settle();
      } catch (error) {
        this.#unsettled.unshift(settle);
        throw error;
      }
    }
  }

  readonly #redactor = (workspace: WorkspaceId): Redact => this.#parts.redactorOf?.(workspace) ?? redactOwnTokens;

  #requireOpen(signal: AbortSignal | undefined): void {
    if (this.#isClosed) throw new Fault('aborted', 'Cannot make the call: the gate is closed');
    if (signal?.aborted === true) throw aborted();
  }
}

function tellProgress(onProgress: CallRequest['onProgress'], redact: Redact): (message: string, share?: number) => void {
  if (onProgress === undefined) return () => {};
  return (message, share) => {
    try {
      onProgress(redact(String(message)).slice(0, 1_024), typeof share === 'number' && share >= 0 && share <= 1 ? share : undefined);
    } catch {
      // Whoever listens has a defect; the call goes on.
    }
  };
}

function aborted(): Fault {
  return new Fault('aborted', 'Cannot make the call: the caller gave up');
}

function notFound(callId: string): Fault {
  return new Fault('not_found', `Cannot find call ${callId.slice(0, 40)}: it does not exist, or its answer was not kept`);
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

function changedSince(capability: string): GateError {
  return gateError('ApprovalExpired', {
    message: `Cannot call ${capability}: its definition reads the arguments in another way since it was approved`,
    agentMessage: `${capability} changed after this call was approved, so the approval does not hold any more. Nothing was done. Call again, which asks again.`,
    recovery: [{ action: 'retry', description: 'Make the call again', capability }],
    retryable: true,
    context: { capability },
  });
}
