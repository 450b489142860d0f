/** The process table: each operation one transaction, the row and its event in it together. */
import { Fault } from '@warren/protocol';
import { clampPage } from '../internal/page.ts';
import { checkPayload, checkWord } from '../internal/payload.ts';
import type { ReadTransaction, Transaction, WorkspaceStore } from '../store/store.ts';
import {
  CHILDREN_MAX,
  DEPTH_MAX,
  EXIT_KINDS,
  PARENT_END_POLICIES,
  PROCESS_STATES,
  type ProcessRow,
  type ProcessState,
  SIGNALS,
} from '../store/tables/process-table.ts';
import { addLabels, labelsOf } from '../taint/process-labels.ts';
import { answerSignal, unexpected } from './answer-signal.ts';
import { isPaused, isStopped, pauseAgent, resumeAgent } from './pause-agent.ts';
import type { Change, ProcessChanges } from './process-changes.ts';
import type { CreateProcess, Moved, Processes, ProcessRecord } from './processes.ts';

export type ProcessParts = {
  readonly store: WorkspaceStore;
  readonly changes: ProcessChanges;
  /** Whether this parent may have children; throws if not. */
  readonly allowChild: (transaction: Transaction, parentPid: number) => void;
};

export function createProcesses({ store, changes, allowChild }: ProcessParts): Processes {
  return {
    async create(request) {
      const checked = checkRequest(request);
      return await store.write((transaction) => {
        if (checked.parentPid !== undefined) checkParent(transaction, checked.parentPid, changes, allowChild);
        return record(transaction, insert(transaction, checked));
      });
    },

    async get(pid) {
      return await store.read((transaction) => {
        const found = find(transaction, pid);
        if (found === undefined) throw new Fault('unknown_pid', `Cannot find process ${pid}: it does not exist`, { details: { pid } });
        return found;
      });
    },

    find: (pid) => store.read((transaction) => find(transaction, pid)),

    async list(filter = {}, page = {}) {
      if (filter.state !== undefined) checkState(filter.state);
      return await store.read((transaction) => ({
        processes: transaction.processes.list(filter, clampPage(page)).map((row) => record(transaction, row)),
        total: transaction.processes.count(filter),
      }));
    },

    async transition(pid, target, { reason, expected } = {}) {
      checkState(target);
      if (reason !== undefined) checkWord(reason, 'reason', 'invalid_payload', REASON_BYTES_MAX);
      return await store.write((transaction) => {
        const process = changes.require(transaction, pid);
        if (expected !== undefined && process.state !== expected) throw unexpected(process, target);
        return moved(
          target === 'DEAD'
            ? changes.end(transaction, process, { kind: undefined }, { reason })
            : changes.move(transaction, process, target, { reason }),
        );
      });
    },

    async end(pid, exitKind, exitDetail) {
      if (!EXIT_KINDS.includes(exitKind)) throw invalid('exit_kind', EXIT_KINDS);
      const detail = exitDetail === undefined ? undefined : checkPayload(exitDetail, 'exit_detail', 'invalid_payload');
      return await store.write((transaction) =>
        moved(changes.end(transaction, changes.require(transaction, pid), { kind: exitKind, detail })),
      );
    },

    async signal(pid, signal) {
      if (!SIGNALS.includes(signal)) throw invalid('signal', SIGNALS);
      return await store.write((transaction) => {
        answerSignal(transaction, changes, changes.require(transaction, pid), signal);
        return record(transaction, changes.require(transaction, pid));
      });
    },

    async pauseAgent(agent) {
      checkWord(agent, 'agent', 'invalid_argument');
      return await store.write((transaction) => pauseAgent(transaction, changes, agent));
    },

    resumeAgent: (agent) => store.write((transaction) => resumeAgent(transaction, changes, agent)),
    isPaused: (agent) => store.read((transaction) => isPaused(transaction, agent)),

    isStopped: (pid) =>
      store.read((transaction) => {
        const process = transaction.processes.find(pid);
        return process !== undefined && isStopped(transaction, process);
      }),

    tree: (pid) => store.read((transaction) => readTree(transaction, pid)),
  };
}

const REASON_BYTES_MAX = 1_024;

type Checked = Pick<ProcessRow, 'name' | 'template' | 'parentPid' | 'agent' | 'onParentEnd' | 'metadata'>;

function checkRequest({ name, template, parentPid, agent, onParentEnd = 'end', metadata = {} }: CreateProcess): Checked {
  checkWord(name, 'name', 'invalid_payload');
  checkWord(template, 'template', 'invalid_payload');
  if (agent !== undefined) checkWord(agent, 'agent', 'invalid_payload');
  if (!PARENT_END_POLICIES.includes(onParentEnd)) throw invalid('on_parent_end', PARENT_END_POLICIES);
  return { name, template, parentPid, agent, onParentEnd, metadata: checkPayload(metadata, 'metadata', 'invalid_payload') };
}

function checkParent(transaction: Transaction, parentPid: number, changes: ProcessChanges, allowChild: ProcessParts['allowChild']): void {
  const parent = changes.require(transaction, parentPid);
  if (parent.state === 'DEAD') throw unexpected(parent, 'READY', `Cannot create a child of process ${parentPid}: it is DEAD`);
  allowChild(transaction, parentPid);
  const children = transaction.processes.countLiveChildren(parentPid, CHILDREN_MAX);
  if (children >= CHILDREN_MAX) {
    throw new Fault('quota_exceeded', `Cannot create a child of process ${parentPid}: it has ${children}, the limit is ${CHILDREN_MAX}`, {
      details: { pid: parentPid, dim: 'children', used: children, hard_limit: CHILDREN_MAX },
    });
  }
  const depth = transaction.processes.ancestry(parentPid).length;
  if (depth >= DEPTH_MAX) {
    throw new Fault('invalid_payload', `Cannot create a child of process ${parentPid}: it is ${depth} deep, the limit is ${DEPTH_MAX}`, {
      details: { field: 'parent_pid' },
    });
  }
}

/** A child acts for the agent of its parent unless it was said for whom, and has read what its parent has read. */
function insert(transaction: Transaction, request: Checked): ProcessRow {
  const { now } = transaction;
  const parent = request.parentPid === undefined ? undefined : transaction.processes.find(request.parentPid);
  const row: Omit<ProcessRow, 'pid'> = {
    ...request,
    agent: request.agent ?? parent?.agent,
    state: 'READY',
    stateReason: undefined,
    pendingSignal: undefined,
    createdAt: now,
    updatedAt: now,
    startedAt: undefined,
    endedAt: undefined,
    exitKind: undefined,
    exitDetail: undefined,
  };
  const pid = transaction.processes.insert(row);
  const { name, template, parentPid = null, agent = null, onParentEnd, metadata } = row;
  const payload = { name, template, parent_pid: parentPid, agent, on_parent_end: onParentEnd, metadata };
  const causationId = transaction.events.append({ pid, kind: 'kernel.process.created', payload });
  if (parent !== undefined) addLabels(transaction, pid, labelsOf(transaction, parent.pid), { causationId });
  return { ...row, pid };
}

function readTree(transaction: ReadTransaction, pid: number): readonly ProcessRecord[] {
  const root = transaction.processes.find(pid);
  if (root === undefined) throw new Fault('unknown_pid', `Cannot find process ${pid}: it does not exist`, { details: { pid } });
  const found: ProcessRow[] = [root];
  for (let index = 0; index < found.length && found.length < TREE_MAX; index++) {
    const parentPid = found[index]?.pid;
    if (parentPid !== undefined) found.push(...transaction.processes.list({ parentPid }, { limit: TREE_MAX - found.length, offset: 0 }));
  }
  return found.map((row) => record(transaction, row));
}

const TREE_MAX = 10_000;

function find(transaction: ReadTransaction, pid: number): ProcessRecord | undefined {
  const row = transaction.processes.find(pid);
  return row === undefined ? undefined : record(transaction, row);
}

function record(transaction: ReadTransaction, row: ProcessRow): ProcessRecord {
  return { ...row, lastEventId: transaction.events.lastIdOf(row.pid) };
}

function moved({ before, after, eventId }: Change): Moved {
  return { pid: after.pid, prevState: before.state, state: after.state, eventId };
}

function checkState(state: ProcessState): void {
  if (!PROCESS_STATES.includes(state)) throw invalid('state', PROCESS_STATES);
}

function invalid(field: string, allowed: readonly string[]): Fault {
  return new Fault('invalid_payload', `Cannot use ${field}: it is none of ${allowed.join(', ')}`, { details: { field } });
}
