import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { Store, Transaction } from '../store.ts';
import type { LedgerRow } from '../tables/ledger-table.ts';
import { DEPTH_MAX, type ProcessRow, type ProcessState } from '../tables/process-table.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const OTHER = 'other' as WorkspaceId; // Valid.

const budget = (account: string, dim = 'tokens', changes: Partial<LedgerRow> = {}): LedgerRow => ({
  account,
  dim,
  used: 0,
  reserved: 0,
  granted: 100,
  warnAt: 0.8,
  onBreach: 'suspend',
  ...changes,
});

function insertProcess({ processes, now }: Transaction, row: Partial<ProcessRow> = {}): number {
  return processes.insert({
    parentPid: undefined,
    name: 'a',
    template: 't',
    agent: undefined,
    state: 'READY',
    stateReason: undefined,
    onParentEnd: 'orphan',
    pendingSignal: undefined,
    createdAt: now,
    updatedAt: now,
    startedAt: undefined,
    endedAt: undefined,
    exitKind: undefined,
    exitDetail: undefined,
    metadata: {},
    ...row,
  });
}

/** Processes 1, 2, … of these states, each the child of the one before. */
function insertFamily(transaction: Transaction, states: readonly ProcessState[], agents: readonly (string | undefined)[] = []): void {
  for (const [index, state] of states.entries())
    insertProcess(transaction, { state, agent: agents[index], parentPid: index === 0 ? undefined : index });
}

const hold = (amount: number) => ({ account: 'workspace', dim: 'tokens', amount });
const addOther = (store: Store) =>
  store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));

export function testLedger(name: string, open: OpenStore): void {
  describe(`budgets of the store on ${name}`, () => {
    it('are found as they were inserted, also after a restart, and with the largest numbers', async () => {
      await using under = await open();
      const most = Number.MAX_SAFE_INTEGER;
      const row = budget('agent:ключ: "a"', "it's", { used: most, granted: most, warnAt: 0.1, onBreach: 'kill' });
      await under.store.workspace(MINE).write(({ ledger }) => ledger.insert(row));
      await under.reopen();
      expect(await under.store.workspace(MINE).read(({ ledger }) => ledger.find(row.account, row.dim))).toEqual(row);
    });

    it('are one for each account and dimension', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      await mine.write(({ ledger }) => ledger.insert(budget('process:1')));
      await expect(mine.write(({ ledger }) => ledger.insert(budget('process:1')))).rejects.toThrow();
    });

    it('are changed one number at a time', async () => {
      await using under = await open();
      const found = await under.store.workspace(MINE).write(({ ledger }) => {
        for (const dim of ['tokens', 'cpu_s']) ledger.insert(budget('process:1', dim));
        ledger.setUsed('process:1', 'tokens', 7);
        ledger.setGranted('process:1', 'tokens', 5);
        ledger.addReserved('process:1', 'tokens', 9);
        ledger.addReserved('process:1', 'tokens', -6);
        return ledger.rows(['process:1']);
      });
      expect(found).toEqual([budget('process:1', 'tokens', { used: 7, granted: 5, reserved: 3 }), budget('process:1', 'cpu_s')]);
    });

    it('cannot be changed where there are none, nor to less than nothing reserved', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      await mine.write(({ ledger }) => ledger.insert(budget('process:1')));
      await expect(mine.write(({ ledger }) => ledger.setUsed('process:1', 'cpu_s', 1))).rejects.toThrow();
      await expect(mine.write(({ ledger }) => ledger.addReserved('process:2', 'tokens', 1))).rejects.toThrow();
      await expect(mine.write(({ ledger }) => ledger.addReserved('process:1', 'tokens', -1))).rejects.toThrow();
    });

    it('come in the order of the accounts asked for and then of creation', async () => {
      await using under = await open();
      const found = await under.store.workspace(MINE).write(({ ledger }) => {
        for (const [
          account,
          dim,
        ] of [['workspace', 'b'], ['process:1', 'z'], ['agent:a', 'b'], ['process:1', 'b'], ['process:1', 'c'], ['process:2', 'b']] as const) // biome-ignore format: one line
          ledger.insert(budget(account, dim));
        const accounts = ['process:1', 'process:9', 'agent:a', 'workspace'];
        return [ledger.rows(accounts), ledger.rows(accounts, 'b'), ledger.rows([])];
      });
      expect(found.map((rows) => rows.map(({ account, dim }) => `${account} ${dim}`))).toEqual([
        ['process:1 z', 'process:1 b', 'process:1 c', 'agent:a b', 'workspace b'],
        ['process:1 b', 'agent:a b', 'workspace b'],
        [],
      ]);
    });

    it('are breached when more is used than granted, listed by pid, then agent, then workspace', async () => {
      await using under = await open();
      const found = await under.store.workspace(MINE).write(({ ledger }) => {
        for (const account of ['workspace', 'agent:b', 'agent:a', 'process:10', 'process:9', 'process:8'])
          for (const dim of ['tokens', 'cpu_s']) ledger.insert(budget(account, dim, { used: account === 'process:8' ? 100 : 101 }));
        return {
          listed: ledger.breached(100).map(({ account, dim }) => `${account} ${dim}`),
          two: ledger.breached(2).length,
          count: ledger.count(),
          none: ledger.findBreached(['process:8', 'process:7']),
          one: ledger.findBreached(['process:8', 'agent:b'])?.account,
        };
      });
      expect(found).toEqual({
        listed: ['process:9', 'process:10', 'agent:a', 'agent:b', 'workspace'].flatMap((each) => [`${each} cpu_s`, `${each} tokens`]),
        two: 2,
        count: { accounts: 6, breached: 10 },
        none: undefined,
        one: 'agent:b',
      });
    });

    it('belong to their workspace', async () => {
      await using under = await open();
      await addOther(under.store);
      await under.store.workspace(MINE).write((transaction) => {
        insertProcess(transaction);
        transaction.ledger.insert(budget('process:1', 'tokens', { used: 101 }));
        transaction.ledger.insertReservation({ pid: 1, createdAt: 0, holds: [] });
      });
      const seen = await under.store.workspace(OTHER).read(({ ledger }) => ({
        accounts: ledger.accountsOf(1),
        payers: [ledger.payers('workspace'), ledger.payers('process:1')],
        rows: [
          ledger.find('process:1', 'tokens'),
          ...ledger.rows(['process:1']),
          ...ledger.breached(10),
          ledger.findBreached(['process:1']),
        ],
        reservations: [ledger.findReservation(1), ...ledger.openReservations(1), ...ledger.reservingPids(0, 10)],
        count: ledger.count(),
      }));
      expect(seen).toEqual({
        accounts: [],
        payers: [[], []],
        rows: [undefined, undefined],
        reservations: [undefined],
        count: { accounts: 0, breached: 0 },
      });
    });
  });

  describe(`accounts of a process in the store on ${name}`, () => {
    it('are its own, its ancestors, their agents once each, and the workspace', async () => {
      await using under = await open();
      const found = await under.store.workspace(MINE).write((transaction) => {
        insertFamily(transaction, ['DEAD', 'READY', 'READY', 'READY'], ['alice', undefined, 'bob', 'alice']);
        return [transaction.ledger.accountsOf(4), transaction.ledger.accountsOf(2), transaction.ledger.accountsOf(5)];
      });
      expect(found).toEqual([
        ['process:4', 'process:3', 'process:2', 'process:1', 'agent:alice', 'agent:bob', 'workspace'],
        ['process:2', 'process:1', 'agent:alice', 'workspace'],
        [],
      ]);
    });

    it('are at most as many as a family is deep, and as many can be asked for at once', async () => {
      await using under = await open();
      const found = await under.store.workspace(MINE).write((transaction) => {
        const states = Array<ProcessState>(DEPTH_MAX + 1).fill('READY');
        insertFamily(transaction, states, states.map((_, index) => `agent ${index}`)); // biome-ignore format: one line
        const accounts = transaction.ledger.accountsOf(DEPTH_MAX + 1);
        for (const account of accounts) transaction.ledger.insert(budget(account));
        return [accounts.length, transaction.ledger.rows(accounts).length];
      });
      expect(found).toEqual([2 * DEPTH_MAX + 1, 2 * DEPTH_MAX + 1]);
    });

    it('have as payers whoever is alive and has them: also below the dead', async () => {
      await using under = await open();
      const found = await under.store.workspace(MINE).write((transaction) => {
        insertFamily(transaction, ['RUNNING', 'DEAD', 'SUSPENDED', 'DEAD'], [undefined, 'alice']);
        insertProcess(transaction, { state: 'WAITING', agent: 'alice' });
        insertProcess(transaction, { state: 'READY', parentPid: 5, stateReason: 'why' });
        const pids = (account: string) => transaction.ledger.payers(account).map(({ pid }) => pid);
        return {
          first: pids('process:1'),
          second: pids('process:2'),
          last: pids('process:4'),
          nobody: [pids('process:99'), pids('agent:bob')],
          alice: pids('agent:alice'),
          all: transaction.ledger.payers('workspace'),
        };
      });
      expect(found).toEqual({
        first: [1, 3],
        second: [3],
        last: [],
        nobody: [[], []],
        alice: [3, 5, 6],
        all: [
          { pid: 1, state: 'RUNNING', stateReason: undefined },
          { pid: 3, state: 'SUSPENDED', stateReason: undefined },
          { pid: 5, state: 'WAITING', stateReason: undefined },
          { pid: 6, state: 'READY', stateReason: 'why' },
        ],
      });
    });
  });

  describe(`reservations of the store on ${name}`, () => {
    it('are found until they are deleted, open until they are released', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const ids = await mine.write(({ ledger }) =>
        [3, 4, 5].map((amount) => ledger.insertReservation({ pid: 1, createdAt: 10, holds: [hold(amount)] })),
      );
      expect(ids).toEqual([1, 2, 3]);
      await mine.write(({ ledger }) => {
        ledger.markReleased(1, 20);
        ledger.deleteReservation(2);
      });
      await under.reopen();
      const found = await under.store.workspace(MINE).read(({ ledger }) => ({
        each: ids.map((id) => ledger.findReservation(id)),
        open: ledger.openReservations(1).map(({ id }) => id),
        count: ledger.countOpenReservations(1),
      }));
      expect(found).toEqual({
        each: [
          { id: 1, pid: 1, createdAt: 10, releasedAt: 20, holds: [hold(3)] },
          undefined,
          { id: 3, pid: 1, createdAt: 10, releasedAt: undefined, holds: [hold(5)] },
        ],
        open: [3],
        count: 1,
      });
    });

    it('never get a number that one had before, also when all are gone and after a restart', async () => {
      await using under = await open();
      const add = () => under.store.workspace(MINE).write(({ ledger }) => ledger.insertReservation({ pid: 1, createdAt: 0, holds: [] }));
      for (let count = 0; count < 3; count++) await add();
      await under.store.workspace(MINE).write(({ ledger }) => {
        for (const id of [3, 1, 2]) ledger.deleteReservation(id);
      });
      await under.reopen();
      expect(await add()).toBe(4);
    });

    it('are purged when they were released before a time, the oldest first, and not while they are open', async () => {
      await using under = await open();
      const left = await under.store.workspace(MINE).write(({ ledger }) => {
        for (const releasedAt of [30, 10, undefined, 20, 40]) {
          const id = ledger.insertReservation({ pid: 1, createdAt: 0, holds: [] });
          if (releasedAt !== undefined) ledger.markReleased(id, releasedAt);
        }
        const ids = () => [1, 2, 3, 4, 5].filter((id) => ledger.findReservation(id) !== undefined);
        return [ledger.purgeReleased(40, 2), ids(), ledger.purgeReleased(40, 9), ids(), ledger.purgeReleased(100, 9), ids()];
      });
      expect(left).toEqual([2, [1, 3, 5], 1, [3, 5], 1, [3]]);
    });

    it('tell which processes have some open, by pid and in steps', async () => {
      await using under = await open();
      const found = await under.store.workspace(MINE).write(({ ledger }) => {
        for (const pid of [10, 9, 9, 7]) ledger.insertReservation({ pid, createdAt: 0, holds: [] });
        ledger.markReleased(4, 1);
        return [ledger.reservingPids(0, 10), ledger.reservingPids(0, 1), ledger.reservingPids(9, 10), ledger.reservingPids(10, 10)];
      });
      expect(found).toEqual([[9, 10], [9], [10], []]);
    });
  });
}
