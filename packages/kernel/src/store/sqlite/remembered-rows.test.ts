import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../internal/clock.ts';
import type { ReadTransaction, Store, Transaction } from '../store.ts';
import type { GrantSet } from '../tables/grant-table.ts';
import { OWN_SCOPE } from '../tables/state-table.ts';
import { openSqliteStore } from './sqlite-store.ts';

const PIDS = [1, 2];
const OWN = `${OWN_SCOPE}paused-agents`;
const ACCOUNTS = ['process:1', 'agent:a', 'workspace'];

type Step = { readonly what: keyof typeof CHANGES; readonly pid: number; readonly number: number; readonly isUndone: boolean };

const grantsOf = (number: number): GrantSet => ({
  tools: [`tool${number}`],
  paths: [],
  hosts: [],
  models: [],
  subAgents: number % 2 === 0,
});
const require = <T>(row: T | undefined): T => {
  if (row === undefined) throw new Error('There is no such row');
  return row;
};

const CHANGES = {
  suspend: ({ processes }, pid, number) => processes.updateState({ ...require(processes.find(pid)), stateReason: `reason ${number}` }),
  detach: ({ processes }, pid, number) => processes.update({ ...require(processes.find(pid)), parentPid: number % pid || undefined }),
  give: ({ grants }, pid, number) => grants.insert({ ...grantsOf(number), pid, parentGrantId: grants.find(1)?.grantId, createdAt: 0 }),
  narrow: ({ grants }, pid, number) => grants.update(pid, grantsOf(number)),
  take: ({ grants }, pid) => grants.delete(pid),
  budget: ({ ledger }, pid, number) =>
    ledger.insert({ account: accountOf(number), dim: `dim${pid}`, used: 0, reserved: 0, granted: 5, warnAt: 1, onBreach: 'deny' }),
  charge: ({ ledger }, pid, number) => ledger.setUsed(accountOf(number), `dim${pid}`, number),
  grant: ({ ledger }, pid, number) => ledger.setGranted(accountOf(number), `dim${pid}`, number + 1),
  reserve: ({ ledger }, pid, number) => ledger.addReserved(accountOf(number), `dim${pid}`, number - 4),
  taint: ({ taints }, pid, number) => taints.add({ pid, label: `label${number}`, since: 0, callId: undefined }),
  clear: ({ taints }, pid) => taints.clear(pid),
  hold: ({ state }, pid, number) =>
    state.put({ ...VALUE, key: keyOf(pid), value: number, version: state.lastVersion(OWN, keyOf(pid)) + 1 }, 0),
  release: ({ state }, pid, number) =>
    state.delete(OWN, keyOf(pid), { version: state.lastVersion(OWN, keyOf(pid)) + 1, at: number, writer: '' }, 0),
  admit: ({ tokens }, pid, number) => tokens.insert({ ...TOKEN, id: `token${pid}${number % 2}`, hash: hashOf(pid, number), pid }),
  revoke: ({ tokens }, pid, number) => tokens.revoke(`token${pid}${number % 2}`),
  end: ({ processes }, pid) => processes.updateState({ ...require(processes.find(pid)), state: 'DEAD', exitKind: 'completed', endedAt: 1 }),
  begin: ({ processes }, pid) =>
    processes.updateState({ ...require(processes.find(pid)), state: 'READY', exitKind: undefined, endedAt: undefined }),
} as const satisfies Record<string, (transaction: Transaction, pid: number, number: number) => unknown>;

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...(Object.keys(CHANGES) as Step['what'][])), // It has no others.
  pid: fc.constantFrom(...PIDS),
  number: fc.nat(9),
  isUndone: fc.integer({ min: 0, max: 3 }).map((number) => number === 0),
});

describe('rows that are remembered', () => {
  it('are those of the file, whatever was written and undone, alone and with others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 }), async (groups) => {
        await using opened = await open();
        const mine = opened.store.workspace(DEFAULT_WORKSPACE);
        for (const group of groups) {
          await Promise.allSettled(group.map((each) => mine.write((transaction) => apply(transaction, each))));
          await using fresh = openSqliteStore({ directory: opened.directory, clock: createClock(), isReadOnly: true });
          expect(await mine.read(look)).toEqual(await fresh.workspace(DEFAULT_WORKSPACE).read(look));
        }
      }),
      { numRuns: 60 },
    );
  });
});

function apply(transaction: Transaction, { what, pid, number, isUndone }: Step): void {
  look(transaction);
  CHANGES[what](transaction, pid, number);
  look(transaction);
  if (isUndone) throw new Error('The body fails after it wrote');
}

function look({ processes, grants, ledger, taints, state, tokens }: ReadTransaction) {
  return {
    own: PIDS.map((pid) => state.find(OWN, keyOf(pid))),
    tokens: PIDS.flatMap((pid) => [0, 1].map((number) => tokens.findValid(hashOf(pid, number)))),
    processes: PIDS.map((pid) => processes.find(pid)),
    lineages: PIDS.map((pid) => ledger.accountsOf(pid)),
    grants: PIDS.map((pid) => grants.find(pid)),
    taints: PIDS.map((pid) => taints.of(pid)),
    rows: [...ledger.rows(ACCOUNTS), ...ledger.rows(ACCOUNTS, 'dim1'), ledger.find('agent:a', 'dim2'), ledger.findBreached(ACCOUNTS)],
  };
}

function keyOf(pid: number): string {
  return `agent ${pid}`;
}

function hashOf(pid: number, number: number): string {
  return `${pid}${number % 2}`.padEnd(64, '0');
}

function accountOf(number: number): string {
  return ACCOUNTS[number % ACCOUNTS.length] ?? '';
}

async function open(): Promise<AsyncDisposable & { readonly store: Store; readonly directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-remembered-'));
  const store = openSqliteStore({ directory, clock: createClock() });
  await store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: DEFAULT_WORKSPACE, createdAt: now, settings: {} }));
  await store.workspace(DEFAULT_WORKSPACE).write((transaction) => {
    for (const pid of PIDS) {
      transaction.processes.insert({ ...PROCESS, createdAt: 0, updatedAt: 0 });
      CHANGES.give(transaction, pid, 0);
      for (const number of ACCOUNTS.keys()) CHANGES.budget(transaction, pid, number);
    }
  });
  return {
    store,
    directory,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const VALUE = {
  scope: OWN,
  sizeBytes: 1,
  createdAt: 0,
  updatedAt: 0,
  expiresAt: undefined,
  owner: '',
  writer: '',
  readers: undefined,
  writers: undefined,
} as const;

const TOKEN = {
  agent: undefined,
  person: undefined,
  role: undefined,
  label: '',
  owner: 'somebody',
  madeBy: undefined,
  groups: [],
  expiresAt: undefined,
} as const;

const PROCESS = {
  parentPid: undefined,
  name: 'one',
  template: 'one',
  agent: 'a',
  state: 'RUNNING',
  stateReason: undefined,
  onParentEnd: 'end',
  pendingSignal: undefined,
  startedAt: undefined,
  endedAt: undefined,
  exitKind: undefined,
  exitDetail: undefined,
  metadata: {},
} as const;
