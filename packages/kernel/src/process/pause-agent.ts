/**
 * Agents that people have paused: a row that stays until somebody resumes the agent, whatever becomes of its processes and of the daemon; an agent need not be kept to be paused. None of its processes, those to
 * come included, makes a call meanwhile; those that run or wait are suspended, and go on when they were suspended by this and nothing else.
 */
import type { ReadTransaction, Transaction } from '../store/store.ts';
import { PROCESS_STATES, type ProcessRow } from '../store/tables/process-table.ts';
import { OWN_SCOPE } from '../store/tables/state-table.ts';
import type { ProcessChanges } from './process-changes.ts';

const SCOPE = `${OWN_SCOPE}paused-agents`;
const REASON = 'agent_paused';
const PAGE = 1_000;
const LIVE = PROCESS_STATES.filter((state) => state !== 'DEAD');

export function isPaused({ state }: ReadTransaction, agent: string): boolean {
  return agent !== '' && state.find(SCOPE, agent) !== undefined;
}

/** Suspended, or of an agent that is paused. */
export function isStopped(transaction: ReadTransaction, { state, agent = '' }: Pick<ProcessRow, 'state' | 'agent'>): boolean {
  return state === 'SUSPENDED' || isPaused(transaction, agent);
}

/** Whether it was not before. */
export function pauseAgent(transaction: Transaction, changes: ProcessChanges, agent: string): boolean {
  if (isPaused(transaction, agent)) return false;
  const { state, events, now } = transaction;
  const always = { expiresAt: undefined, owner: '', writer: '', readers: undefined, writers: undefined } as const;
  const version = state.lastVersion(SCOPE, agent) + 1;
  state.put({ ...always, scope: SCOPE, key: agent, value: true, version, sizeBytes: 4, createdAt: now, updatedAt: now }, 0);
  for (const process of liveOf(transaction, agent)) {
    const causationId = events.append({ pid: process.pid, kind: 'kernel.agent.paused', payload: { agent } });
    if (process.state === 'RUNNING' || process.state === 'WAITING')
      changes.move(transaction, process, 'SUSPENDED', { reason: REASON, causationId });
  }
  return true;
}

/** Whether it was paused. */
export function resumeAgent(transaction: Transaction, changes: ProcessChanges, agent: string): boolean {
  if (!isPaused(transaction, agent)) return false;
  const { state, events, now } = transaction;
  state.delete(SCOPE, agent, { version: state.lastVersion(SCOPE, agent) + 1, at: now, writer: '' }, 0);
  for (const process of liveOf(transaction, agent)) {
    const causationId = events.append({ pid: process.pid, kind: 'kernel.agent.resumed', payload: { agent } });
    if (process.state === 'SUSPENDED' && process.stateReason === REASON) changes.move(transaction, process, 'READY', { causationId });
  }
  return true;
}

function liveOf({ processes }: ReadTransaction, agent: string): readonly ProcessRow[] {
  const found: ProcessRow[] = [];
  for (const state of LIVE) {
    for (let offset = 0; ; offset += PAGE) {
      const page = processes.list({ agent, state }, { limit: PAGE, offset });
      found.push(...page);
      if (page.length < PAGE) break;
    }
  }
  return found;
}
