import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { Account } from './ledger.ts';

const ONE = { name: 'alice', template: 'coder' };
const of = (pid: number): Account => ({ kind: 'process', pid });
const WORKSPACE: Account = { kind: 'workspace' };
const DAY_MS = 86_400_000;

async function openWithBudget(grants: Readonly<Record<string, number>> = { tokens: 100 }): Promise<TestKernel> {
  const test = await openTestKernel();
  await test.mine.processes.create(ONE);
  await test.mine.ledger.create(of(1), grants);
  return test;
}

async function reserve(test: TestKernel, pid: number, amounts: Readonly<Record<string, number>>): Promise<number> {
  const reserved = await test.mine.ledger.reserve(pid, amounts);
  expect(reserved.kind).toBe('reserved');
  return reserved.kind === 'reserved' ? reserved.reservation.id : 0;
}

const numbers = async (test: TestKernel, account: Account): Promise<readonly (readonly [number, number])[]> =>
  (await test.mine.ledger.list(account)).map(({ used, reserved }) => [used, reserved]);

describe('reserving', () => {
  it('sets aside, and settling replaces that by what was used, once', async () => {
    await using test = await openWithBudget();
    expect(await test.mine.ledger.reserve(1, { tokens: 60 })).toEqual({
      kind: 'reserved',
      reservation: { id: 1, pid: 1, amounts: { tokens: 60 } },
    });
    expect(await test.mine.ledger.list(of(1))).toMatchObject([{ used: 0, reserved: 60 }]);
    expect(await test.mine.ledger.check(1, 'tokens', 41)).toEqual({
      used: 0,
      reserved: 60,
      granted: 100,
      wouldUse: 101,
      wouldExceed: true,
    });
    expect(await test.mine.ledger.settle(1, { tokens: 45 })).toBe(true);
    expect(await test.mine.ledger.settle(1, { tokens: 45 })).toBe(false);
    expect(await numbers(test, of(1))).toEqual([[45, 0]]);
    const events = await test.mine.events.newest({ limit: 3 });
    expect(events.map(({ kind, payload }) => [kind, payload['amounts']])).toEqual([
      ['kernel.ledger.reserved', { tokens: 60 }],
      ['kernel.ledger.settled', { tokens: 45 }],
      ['kernel.ledger.charged', undefined],
    ]);
    expect(events[2]?.causationId).toBe(events[1]?.id);
  });

  it('is all or nothing, over every account and dimension, and names the first that has too little', async () => {
    await using test = await openWithBudget({ tokens: 100, cpu_s: 5 });
    await test.mine.processes.create({ ...ONE, parentPid: 1 });
    await test.mine.ledger.create(of(2), { tokens: 50 });
    await test.mine.ledger.create(WORKSPACE, { tokens: 1_000, cost_micro: 1 });
    expect(await test.mine.ledger.reserve(2, { tokens: 50, cpu_s: 6, cost_micro: 2 })).toEqual({
      kind: 'denied',
      account: of(1),
      dim: 'cpu_s',
      used: 0,
      reserved: 0,
      granted: 5,
    });
    expect(await test.mine.ledger.reserve(2, { tokens: 51, cost_micro: 2 })).toMatchObject({ account: of(2), dim: 'tokens' });
    expect(await test.mine.ledger.reserve(2, { tokens: 50, cost_micro: 2 })).toMatchObject({ account: WORKSPACE, dim: 'cost_micro' });
    for (const account of [of(1), of(2), WORKSPACE])
      for (const entry of await test.mine.ledger.list(account)) expect(entry.reserved).toBe(0);
    await reserve(test, 2, { tokens: 50, cpu_s: 5, cost_micro: 1, net_bytes: 1_000_000 });
    expect(await numbers(test, of(1))).toEqual([[0, 50], [0, 5]]); // biome-ignore format: one line
    expect(await numbers(test, WORKSPACE)).toEqual([[0, 50], [0, 1]]); // biome-ignore format: one line
  });

  it('by many at once never promises more than there is', async () => {
    await using test = await openWithBudget();
    const answers = await Promise.all(Array.from({ length: 50 }, () => test.mine.ledger.reserve(1, { tokens: 3 })));
    expect(answers.filter(({ kind }) => kind === 'reserved')).toHaveLength(33);
    expect(answers.find(({ kind }) => kind === 'denied')).toMatchObject({ account: of(1), dim: 'tokens', reserved: 99 });
  });

  it('without any budget is unlimited', async () => {
    await using test = await openTestKernel();
    await test.mine.processes.create(ONE);
    const id = await reserve(test, 1, { tokens: Number.MAX_SAFE_INTEGER });
    expect(await test.mine.ledger.settle(id, { tokens: 5 })).toBe(true);
  });

  it('of a peak is a check: memory is not set aside', async () => {
    await using test = await openWithBudget({ memory_bytes: 100 });
    expect(await test.mine.ledger.reserve(1, { memory_bytes: 101 })).toMatchObject({ kind: 'denied', dim: 'memory_bytes' });
    await reserve(test, 1, { memory_bytes: 100 });
    await reserve(test, 1, { memory_bytes: 100 });
    expect(await numbers(test, of(1))).toEqual([[0, 0]]);
  });

  it('refuses processes that are unknown or DEAD, odd amounts, and the thousand-and-first of a process', async () => {
    await using test = await openWithBudget({ tokens: 10_000 });
    await test.mine.processes.create(ONE);
    await test.mine.processes.end(2, 'completed');
    await expect(test.mine.ledger.reserve(3, { tokens: 1 })).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 3 } });
    await expect(test.mine.ledger.reserve(2, { tokens: 1 })).rejects.toMatchObject({ code: 'conflict' });
    await expect(test.mine.ledger.reserve(1, { tokens: -1 })).rejects.toMatchObject({ code: 'ledger_amount_invalid' });
    await Promise.all(Array.from({ length: 1_000 }, () => test.mine.ledger.reserve(1, { tokens: 1 })));
    await expect(test.mine.ledger.reserve(1, { tokens: 1 })).rejects.toMatchObject({ code: 'busy', details: { pid: 1, limit: 1_000 } });
    expect(await test.mine.ledger.settle(1, {})).toBe(true);
    await reserve(test, 1, { tokens: 1 });
  });
});

describe('settling', () => {
  it('charges also what was not reserved, and more than was', async () => {
    await using test = await openWithBudget({ tokens: 100, cpu_s: 10 });
    const id = await reserve(test, 1, { tokens: 10 });
    await test.mine.ledger.create(WORKSPACE, { tokens: 1_000 });
    await test.mine.ledger.settle(id, { tokens: 30, cpu_s: 2, net_bytes: 7 });
    expect(await numbers(test, of(1))).toEqual([[30, 0], [2, 0]]); // biome-ignore format: one line
    expect(await numbers(test, WORKSPACE)).toEqual([[30, 0]]);
  });

  it('of what never was, of odd ids and with odd amounts changes nothing', async () => {
    await using test = await openWithBudget();
    const id = await reserve(test, 1, { tokens: 10 });
    for (const odd of [0, 2, -1, 1.5, Number.NaN]) expect(await test.mine.ledger.settle(odd, { tokens: 1 })).toBe(false);
    await expect(test.mine.ledger.settle(id, { tokens: -1 })).rejects.toMatchObject({ code: 'ledger_amount_invalid' });
    expect(await numbers(test, of(1))).toEqual([[0, 10]]);
  });

  it('gives back where it was taken, also when the process pays elsewhere by now', async () => {
    await using test = await openWithBudget();
    await test.mine.processes.create({ ...ONE, parentPid: 1, onParentEnd: 'detach' });
    const id = await reserve(test, 2, { tokens: 10 });
    await test.mine.processes.end(1, 'completed');
    expect((await test.mine.processes.get(2)).parentPid).toBeUndefined();
    await test.mine.ledger.settle(id, { tokens: 10 });
    expect(await numbers(test, of(1))).toEqual([[0, 0]]);
  });
});

describe('reservations of a process that ends', () => {
  it('are given back with it, caused by its end', async () => {
    await using test = await openWithBudget();
    await test.mine.ledger.create(WORKSPACE, { tokens: 100 });
    for (const tokens of [10, 20]) await reserve(test, 1, { tokens });
    const { eventId } = await test.mine.processes.end(1, 'completed');
    expect(await numbers(test, WORKSPACE)).toEqual([[0, 0]]);
    const { events } = await test.mine.events.tail({ kind: 'kernel.ledger.released' });
    expect(events).toMatchObject([{ pid: 1, payload: { reservations: [1, 2] }, causationId: eventId }]);
  });

  it('can be settled afterwards: a call that was under way has used something', async () => {
    await using test = await openWithBudget();
    await test.mine.ledger.create(WORKSPACE, { tokens: 100 });
    const id = await reserve(test, 1, { tokens: 10 });
    await test.mine.processes.signal(1, 'kill');
    expect(await test.mine.ledger.settle(id, { tokens: 7 })).toBe(true);
    expect(await test.mine.ledger.settle(id, { tokens: 7 })).toBe(false);
    expect(await numbers(test, WORKSPACE)).toEqual([[7, 0]]);
  });

  it('are forgotten a day later', async () => {
    await using test = await openWithBudget();
    const id = await reserve(test, 1, { tokens: 10 });
    await test.mine.processes.end(1, 'completed');
    test.clock.advance(DAY_MS + 1);
    await test.mine.processes.create(ONE);
    await reserve(test, 2, { tokens: 10 });
    await test.mine.processes.end(2, 'completed');
    expect(await test.mine.ledger.settle(id, { tokens: 7 })).toBe(false);
  });
});

describe('reservations at a restart', () => {
  it('of who neither runs nor waits are given back; of who waits they stay', async () => {
    await using test = await openTestKernel();
    for (const state of ['READY', 'RUNNING', 'WAITING', 'SUSPENDED'] as const) {
      const { pid } = await test.mine.processes.create(ONE);
      if (state !== 'READY') await test.mine.processes.transition(pid, 'RUNNING');
      if (state === 'WAITING' || state === 'SUSPENDED') await test.mine.processes.transition(pid, state);
      await test.mine.ledger.create(of(pid), { tokens: 100 });
      await reserve(test, pid, { tokens: 10 });
    }
    await test.reopen();
    const reserved = async () => (await Promise.all([1, 2, 3, 4].map((pid) => numbers(test, of(pid))))).map(([entry]) => entry?.[1]);
    expect(await reserved()).toEqual([0, 0, 10, 0]);
    const { events } = await test.mine.events.tail({ kind: 'kernel.ledger.released' });
    expect(events.map(({ pid }) => pid)).toEqual([1, 2, 4]);
    await test.reopen();
    expect((await test.mine.events.tail({ kind: 'kernel.ledger.released' })).events).toHaveLength(3);
    await test.reopen({ recovery: 'suspend' });
    expect(await reserved()).toEqual([0, 0, 0, 0]);
  });
});

/** What can happen, at random; `pick` chooses among the reservations there were so far. */
type Step =
  | { readonly kind: 'reserve'; readonly pid: number; readonly amount: number }
  | { readonly kind: 'settle'; readonly pick: number; readonly amount: number }
  | { readonly kind: 'charge'; readonly pid: number; readonly amount: number }
  | { readonly kind: 'refund'; readonly account: number; readonly amount: number }
  | { readonly kind: 'grant'; readonly account: number; readonly amount: number };

const pid = fc.integer({ min: 1, max: 3 });
const account = fc.integer({ min: 0, max: 3 });
const amount = fc.integer({ min: 0, max: 40 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('reserve' as const), pid, amount }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), pick: fc.nat(), amount }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('charge' as const), pid, amount }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refund' as const), account, amount }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grant' as const), account, amount: fc.integer({ min: 1, max: 150 }) }) },
);

/** Process 2 is a child of 1, and 3 stands alone; `ACCOUNTS[0]` is the workspace. */
const CHAINS: Readonly<Record<number, readonly number[]>> = { 1: [1, 0], 2: [2, 1, 0], 3: [3, 0] };
const ACCOUNTS: readonly Account[] = [WORKSPACE, of(1), of(2), of(3)];

/** The same ledger in a few lines: what each step shall answer, and what it shall leave. */
class Model {
  readonly entries = [100, 60, 40, 80].map((granted) => ({ used: 0, reserved: 0, granted }));
  readonly open = new Map<number, { readonly pid: number; readonly amount: number }>();
  #next = 1;

  do(step: Step): string {
    switch (step.kind) {
      case 'reserve': {
        const chain = this.#chain(step.pid);
        const hasRoom = ({ used, reserved, granted }: (typeof chain)[number]) =>
          step.amount === 0 || used + reserved + step.amount <= granted;
        if (chain.some(({ used, granted }) => used > granted) || !chain.every(hasRoom)) return 'denied';
        for (const entry of chain) entry.reserved += step.amount;
        this.open.set(this.#next, step);
        return `reserved ${this.#next++}`;
      }
      case 'settle': {
        const id = this.pick(step.pick);
        const reservation = this.open.get(id);
        if (reservation === undefined) return 'false';
        this.open.delete(id);
        for (const entry of this.#chain(reservation.pid)) {
          entry.reserved -= reservation.amount;
          entry.used += step.amount;
        }
        return 'true';
      }
      case 'charge':
        for (const entry of this.#chain(step.pid)) entry.used += step.amount;
        return 'charged';
      case 'refund': {
        const entry = this.entries[step.account];
        if (entry === undefined || entry.used < step.amount) return 'ledger_refund_invalid';
        entry.used -= step.amount;
        return 'done';
      }
      case 'grant': {
        const entry = this.entries[step.account];
        if (entry !== undefined) entry.granted = step.amount;
        return 'done';
      }
      default:
        return step satisfies never;
    }
  }

  /** One that was given already, settled or not, or the one to come. */
  pick(choice: number): number {
    return 1 + (choice % this.#next);
  }

  #chain(pid: number) {
    return (CHAINS[pid] ?? []).flatMap((each) => this.entries[each] ?? []);
  }
}

async function perform({ mine: { ledger } }: TestKernel, step: Step, id: number): Promise<string> {
  switch (step.kind) {
    case 'reserve': {
      const reserved = await ledger.reserve(step.pid, { tokens: step.amount });
      return reserved.kind === 'denied' ? 'denied' : `reserved ${reserved.reservation.id}`;
    }
    case 'settle':
      return String(await ledger.settle(id, { tokens: step.amount }));
    case 'charge':
      return await ledger.charge(step.pid, 'tokens', step.amount).then(() => 'charged');
    case 'refund':
      return await ledger.refund(ACCOUNTS[step.account] ?? WORKSPACE, 'tokens', step.amount).then(
        () => 'done',
        ({ code }: { readonly code: string }) => code,
      );
    case 'grant':
      return await ledger.updateGrant(ACCOUNTS[step.account] ?? WORKSPACE, 'tokens', step.amount).then(() => 'done');
    default:
      return step satisfies never;
  }
}

describe('any interleaving of reserving, settling, charging, refunding and granting', () => {
  it('answers as a ledger of a few lines does, keeps reserved what open reservations hold, and promises no more than there is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { maxLength: 8 }), async (rounds) => {
        await using test = await openTestKernel();
        for (const request of [{}, { parentPid: 1 }, {}]) await test.mine.processes.create({ ...ONE, ...request });
        const model = new Model();
        for (const [index, account] of ACCOUNTS.entries())
          await test.mine.ledger.create(account, { tokens: model.entries[index]?.granted ?? 1 });
        for (const round of rounds) {
          const expected: string[] = [];
          const answers = round.map((each) => {
            const id = each.kind === 'settle' ? model.pick(each.pick) : 0;
            expected.push(model.do(each));
            return perform(test, each, id);
          });
          expect(await Promise.all(answers)).toEqual(expected);
          const entries = (await Promise.all(ACCOUNTS.map((each) => test.mine.ledger.list(each)))).flat();
          expect(entries.map(({ used, reserved, granted }) => ({ used, reserved, granted }))).toEqual(model.entries);
          const open = [...model.open.values()].reduce((sum, each) => sum + each.amount, 0);
          expect(entries[0]?.reserved).toBe(open);
        }
      }),
      { numRuns: 60 },
    );
  });
});
