/** The gate. Here the steps of a call that somebody makes are put in their order; each stands in a file of its own. */
import { randomBytes } from 'node:crypto';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { Approver } from '../approval/approvals.ts';
import { Waiters } from '../approval/waiters.ts';
import { isAllowed } from '../grant/question.ts';
import type { Decision } from '../policy/policy.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { TaintRow } from '../store/tables/taint-table.ts';
import { clearTaints, taintsOf } from '../taint/process-labels.ts';
import { isEnded } from './answer.ts';
import { AuditGuard } from './audit-guard.ts';
import { type Begun, requireLive } from './begin-call.ts';
import { createCallIds } from './call-ids.ts';
import { CallJournal } from './call-journal.ts';
import { CallsUnderWay, isEndOfProcess } from './calls-under-way.ts';
import { CarryOut } from './carry-out.ts';
import { type CheckedRequest, checkMs, checkRequest } from './check-request.ts';
import { editCall } from './edit-call.ts';
import { type CallQuestion, explainCall } from './explain-call.ts';
import type { Answer, CallRequest, Gate, Offer, Recovered, UnfinishedCall } from './gate.ts';
import { callNotFound, endingWorkspace, gaveUp } from './gate-faults.ts';
import { GateLife } from './gate-life.ts';
import type { GateParts, GateShared, PreparedCall } from './gate-parts.ts';
import { readRecord } from './journal-record.ts';
import { DRAIN_MS_DEFAULT, GATE_LIMITS, WAIT_MS_MAX } from './limits.ts';
import { createPermits, type Permits } from './permits.ts';
import { recoverCalls } from './recover-calls.ts';
import { redactOwnTokens } from './redact.ts';
import { resolveCall } from './resolve-call.ts';
import { asBefore, reviewCall, reviewedCall } from './review-call.ts';
import { CallRunner } from './run-call.ts';
import { showCall } from './show-call.ts';
import { listUnfinished, UNFINISHED_MAX } from './unfinished-calls.ts';
import { validateInput } from './validate-input.ts';
import { waitForCall } from './wait-for-call.ts';

export function createGate(parts: GateParts): Gate {
  return new SyscallGate({
    ...parts,
    limits: { ...GATE_LIMITS, ...parts.limits },
    redactorOf: (workspace) => parts.redactorOf?.(workspace) ?? redactOwnTokens,
    guard: new AuditGuard(parts.audit),
    underWay: new CallsUnderWay(parts.store),
    waiters: new Waiters(),
    life: new GateLife(),
    stopped: new Set(),
  });
}

class SyscallGate implements Gate {
  readonly #shared: GateShared;
  readonly #journal: CallJournal;
  readonly #runner: CallRunner;
  readonly #carryOut: CarryOut;
  readonly #ids: () => string;
  readonly #leases: Disposable[];

  constructor(shared: GateShared) {
    const { office, store } = shared;
    this.#shared = shared;
    this.#journal = new CallJournal(shared);
    this.#runner = new CallRunner(shared, this.#journal);
    this.#carryOut = new CarryOut(shared, this.#journal, this.#runner);
    this.#ids = createCallIds(shared.clock, shared.random ?? randomBytes);
    this.#leases = [
      office.desk.take({
        ready: () => this.#journal.repair(),
        record: (entry) => this.#journal.recordAnswer(entry),
        deciding: (callId) => this.#journal.deciding(callId),
        recordLater: (entry) => void this.#journal.recordAnswer(entry).catch(() => {}), // It is kept, and stands in the way of the next call.
        edit: (workspace, call, input) => editCall(shared, workspace, call, input),
        show: (workspace, call) => showCall(shared, workspace, call),
        carryOut: (workspace, callId) => this.#carryOut.later(workspace, callId),
      }),
      store.onCommit((workspace, events) => {
        for (const event of events) this.#hear(workspace, event);
      }),
    ];
  }

  get active(): number {
    return this.#shared.life.active;
  }

  async call(workspace: WorkspaceId, request: CallRequest, signal?: AbortSignal): Promise<Answer> {
    const { life } = this.#shared;
    const checked = checkRequest(request);
    this.#requireOpen(signal);
    if (this.#shared.stopped.has(workspace)) throw endingWorkspace(workspace);
    if (!this.#journal.isWhole) await this.#makeWhole(); // Nothing is awaited else: the policy is the one of now.
    life.begin();
    try {
      return await this.#call(workspace, checked, signal);
    } finally {
      life.end();
    }
  }

  async #call(workspace: WorkspaceId, request: CheckedRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const startedMs = performance.now();
    const { capabilities, redactorOf } = this.#shared;
    const redact = redactorOf(workspace);
    const preparing = this.#shared.prepare?.(workspace);
    if (preparing !== undefined) await preparing;
    const callId = this.#ids();
    const resolved = resolveCall(capabilities, request.capability);
    if (resolved.kind === 'refused') return await this.#journal.refuseEarly(workspace, request, callId, resolved.error, startedMs);
    const { capability } = resolved;
    const validated = validateInput(request.pid, capability, request.input, redact);
    if (validated.kind === 'refused') return await this.#journal.refuseEarly(workspace, request, callId, validated.error, startedMs);
    let call: PreparedCall = {
      workspace,
      callId,
      pid: request.pid,
      valid: validated.call,
      redact,
      askedHash: undefined,
      approvalId: undefined,
      idempotencyKey: request.idempotencyKey,
      reasoning: request.reasoning === undefined ? undefined : redact(request.reasoning),
      taint: request.taint,
      deadlineMs: Math.min(request.deadlineMs ?? capability.deadlineMs.default, capability.deadlineMs.max),
      via: request.via,
      onProgress: request.onProgress,
      again: undefined,
    };
    const before = this.#shared.review?.(reviewedCall(call))?.before;
    if (before !== undefined) {
      const reviewed = await reviewCall(this.#shared, call, before, signal);
      if (reviewed.kind === 'refused') return await this.#journal.refuse(call, reviewed.error, undefined, startedMs);
      call = { ...call, ...reviewed.as };
    }
    const tried = await this.#runner.try(call, signal);
    switch (tried.kind) {
      case 'answered':
        return tried.answer;
      case 'refused':
        return await this.#journal.refuse(call, tried.error, tried.record, startedMs);
      case 'known':
        return await this.#sameCall(call, tried.row, request, signal);
      case 'asked':
        return await this.#asked(call, tried.begun, request, signal);
      default:
        tried satisfies never;
        throw new Error('A call was tried to no known end');
    }
  }

  async #asked(
    call: PreparedCall,
    begun: Extract<Begun, { readonly kind: 'asked' }>,
    { onAsk, waitMs }: CheckedRequest,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const { workspace, callId, valid } = call;
    const { approvalId, record, expiresAt } = begun;
    await this.#journal.ask(call, begun);
    if (onAsk === 'wait') return await this.#waitFor({ workspace, callId, waitMs, pid: undefined, signal });
    return { callId, capability: valid.capability.name, tier: record.tier, kind: 'pending', approvalId, expiresAt };
  }

  /** The key is known: what that call came to, comes to, or, if it may be repeated and nobody knows, comes to now. */
  async #sameCall(call: PreparedCall, row: CallRow, request: CheckedRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const { workspace } = call;
    const { id: callId, approvalId } = row;
    if (row.state === 'open' && !isEnded(row) && this.#shared.underWay.find(workspace, callId) === undefined && row.effect !== 'once') {
      if (approvalId === undefined) {
        const { askedHash } = readRecord(row.record);
        const valid = asBefore(call.valid, row, call.redact);
        return await this.#carryOut.again({ ...call, callId, valid, askedHash, again: { row, isApproved: false } }, row);
      }
      await this.#carryOut.tried(workspace, callId); // As it was approved, which may be with other arguments than these.
    }
    const waitMs = approvalId !== undefined && request.onAsk === 'return' ? 0 : request.waitMs;
    return await this.#waitFor({ workspace, callId, waitMs, pid: undefined, signal });
  }

  async result(
    workspace: WorkspaceId,
    callId: string,
    { waitMs = 0, pid }: { readonly waitMs?: number | undefined; readonly pid?: number | undefined } = {},
    signal?: AbortSignal,
  ): Promise<Answer> {
    checkMs(waitMs, 'wait_ms', 0, WAIT_MS_MAX);
    if (typeof callId !== 'string') throw callNotFound('');
    if (signal?.aborted === true) throw gaveUp();
    return await this.#waitFor({ workspace, callId, waitMs, pid, signal });
  }

  #waitFor(wait: Parameters<typeof waitForCall>[2]): Promise<Answer> {
    return waitForCall(this.#shared, this.#journal, wait);
  }

  async cancel(
    workspace: WorkspaceId,
    callId: string,
    { pid, by }: { readonly pid?: number | undefined; readonly by?: Approver | undefined } = {},
  ): Promise<boolean> {
    const watch = this.#shared.underWay.find(workspace, callId);
    if (watch !== undefined) {
      if (pid !== undefined && watch.pid !== pid) throw callNotFound(callId);
      watch.stop({ kind: 'cancelled' });
      return true;
    }
    const row = await this.#shared.store.workspace(workspace).read(({ calls }) => calls.find(callId));
    if (row === undefined || (pid !== undefined && row.pid !== pid)) throw callNotFound(callId);
    if (row.state !== 'asked' || row.approvalId === undefined) return false;
    try {
      await this.#shared.office.approvals(workspace).withdraw(row.approvalId, by, 'the call was cancelled');
      return true;
    } catch (error) {
      if (isFault(error, 'conflict')) return false; // Somebody decided meanwhile.
      throw error;
    }
  }

  async offered(workspace: WorkspaceId, pid: number): Promise<readonly Offer[]> {
    const policy = this.#shared.policyOf(workspace);
    const { agent, held } = await this.#shared.store.workspace(workspace).read((transaction) => ({
      agent: requireLive(transaction, pid).agent ?? '',
      held: transaction.grants.find(pid),
    }));
    if (held === undefined) return [];
    return this.#shared.capabilities.list().flatMap((capability): readonly Offer[] => {
      const { name, tags, defaultTier } = capability;
      if (!isAllowed(held, { kind: 'tool', tool: name })) return [];
      const { mildest } = policy.outlook({ capability: name, tags, agent, defaultTier });
      return mildest === 'blocked' ? [] : [{ name, tier: mildest }];
    });
  }

  permits(workspace: WorkspaceId, pid: number, onChange: () => void): Permits {
    const { store, capabilities, policyOf } = this.#shared;
    return createPermits({ store, capabilities, policyOf, workspace, pid, onChange });
  }

  async explain(workspace: WorkspaceId, question: CallQuestion): Promise<Decision> {
    const { store, capabilities, policyOf } = this.#shared;
    const policy = policyOf(workspace);
    return await store.workspace(workspace).read((transaction) => explainCall(transaction, capabilities, policy, question));
  }

  async unfinished(
    workspace: WorkspaceId,
    { pid, limit = UNFINISHED_MAX }: { readonly pid?: number | undefined; readonly limit?: number | undefined } = {},
  ): Promise<readonly UnfinishedCall[]> {
    return await this.#shared.store
      .workspace(workspace)
      .read((transaction) => listUnfinished(transaction, pid, Math.min(limit, UNFINISHED_MAX)));
  }

  async taints(workspace: WorkspaceId, pid: number): Promise<readonly TaintRow[]> {
    return await this.#shared.store.workspace(workspace).read((transaction) => taintsOf(transaction, pid));
  }

  async clearTaints(workspace: WorkspaceId, pid: number): Promise<number> {
    return await this.#shared.store.workspace(workspace).write((transaction) => clearTaints(transaction, pid));
  }

  async recover(): Promise<Recovered> {
    const { store, budget, audit, guard, underWay, workspaces } = this.#shared;
    const sum = { unknown: 0, audited: 0 };
    for (const workspace of await workspaces()) {
      const recovered = await recoverCalls({
        store: store.workspace(workspace),
        budget,
        search: audit.search.bind(audit),
        append: (entry) => guard.append(entry),
        isUnderWay: (callId) => underWay.find(workspace, callId) !== undefined,
      });
      sum.unknown += recovered.unknown;
      sum.audited += recovered.audited;
    }
    return sum;
  }

  async begin(): Promise<void> {
    await this.#carryOut.begin();
  }

  async stopWorkspace(workspace: WorkspaceId): Promise<Disposable> {
    const { stopped, underWay, waiters } = this.#shared;
    stopped.add(workspace);
    using undo = new DisposableStack();
    undo.defer(() => stopped.delete(workspace));
    await this.#carryOut.stopIn(workspace);
    await underWay.stopIn(workspace, { kind: 'cancelled' });
    await this.#journal.repair(); // What happened there is in the audit, or nothing is deleted.
    this.#journal.forget(workspace);
    undo.move();
    return {
      [Symbol.dispose]: () => {
        stopped.delete(workspace);
        waiters.wakeAll(); // Who waits for an answer of it looks, and finds that it is gone.
      },
    };
  }

  async close({ drainMs = DRAIN_MS_DEFAULT }: { readonly drainMs?: number | undefined } = {}): Promise<void> {
    const { life, waiters, underWay } = this.#shared;
    if (!life.isClosed) {
      life.close();
      waiters.wakeAll();
    }
    this.#carryOut.close();
    if (!(await life.idleWithin(drainMs))) {
      life.cutOff();
      underWay.stopAll({ kind: 'closing' });
      await life.idle(); // Each has a grace to end and is answered without then.
    }
    for (const lease of this.#leases.splice(0)) lease[Symbol.dispose]();
    await this.#journal.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #hear(workspace: WorkspaceId, event: EventRecord): void {
    const { kind, pid, payload } = event;
    const { waiters, underWay } = this.#shared;
    if (kind === 'kernel.call.ended' || kind === 'kernel.approval.decided') waiters.wake(String(payload['call_id']));
    else if (kind.startsWith('kernel.process.') || kind.startsWith('kernel.grant.')) {
      underWay.hear(workspace, event);
      const isFree = kind === 'kernel.process.transitioned' && payload['prev_state'] === 'SUSPENDED';
      if (pid !== undefined && (isFree || isEndOfProcess(event))) {
        void this.#carryOut.resume(workspace, pid).catch(() => {}); // The store is closed or in trouble; a start looks again.
      }
    } else if (kind === 'kernel.agent.resumed' && pid !== undefined) {
      void this.#carryOut.resume(workspace, pid).catch(() => {}); // As above.
    } else if (kind === 'kernel.ledger.granted' || kind === 'kernel.ledger.refunded') this.#carryOut.tryHeld(workspace);
  }

  /** Throws what the disk throws. What was held up by it goes on. */
  async #makeWhole(): Promise<void> {
    await this.#journal.repair();
    this.#carryOut.tryHeld();
  }

  #requireOpen(signal: AbortSignal | undefined): void {
    if (this.#shared.life.isClosed) throw new Fault('unavailable', 'Cannot make the call: Warren is stopping');
    if (signal?.aborted === true) throw gaveUp();
  }
}
