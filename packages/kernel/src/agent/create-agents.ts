/** Agents of one workspace: each change one transaction, the row, its tokens, its processes and the event in it together. */
import { Fault } from '@warren/protocol';
import { parseGrantSet } from '../grant/grant-set.ts';
import { clamp } from '../internal/page.ts';
import { copyPayload } from '../internal/payload.ts';
import { checkGrants } from '../ledger/amounts.ts';
import type { ProcessChanges } from '../process/process-changes.ts';
import type { ReadTransaction, Transaction, WorkspaceStore } from '../store/store.ts';
import type { AgentRow } from '../store/tables/agent-table.ts';
import { PROCESS_STATES, type ProcessRow } from '../store/tables/process-table.ts';
import { checkAgentName } from './agent-name.ts';
import type { Agents, AgentTerms } from './agents.ts';

const AGENTS_MAX = 10_000;
const PURPOSE_CHARACTERS_MAX = 4_096;
const PROGRAM_BYTES_MAX = 65_536;
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;
const LIVE_STATES = PROCESS_STATES.filter((state) => state !== 'DEAD');

export type AgentParts = { readonly store: WorkspaceStore; readonly changes: ProcessChanges };

export function createAgents({ store, changes }: AgentParts): Agents {
  const end = (transaction: Transaction, name: string, reason: string): void => {
    transaction.tokens.revokeOf({ agent: name });
    for (const process of liveProcesses(transaction, name)) {
      // Its parent may have taken it along.
      const current = transaction.processes.find(process.pid);
      if (current !== undefined && current.state !== 'DEAD')
        changes.end(transaction, current, { kind: 'cancelled', detail: { reason } }, { reason });
    }
  };
  return {
    async create(name, terms = {}) {
      checkAgentName(name);
      const { purpose = '', grants = parseGrantSet({}), budgets = {}, program } = checkTerms(terms);
      const row = { name, purpose, grants, budgets, program, state: 'active' } as const;
      return await store.write((transaction) => {
        const { agents, events } = transaction;
        if (agents.find(name) !== undefined) {
          throw new Fault('already_exists', `Cannot create agent ${name}: there is one of this name`, { details: { agent: name } });
        }
        refuseAdoption(transaction, name);
        const count = agents.count();
        if (count >= AGENTS_MAX) {
          throw new Fault('too_large', `Cannot create agent ${name}: there are ${count}, the limit is ${AGENTS_MAX}; delete some first`);
        }
        agents.insert(row);
        events.append({ pid: undefined, kind: 'kernel.agent.created', payload: { agent: name } });
        return requireAgent(transaction, name);
      });
    },

    get: (name) => store.read((transaction) => requireAgent(transaction, name)),

    find: (name) => store.read(({ agents }) => agents.find(name)),

    list: ({ limit, after } = {}) => store.read(({ agents }) => agents.list(clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX), after)),

    async update(name, terms) {
      const checked = checkTerms(terms);
      return await store.write((transaction) => {
        const before = requireAgent(transaction, name);
        transaction.agents.update({ ...before, ...checked });
        transaction.events.append({
          pid: undefined,
          kind: 'kernel.agent.updated',
          payload: { agent: name, changed: Object.keys(checked) },
        });
        return requireAgent(transaction, name);
      });
    },

    async revoke(name) {
      return await store.write((transaction) => {
        const agent = requireAgent(transaction, name);
        if (agent.state === 'revoked') return false;
        transaction.agents.update({ ...agent, state: 'revoked' });
        transaction.events.append({ pid: undefined, kind: 'kernel.agent.revoked', payload: { agent: name } });
        end(transaction, name, 'its agent was revoked');
        return true;
      });
    },

    async restore(name) {
      return await store.write((transaction) => {
        const agent = requireAgent(transaction, name);
        if (agent.state !== 'revoked') return false;
        transaction.agents.update({ ...agent, state: 'active' });
        transaction.events.append({ pid: undefined, kind: 'kernel.agent.restored', payload: { agent: name } });
        return true;
      });
    },

    async delete(name) {
      await store.write((transaction) => {
        requireAgent(transaction, name);
        end(transaction, name, 'its agent was deleted');
        transaction.agents.delete(name);
        transaction.events.append({ pid: undefined, kind: 'kernel.agent.deleted', payload: { agent: name } });
      });
    },
  };
}

function requireAgent({ agents }: ReadTransaction, name: string): AgentRow {
  const agent = agents.find(name);
  if (agent !== undefined) return agent;
  throw new Fault('not_found', `Cannot find agent ${JSON.stringify(String(name).slice(0, 80))}: there is none`, {
    details: { agent: String(name).slice(0, 80) },
  });
}

/** What a process was given by somebody else is not what the agent is made with; nor would showing, revoking or changing it speak of the same. */
function refuseAdoption(transaction: Transaction, name: string): void {
  const [pid] = liveProcesses(transaction, name).map((process) => process.pid);
  if (pid === undefined) return;
  throw new Fault('conflict', `Cannot create agent ${name}: process ${pid} runs under this name, without such an agent; end it first`, {
    details: { agent: name, pid, fix: `warren agent stop ${name}` },
  });
}

function checkTerms({
  purpose,
  grants,
  budgets,
  program,
}: AgentTerms): Partial<Pick<AgentRow, 'purpose' | 'grants' | 'budgets' | 'program'>> {
  return {
    ...(purpose === undefined ? {} : { purpose: checkPurpose(purpose) }),
    ...(grants === undefined ? {} : { grants: parseGrantSet(grants) }),
    ...(budgets === undefined ? {} : { budgets: Object.keys(budgets).length === 0 ? {} : Object.fromEntries(checkGrants(budgets)) }),
    ...(program === undefined
      ? {}
      : { program: program === null ? undefined : copyPayload(program, 'program', 'invalid_payload', PROGRAM_BYTES_MAX) }),
  };
}

function checkPurpose(purpose: string): string {
  const isPlain = typeof purpose === 'string' && purpose.isWellFormed() && !/[\0-\x08\x0b-\x1f\x7f]/.test(purpose);
  if (isPlain && purpose.length <= PURPOSE_CHARACTERS_MAX) return purpose;
  throw new Fault('invalid_argument', `Cannot use purpose: it is no plain text of at most ${PURPOSE_CHARACTERS_MAX} characters`, {
    details: { field: 'purpose' },
  });
}

function liveProcesses({ processes }: Transaction, agent: string): readonly ProcessRow[] {
  return LIVE_STATES.flatMap((state) => processes.list({ agent, state }, { limit: Number.MAX_SAFE_INTEGER, offset: 0 }));
}
