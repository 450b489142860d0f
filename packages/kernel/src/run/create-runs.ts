/** Runs of one workspace: each operation one transaction. */
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { clamp } from '../internal/page.ts';
import { checkWord, serializePayload } from '../internal/payload.ts';
import { answerSignal } from '../process/answer-signal.ts';
import { completeEntry, creditEntry } from '../schedule/end-attempt.ts';
import type { EntryParts } from '../schedule/entry-parts.ts';
import type { ReadTransaction, Transaction, WorkspaceStore } from '../store/store.ts';
import type { ExitKind } from '../store/tables/process-table.ts';
import type { QueueRow } from '../store/tables/queue-table.ts';
import type { NewRunStep, RunOutcome, RunRow } from '../store/tables/run-table.ts';
import {
  type CheckedPark,
  type CheckedRun,
  checkEnd,
  checkFilter,
  checkLease,
  checkPark,
  checkRun,
  checkSteps,
  checkUsed,
  requireRoom,
} from './check-run.ts';
import { appendSteps, endRun, endWithProcess, enqueueRun, requireRun, stateOf, wakeRun } from './run-changes.ts';
import type { RunLease, RunRecord, RunSummary, Runs } from './runs.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;
const STEPS_DEFAULT = 1_000;
const STEPS_MAX = 10_000;
const WHY_BYTES_MAX = 1_024;

export type RunParts = EntryParts & {
  readonly store: WorkspaceStore;
  /** Whether a call of the gate has been answered, or is not known any more. */
  readonly isCallOver: (transaction: ReadTransaction, callId: string) => boolean;
};

export function createRuns(parts: RunParts): Runs {
  const { store } = parts;
  return {
    async create(request) {
      const checked = checkRun(request);
      return await store.write((transaction) => toRecord(transaction, createRun(transaction, parts, checked)));
    },

    get: (id) => store.read((transaction) => toRecord(transaction, requireRun(transaction, id))),

    find: (id) =>
      store.read((transaction) => {
        const row = transaction.runs.find(id);
        return row === undefined ? undefined : toRecord(transaction, row);
      }),

    current: (pid) =>
      store.read((transaction) => {
        const row = transaction.runs.findLive(pid);
        return row === undefined ? undefined : toSummary(transaction, row);
      }),

    async list(filter = {}, { limit, before } = {}) {
      const checked = checkFilter(filter);
      return await store.read((transaction) =>
        transaction.runs.list(checked, clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX), before).map((row) => toSummary(transaction, row)),
      );
    },

    steps: (id, { after, limit } = {}) =>
      store.read((transaction) => {
        const { runs } = transaction;
        return runs.steps(
          requireRun(transaction, id).id,
          clamp(after, -1, -1, Number.MAX_SAFE_INTEGER),
          clamp(limit, STEPS_DEFAULT, 1, STEPS_MAX),
        );
      }),

    async append(id, lease, steps, used = {}) {
      const [held, checked, amounts] = [checkLease(lease), checkSteps(steps), checkUsed(used)];
      return await store.write((transaction) => {
        const { row, entry } = requireLease(transaction, id, held);
        requireRoom(row, checked, 1);
        appendSteps(transaction, row, checked, amounts);
        creditEntry(transaction, entry);
        return row.steps;
      });
    },

    async post(id, message) {
      const step: NewRunStep = { kind: 'message', json: serializePayload(message, 'message', 'invalid_payload') };
      return await store.write((transaction) => {
        const row = requireLive(transaction, id, 'post to');
        requireRoom(row, [step], 2);
        wakeRun(transaction, parts, appendSteps(transaction, row, [step]));
        return row.steps;
      });
    },

    async park(id, lease, park) {
      const [held, checked] = [checkLease(lease), checkPark(park)];
      return await store.write((transaction) => parkRun(transaction, parts, requireLease(transaction, id, held), checked));
    },

    wake: (id) => store.write((transaction) => wakeRun(transaction, parts, requireRun(transaction, id))),

    async end(id, lease, outcome, result, { after } = {}) {
      const [held, checked] = [checkLease(lease), checkEnd(outcome, result)];
      return await store.write((transaction) => {
        const { row, entry } = requireLease(transaction, id, held);
        if (after !== undefined && transaction.runs.hasStep(id, 'message', after)) return undefined;
        endRun(transaction, parts, row, { outcome, result: checked });
        completeEntry(transaction, parts, entry, { exitKind: exitOf(outcome), endsProcess: true, detail: { run: id, outcome } });
        return toRecord(transaction, requireRun(transaction, id));
      });
    },

    async stop(id, why) {
      checkWord(why, 'why', 'invalid_payload', WHY_BYTES_MAX);
      return await store.write((transaction) => {
        const row = requireRun(transaction, id);
        if (row.endedAt === undefined) stopRun(transaction, parts, row, why);
        return toSummary(transaction, requireRun(transaction, id));
      });
    },
  };
}

function createRun(transaction: Transaction, parts: RunParts, { pid, title, session, priority, first }: CheckedRun): RunRow {
  const process = parts.changes.require(transaction, pid);
  if (process.state === 'DEAD') throw refused(pid, 'it has ended');
  const other = transaction.runs.findLive(pid);
  if (other !== undefined) throw refused(pid, `it has run ${other.id}, which has not ended`);
  const parent = process.parentPid === undefined ? undefined : transaction.runs.findLive(process.parentPid)?.id;
  const { agent } = process;
  const row = { pid, agent, parent, session, title, priority, entry: undefined, waitsFor: undefined };
  const id = transaction.runs.insert(row);
  const inserted = requireRun(transaction, id);
  const { id: entry } = enqueueRun(transaction, parts, inserted);
  transaction.runs.update({ ...inserted, entry });
  const payload = { run: id, agent: agent ?? null, parent: parent ?? null, session: session ?? null, title, priority, sched_id: entry };
  const causationId = transaction.events.append({ pid, kind: 'kernel.run.created', payload });
  return appendSteps(transaction, requireRun(transaction, id), [first], { causationId });
}

/** What it waits for that has come already is looked at in the transaction that lets it wait: nothing comes in between. */
function parkRun(transaction: Transaction, parts: RunParts, { row, entry }: Held, park: CheckedPark): ReturnType<typeof stateOfParked> {
  const { id, pid } = row;
  const hasCome = isThere(transaction, parts, row, park);
  const { waitsFor } = park;
  transaction.runs.update({ ...row, entry: undefined, waitsFor }); // First, so that the end of the entry is nothing that it has to follow.
  completeEntry(transaction, parts, entry, { exitKind: 'completed', endsProcess: false, detail: { run: id } });
  const parked = requireRun(transaction, id);
  if (parked.endedAt !== undefined) return 'ended'; // It was asked to while it ran.
  const alarm = hasCome || park.until === undefined ? undefined : enqueueRun(transaction, parts, parked, park.until).id;
  transaction.runs.update({ ...parked, entry: alarm });
  const payload = { run: id, after: park.after, ...waitsFor, sched_id: alarm ?? null };
  const causationId = transaction.events.append({ pid, kind: 'kernel.run.waiting', payload });
  if (hasCome) wakeRun(transaction, parts, requireRun(transaction, id), causationId);
  return stateOfParked(transaction, requireRun(transaction, id));
}

function stateOfParked(transaction: ReadTransaction, row: RunRow): 'queued' | 'waiting' | 'ended' {
  const state = stateOf(transaction, row);
  return state === 'running' ? 'queued' : state; // Nobody claims it within this transaction.
}

/** Throws `invalid_argument`. */
function isThere(transaction: ReadTransaction, { isCallOver }: RunParts, { id }: RunRow, { after, calls, runs }: CheckedPark): boolean {
  const children = runs.map((each) => transaction.runs.find(each));
  const stranger = children.find((each) => each !== undefined && each.parent !== id);
  if (stranger !== undefined)
    throw new Fault('invalid_argument', `Cannot let run ${id} wait for run ${stranger.id}: it did not start it`, {
      details: { field: 'runs' },
    });
  return (
    children.some((each) => each === undefined || each.endedAt !== undefined) || // One that is gone ended long ago.
    calls.some((each) => isCallOver(transaction, each)) ||
    transaction.runs.hasStep(id, 'message', after)
  );
}

/** Who has it under a lease ends it; he is told by the signal, and by the journal why. */
function stopRun(transaction: Transaction, parts: RunParts, row: RunRow, why: string): void {
  const process = parts.changes.require(transaction, row.pid);
  if (stateOf(transaction, row) !== 'running' || process.state !== 'RUNNING') {
    const exit = { kind: 'cancelled', detail: { run: row.id, reason: why } } as const;
    endWithProcess(transaction, parts, row, { outcome: 'stopped', result: { reason: why } }, exit);
  } else if (process.pendingSignal !== 'terminate') {
    appendSteps(transaction, row, [{ kind: 'note', json: JSON.stringify({ kind: 'stop', reason: why }) }]);
    answerSignal(transaction, parts.changes, process, 'terminate');
  }
}

type Held = { readonly row: RunRow; readonly entry: QueueRow };

/** Whoever goes on with a run has begun it, and it waits no more, if its time had come. Throws `not_found`, `lease_lost`. */
function requireLease(transaction: Transaction, id: number, { entry: entryId, fence }: RunLease): Held {
  const row = requireRun(transaction, id);
  const entry = row.entry === entryId ? transaction.queue.find(entryId) : undefined;
  if (entry?.state !== 'dispatched' || entry.fence !== fence) {
    const state = stateOf(transaction, row);
    throw new Fault(
      'lease_lost',
      `Cannot go on with run ${id} under claim ${fence} of queue entry ${entryId}: it is ${state}, and not under this claim`,
      {
        details: { run: id, sched_id: entryId, fence },
      },
    );
  }
  if (row.startedAt !== undefined && row.waitsFor === undefined) return { row, entry };
  const begun = { ...row, startedAt: row.startedAt ?? transaction.now, waitsFor: undefined };
  transaction.runs.update(begun);
  transaction.events.append({ pid: row.pid, kind: 'kernel.run.started', payload: { run: id, sched_id: entryId } });
  return { row: begun, entry };
}

/** Throws `not_found`, `conflict`. */
function requireLive(transaction: ReadTransaction, id: number, action: string): RunRow {
  const row = requireRun(transaction, id);
  if (row.endedAt === undefined) return row;
  throw new Fault('conflict', `Cannot ${action} run ${id}: it has ended (${row.outcome})`, { details: { run: id, state: 'ended' } });
}

function exitOf(outcome: RunOutcome): ExitKind {
  return outcome === 'completed' ? 'completed' : outcome === 'stopped' ? 'cancelled' : 'failed';
}

function toSummary(transaction: ReadTransaction, row: RunRow): RunSummary {
  return { ...row, state: stateOf(transaction, row) };
}

/** What it was asked stands in its first step, and what came of it in its last. */
function toRecord(transaction: ReadTransaction, row: RunRow): RunRecord {
  const { task = {}, terms = {} } = (transaction.runs.step(row.id, 0)?.body ?? {}) as {
    readonly task?: JsonObject;
    readonly terms?: JsonObject;
  }; // `createRun` wrote it.
  const last = row.endedAt === undefined ? undefined : transaction.runs.step(row.id, row.steps - 1);
  const result = last?.kind === 'end' ? (last.body['result'] as JsonObject) : undefined; // `endRun` wrote it.
  return { ...toSummary(transaction, row), task, terms, result };
}

function refused(pid: number, why: string): Fault {
  return new Fault('conflict', `Cannot create a run of process ${pid}: ${why}`, { details: { pid } });
}
