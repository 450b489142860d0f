import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, Fault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../internal/clock.ts';
import { type FaultPoint, PlayedCrash } from '../../internal/fault-points.ts';
import type { Store, Transaction } from '../store.ts';
import { openSqliteStore } from './sqlite-store.ts';

type Opened = AsyncDisposable & { readonly store: Store; readonly reached: FaultPoint[]; onReach: (point: FaultPoint) => void };

async function open(options: { readonly isRehearsing?: boolean } = {}): Promise<Opened> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-group-'));
  const opened = { onReach: () => {}, reached: [] as FaultPoint[] } as { onReach: (point: FaultPoint) => void; reached: FaultPoint[] };
  const faults = {
    reach(point: FaultPoint) {
      opened.reached.push(point);
      opened.onReach(point);
    },
  };
  const store = openSqliteStore({ directory, clock: createClock(), faults, ...options });
  await store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: DEFAULT_WORKSPACE, createdAt: now, settings: {} }));
  opened.reached.length = 0;
  return Object.assign(opened, {
    store,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
}

const append = ({ events }: Transaction) => events.append({ pid: undefined, kind: 'a', payload: {} });
const kept = (store: Store) => store.workspace(DEFAULT_WORKSPACE).read(({ events }) => events.newest({}, 10_000).length);

describe('group commit', () => {
  it('flushes for many at once who write at about the same time', async () => {
    await using opened = await open();
    const mine = opened.store.workspace(DEFAULT_WORKSPACE);
    await Promise.all(Array.from({ length: 300 }, () => mine.write(append)));
    expect(opened.reached.filter((point) => point === 'store.commit').length).toBeLessThan(30); // One, unless the machine is very busy.
  });

  it('leaves out a body that throws before it wrote, without running the others again', async () => {
    await using opened = await open();
    const mine = opened.store.workspace(DEFAULT_WORKSPACE);
    let runs = 0;
    const counted = (transaction: Transaction) => {
      runs++;
      return append(transaction);
    };
    const refused = () => {
      throw new Fault('conflict', 'Cannot');
    };
    const done = await Promise.allSettled([mine.write(counted), mine.write(refused), mine.write(counted)]);
    expect([done.map(({ status }) => status), runs]).toEqual([['fulfilled', 'rejected', 'fulfilled'], 2]);
  });

  it('keeps a broken constraint to the body that broke it', async () => {
    await using opened = await open();
    const again = () =>
      opened.store.writeSystem(({ workspaces }) => workspaces.insert({ id: DEFAULT_WORKSPACE, createdAt: 0, settings: {} }));
    const done = await Promise.allSettled([opened.store.workspace(DEFAULT_WORKSPACE).write(append), again()]);
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await kept(opened.store)).toBe(1);
  });

  it('refuses the whole group when the disk is full, and goes on when there is room', async () => {
    await using opened = await open();
    const mine = opened.store.workspace(DEFAULT_WORKSPACE);
    await mine.write(append);
    opened.onReach = (point) => {
      if (point === 'store.commit') throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
    };
    const refused = await Promise.allSettled([mine.write(append), mine.write(append)]);
    expect(refused.map((each) => (each.status === 'rejected' ? each.reason.code : ''))).toEqual(['storage_full', 'storage_full']);
    opened.onReach = () => {};
    expect(await mine.write(append)).toBe(2);
  });

  it('does nothing more after a crash was played', async () => {
    await using opened = await open();
    const mine = opened.store.workspace(DEFAULT_WORKSPACE);
    opened.onReach = (point) => {
      if (point === 'store.commit') throw new PlayedCrash('here');
    };
    await expect(mine.write(append)).rejects.toBeInstanceOf(PlayedCrash);
    opened.onReach = () => {};
    await expect(mine.write(append)).rejects.toBeInstanceOf(PlayedCrash);
  });

  it('finds a body that is no function of what it reads, when it rehearses', async () => {
    await using opened = await open({ isRehearsing: true });
    const mine = opened.store.workspace(DEFAULT_WORKSPACE);
    let count = 0;
    await expect(mine.write(() => ++count)).rejects.toThrow(/another result/);
    expect(await mine.write(append)).toBe(1);
  });

  it('refuses a write outside a transaction', async () => {
    await using opened = await open();
    const mine = opened.store.workspace(DEFAULT_WORKSPACE);
    const leaked = await mine.write((transaction) => transaction);
    expect(() => append(leaked)).toThrow(/outside a transaction/);
    await expect(mine.read((transaction) => append(transaction as Transaction))).rejects.toThrow(/outside a transaction/); // The types forbid it.
  });

  it('breaks a long group up, so that the loop goes on meanwhile', async () => {
    await using opened = await open();
    const mine = opened.store.workspace(DEFAULT_WORKSPACE);
    const slow = (transaction: Transaction) => {
      const until = performance.now() + 10;
      while (performance.now() < until);
      return append(transaction);
    };
    const ids = await Promise.all(Array.from({ length: 10 }, () => mine.write(slow)));
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(opened.reached.filter((point) => point === 'store.commit').length).toBeGreaterThan(1);
  });
});
