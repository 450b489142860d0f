import type { WorkspaceId } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { Account, BreachPolicy } from './ledger.ts';

const ONE = { name: 'alice', template: 'coder' };
const of = (pid: number): Account => ({ kind: 'process', pid });
const WORKSPACE: Account = { kind: 'workspace' };
const agent = (name: string): Account => ({ kind: 'agent', agent: name });

async function openWithProcess(): Promise<TestKernel> {
  const test = await openTestKernel();
  await test.mine.processes.create(ONE);
  return test;
}

async function events(test: TestKernel, kind?: string) {
  return (await test.mine.events.tail({ kind })).events.filter((event) => event.kind.startsWith('kernel.ledger.'));
}

describe('creating a budget', () => {
  it('makes an entry for each dimension, in order, with one event', async () => {
    await using test = await openWithProcess();
    const made = await test.mine.ledger.create(of(1), { tokens: 1_000, 'my own': 5, cost_micro: 1 }, { warnAt: 0.5, onBreach: 'kill' });
    expect(made.map(({ dim }) => dim)).toEqual(['tokens', 'my own', 'cost_micro']);
    expect(made[0]).toEqual({ account: of(1), dim: 'tokens', used: 0, reserved: 0, granted: 1_000, warnAt: 0.5, onBreach: 'kill' });
    await test.reopen();
    expect(await test.mine.ledger.list(of(1))).toEqual(made);
    const payload = { account: 'process:1', grants: { tokens: 1_000, 'my own': 5, cost_micro: 1 }, warn_at: 0.5, on_breach: 'kill' };
    expect(await events(test)).toMatchObject([{ pid: 1, kind: 'kernel.ledger.created', payload }]);
  });

  it('warns at 0.8 and suspends unless it is told otherwise', async () => {
    await using test = await openWithProcess();
    expect(await test.mine.ledger.create(WORKSPACE, { tokens: 1 })).toMatchObject([{ warnAt: 0.8, onBreach: 'suspend' }]);
  });

  it('adds dimensions later, and creates nothing where one exists already', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 1_000 });
    await expect(test.mine.ledger.create(of(1), { cpu_s: 5, tokens: 5 })).rejects.toMatchObject({
      code: 'ledger_exists',
      details: { pid: 1, dim: 'tokens' },
    });
    await test.mine.ledger.create(of(1), { cpu_s: 7 });
    expect((await test.mine.ledger.list(of(1))).map(({ dim, granted }) => [dim, granted])).toEqual([['tokens', 1_000], ['cpu_s', 7]]); // biome-ignore format: one line
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', true, null, undefined, {}])(
    'refuses a grant of %j',
    async (granted) => {
      await using test = await openWithProcess();
      const grants = { tokens: 5, cpu_s: granted as number }; // What a caller in JavaScript can do.
      await expect(test.mine.ledger.create(of(1), grants)).rejects.toMatchObject({
        code: 'ledger_amount_invalid',
        details: { amount: granted },
      });
      expect(await test.mine.ledger.list(of(1))).toEqual([]);
    },
  );

  it.each([1.5, -0.1, Number.NaN, '0.5', null])('refuses to warn at %j', async (warnAt) => {
    await using test = await openWithProcess();
    const options = { warnAt: warnAt as number }; // As above.
    await expect(test.mine.ledger.create(of(1), { tokens: 5 }, options)).rejects.toMatchObject({
      code: 'ledger_warn_invalid',
      details: { value: warnAt },
    });
  });

  it.each([[{}], [[]], [null], ['tokens'], [{ '': 5 }], [{ ['d'.repeat(65)]: 5 }], [{ 'a\u0000b': 5 }]])(
    'refuses grants that are %j',
    async (grants) => {
      await using test = await openWithProcess();
      await expect(test.mine.ledger.create(of(1), grants as Record<string, number>)).rejects.toMatchObject({ code: 'invalid_argument' }); // As above.
    },
  );

  it('refuses a process that does not exist, an agent without a name, and accounts and policies that there are not', async () => {
    await using test = await openWithProcess();
    const { ledger } = test.mine;
    for (const pid of [2, 0, -1, 1.5, Number.NaN]) {
      await expect(ledger.create(of(pid), { tokens: 1 })).rejects.toMatchObject({ code: 'unknown_pid', details: { pid } });
    }
    for (const account of [agent(''), agent('x'.repeat(300)), { kind: 'everybody' } as unknown as Account]) {
      await expect(ledger.create(account, { tokens: 1 })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    const onBreach = 'explode' as BreachPolicy; // As above.
    await expect(ledger.create(of(1), { tokens: 1 }, { onBreach })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('refuses more than 32 dimensions for an account, at once or one by one', async () => {
    await using test = await openWithProcess();
    const dims = (count: number, from = 0) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${from + index}`, 1]));
    await expect(test.mine.ledger.create(of(1), dims(33))).rejects.toMatchObject({ code: 'too_large' });
    await test.mine.ledger.create(of(1), dims(32));
    await expect(test.mine.ledger.create(of(1), dims(1, 32))).rejects.toMatchObject({ code: 'too_large' });
    await test.mine.ledger.create(WORKSPACE, dims(1));
  });

  it('takes dimensions and agents with the names of parts of JavaScript for what they are', async () => {
    await using test = await openWithProcess();
    const grants = JSON.parse('{"__proto__": 5, "constructor": 6}') as Record<string, number>; // Both are its own keys.
    await test.mine.ledger.create(agent('__proto__'), grants);
    await test.mine.ledger.create(of(1), grants);
    expect(await test.mine.ledger.charge(1, '__proto__', 2)).toMatchObject({ used: 2, granted: 5 });
    expect((await test.mine.ledger.list(agent('__proto__'))).map(({ dim }) => dim)).toEqual(['__proto__', 'constructor']);
  });
});

describe('charging', () => {
  it('is quiet, then warns once, then breaches once, and a refund and a larger grant make room again', async () => {
    await using test = await openWithProcess();
    const { ledger } = test.mine;
    await ledger.create(of(1), { tokens: 1_000 }, { warnAt: 0.8 });
    const quiet = { isOver: false, isWarning: false, isFirstBreach: false };
    expect(await ledger.charge(1, 'tokens', 300)).toEqual({ dim: 'tokens', amount: 300, used: 300, granted: 1_000, ...quiet });
    expect(await ledger.charge(1, 'tokens', 600)).toMatchObject({ used: 900, ...quiet, isWarning: true });
    expect(await ledger.charge(1, 'tokens', 200)).toMatchObject({ used: 1_100, isOver: true, isWarning: false, isFirstBreach: true });
    expect(await ledger.charge(1, 'tokens', 50)).toMatchObject({ used: 1_150, isOver: true, isFirstBreach: false });
    expect(await ledger.refund(of(1), 'tokens', 350)).toMatchObject({ used: 800, granted: 1_000 });
    expect(await ledger.updateGrant(of(1), 'tokens', 2_000)).toMatchObject({ used: 800, granted: 2_000 });
    expect(await ledger.check(1, 'tokens', 500)).toEqual({ used: 800, reserved: 0, granted: 2_000, wouldUse: 1_300, wouldExceed: false });
  });

  it('can breach again after a refund', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 10 });
    await test.mine.ledger.charge(1, 'tokens', 11);
    await test.mine.ledger.refund(of(1), 'tokens', 5);
    expect(await test.mine.ledger.charge(1, 'tokens', 5)).toMatchObject({ used: 11, isFirstBreach: true });
  });

  it('is not over at the limit, and warns at the line itself, also where floating point is off by a hair', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 30 }, { warnAt: 0.1 });
    expect(await test.mine.ledger.charge(1, 'tokens', 3)).toMatchObject({ isWarning: true });
    expect(await test.mine.ledger.charge(1, 'tokens', 27)).toMatchObject({ used: 30, isOver: false, isFirstBreach: false });
  });

  it('of nothing is fine and no event', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 1 });
    expect(await test.mine.ledger.charge(1, 'tokens', 0)).toMatchObject({ amount: 0, used: 0 });
    expect(await events(test, 'kernel.ledger.charged')).toEqual([]);
  });

  it('refuses amounts that are no whole numbers from 0 on, and dimensions that nobody has a budget for', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 10 });
    await test.mine.ledger.create(WORKSPACE, { cpu_s: 10 });
    for (const amount of [-1, 0.5, Number.NaN, 2 ** 53, '1' as unknown as number]) {
      await expect(test.mine.ledger.charge(1, 'tokens', amount)).rejects.toMatchObject({
        code: 'ledger_amount_invalid',
        details: { amount },
      });
    }
    const missing = { code: 'ledger_not_found', details: { pid: 1, dim: 'cpu_s' } };
    await expect(test.mine.ledger.charge(1, 'wall_s', 1)).rejects.toMatchObject({ ...missing, details: { pid: 1, dim: 'wall_s' } });
    await expect(test.mine.ledger.check(1, 'cpu_s', 1)).rejects.toMatchObject(missing);
    await expect(test.mine.ledger.charge(99, 'tokens', 1)).rejects.toMatchObject({ code: 'ledger_not_found' });
    await expect(test.mine.ledger.charge(1, 'x'.repeat(1_000_000), 1)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await test.mine.ledger.list(WORKSPACE)).toMatchObject([{ used: 0 }]);
  });

  it('by many at once adds up', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 1_000 });
    await Promise.all(Array.from({ length: 100 }, () => test.mine.ledger.charge(1, 'tokens', 1)));
    expect(await test.mine.ledger.list(of(1))).toMatchObject([{ used: 100 }]);
  });

  it('stays at the largest whole number rather than losing digits', async () => {
    await using test = await openWithProcess();
    const most = Number.MAX_SAFE_INTEGER;
    await test.mine.ledger.create(of(1), { tokens: most });
    await test.mine.ledger.charge(1, 'tokens', most - 1);
    expect(await test.mine.ledger.charge(1, 'tokens', most)).toMatchObject({ used: most, isOver: false });
    expect(await test.mine.ledger.check(1, 'tokens', most)).toMatchObject({ wouldUse: most, wouldExceed: true });
    expect(await test.mine.ledger.refund(of(1), 'tokens', most)).toMatchObject({ used: 0 });
  });

  it('keeps the largest measure of memory, and not the sum', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { memory_bytes: 100 });
    expect(await test.mine.ledger.charge(1, 'memory_bytes', 60)).toMatchObject({ used: 60 });
    expect(await test.mine.ledger.charge(1, 'memory_bytes', 50)).toMatchObject({ used: 60 });
    expect(await test.mine.ledger.check(1, 'memory_bytes', 90)).toMatchObject({ wouldUse: 90, wouldExceed: false });
    expect(await test.mine.ledger.charge(1, 'memory_bytes', 101)).toMatchObject({ used: 101, isFirstBreach: true });
    expect(await events(test, 'kernel.ledger.charged')).toHaveLength(2);
  });

  it('reaches the ancestors, the agents of all of them and the workspace, where they have the dimension, in one event', async () => {
    await using test = await openTestKernel();
    const { processes, ledger } = test.mine;
    await processes.create({ ...ONE, agent: 'alice' });
    await processes.create({ ...ONE, parentPid: 1 });
    await processes.create({ ...ONE, parentPid: 2, agent: 'bob' });
    for (const account of [of(1), of(3), agent('alice'), agent('bob'), agent('carol'), WORKSPACE])
      await ledger.create(account, { tokens: 100 });
    await ledger.create(of(2), { cpu_s: 100 });
    expect(await ledger.charge(3, 'tokens', 7)).toMatchObject({ used: 7 });
    const accounts = [of(1), of(2), of(3), agent('alice'), agent('bob'), agent('carol'), WORKSPACE];
    const used = (await Promise.all(accounts.map((each) => ledger.list(each)))).map(([entry]) => entry?.used);
    expect(used).toEqual([7, 0, 7, 7, 7, 0, 7]);
    const [charged, ...others] = await events(test, 'kernel.ledger.charged');
    expect(others).toEqual([]);
    const entry = { dim: 'tokens', amount: 7, used: 7, granted: 100 };
    expect(charged).toMatchObject({
      pid: 3,
      payload: {
        entries: ['process:3', 'process:1', 'agent:bob', 'agent:alice', 'workspace'].map((account) => ({ account, ...entry })),
      },
    });
  });

  it('of a process that ended is recorded: it was used', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 10 });
    await test.mine.processes.end(1, 'completed');
    expect(await test.mine.ledger.charge(1, 'tokens', 11)).toMatchObject({ used: 11, isFirstBreach: true });
    expect((await test.mine.processes.get(1)).exitKind).toBe('completed');
  });
});

describe('recording what was measured', () => {
  it('charges every account that has a dimension, leaves out the others, and never refuses', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(of(1), { tokens: 10, cpu_s: 10 });
    await test.mine.ledger.create(WORKSPACE, { cpu_s: 10, wall_s: 10 });
    const charges = await test.mine.ledger.record(1, { cpu_s: 11, wall_s: 3, net_bytes: 5 });
    expect(charges.map(({ account, charged }) => [account.kind, charged.dim, charged.used, charged.isFirstBreach])).toEqual([
      ['process', 'cpu_s', 11, true],
      ['workspace', 'cpu_s', 11, true],
      ['workspace', 'wall_s', 3, false],
    ]);
  });

  it('where nobody has a budget does nothing', async () => {
    await using test = await openWithProcess();
    expect(await test.mine.ledger.record(1, { cpu_s: 11 })).toEqual([]);
    expect(await test.mine.ledger.record(1, {})).toEqual([]);
    expect(await events(test)).toEqual([]);
  });

  it('refuses a process that does not exist, odd amounts, and more than 32 dimensions', async () => {
    await using test = await openWithProcess();
    await expect(test.mine.ledger.record(2, { cpu_s: 1 })).rejects.toMatchObject({ code: 'unknown_pid' });
    await expect(test.mine.ledger.record(1, { cpu_s: -1 })).rejects.toMatchObject({ code: 'ledger_amount_invalid' });
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`d${index}`, 1]));
    await expect(test.mine.ledger.record(1, many)).rejects.toMatchObject({ code: 'too_large' });
  });
});

describe('refunds and grants', () => {
  it('refuse more than was used, what is no amount, and what does not exist', async () => {
    await using test = await openWithProcess();
    const { ledger } = test.mine;
    await ledger.create(of(1), { tokens: 10 });
    await ledger.charge(1, 'tokens', 4);
    await expect(ledger.refund(of(1), 'tokens', 5)).rejects.toMatchObject({
      code: 'ledger_refund_invalid',
      details: { pid: 1, dim: 'tokens', used: 4, refund: 5 },
    });
    await expect(ledger.refund(of(1), 'tokens', -1)).rejects.toMatchObject({ code: 'ledger_amount_invalid' });
    await expect(ledger.updateGrant(of(1), 'tokens', 0)).rejects.toMatchObject({ code: 'ledger_amount_invalid', details: { amount: 0 } });
    await expect(ledger.refund(of(1), 'cpu_s', 1)).rejects.toMatchObject({ code: 'ledger_not_found', details: { pid: 1, dim: 'cpu_s' } });
    await expect(ledger.updateGrant(agent('bob'), 'tokens', 1)).rejects.toMatchObject({
      code: 'ledger_not_found',
      details: { account: 'agent:bob', dim: 'tokens' },
    });
    expect(await ledger.list(of(1))).toMatchObject([{ used: 4, granted: 10 }]);
  });

  it('each write an event', async () => {
    await using test = await openWithProcess();
    await test.mine.ledger.create(WORKSPACE, { tokens: 10 });
    await test.mine.ledger.record(1, { tokens: 4 });
    await test.mine.ledger.refund(WORKSPACE, 'tokens', 1);
    await test.mine.ledger.updateGrant(WORKSPACE, 'tokens', 20);
    const [, , refunded, granted] = await events(test);
    expect(refunded).toMatchObject({
      pid: undefined,
      kind: 'kernel.ledger.refunded',
      payload: { account: 'workspace', dim: 'tokens', amount: 1, used: 3, granted: 10 },
    });
    expect(granted).toMatchObject({
      kind: 'kernel.ledger.granted',
      payload: { account: 'workspace', dim: 'tokens', granted: 20, prev_granted: 10, used: 3 },
    });
  });
});

describe('listing breaches', () => {
  it('names processes by pid, then agents, then the workspace, as many as asked for', async () => {
    await using test = await openTestKernel();
    const { ledger, processes } = test.mine;
    for (let pid = 1; pid <= 11; pid++) await processes.create({ ...ONE, agent: 'alice' });
    for (const account of [WORKSPACE, agent('alice'), of(11), of(9), of(10)]) await ledger.create(account, { tokens: 1, cpu_s: 1 });
    for (const pid of [10, 11, 9]) await ledger.record(pid, { tokens: pid === 10 ? 1 : 2 });
    const listed = (await ledger.listBreached()).map(({ account, dim }) => [account, dim]);
    expect(listed).toEqual([[of(9), 'tokens'], [of(11), 'tokens'], [agent('alice'), 'tokens'], [WORKSPACE, 'tokens']]); // biome-ignore format: one line
    expect(await ledger.listBreached(1)).toHaveLength(1);
  });
});

describe('budgets of two workspaces', () => {
  it('know nothing of each other', async () => {
    await using test = await openWithProcess();
    const id = 'other' as WorkspaceId; // Valid.
    await test.kernel.workspaces.create(id);
    const other = test.kernel.workspace(id);
    await other.processes.create({ ...ONE, agent: 'alice' });
    for (const { ledger } of [test.mine, other])
      for (const account of [of(1), agent('alice'), WORKSPACE]) await ledger.create(account, { tokens: 10 });
    await other.ledger.charge(1, 'tokens', 11);
    expect(await test.mine.ledger.listBreached()).toEqual([]);
    for (const account of [of(1), agent('alice'), WORKSPACE]) expect(await test.mine.ledger.list(account)).toMatchObject([{ used: 0 }]);
  });
});

describe('any amounts', () => {
  it('warn and breach exactly when the line is crossed', async () => {
    await using test = await openWithProcess();
    let next = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 10 }),
        fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 1, maxLength: 8 }),
        async (granted, tenths, amounts) => {
          const dim = `d${next++ % 32}`;
          const { pid } = await test.mine.processes.create(ONE);
          await test.mine.ledger.create(of(pid), { [dim]: granted }, { warnAt: tenths / 10, onBreach: 'deny' });
          const charges = await Promise.all(amounts.map((amount) => test.mine.ledger.charge(pid, dim, amount)));
          let used = 0;
          for (const [index, charged] of charges.entries()) {
            const before = used;
            used += amounts[index] ?? 0;
            const isPast = (value: number) => value * 10 >= tenths * granted;
            expect(charged).toMatchObject({
              used,
              isOver: used > granted,
              isWarning: isPast(used) && !isPast(before),
              isFirstBreach: used > granted && before <= granted,
            });
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('use that is not mentioned', () => {
  it('counts as used in full when a reservation is settled, and 0 gives it back', async () => {
    await using test = await openTestKernel();
    const { mine } = test;
    const { pid } = await mine.processes.create({ name: 'a', template: 't' });
    await mine.ledger.create({ kind: 'process', pid }, { tokens: 100, calls: 10 });
    const reserve = async () => {
      const reserved = await mine.ledger.reserve(pid, { tokens: 40, calls: 1 });
      return reserved.kind === 'reserved' ? reserved.reservation.id : 0;
    };
    const used = async () => (await mine.ledger.list({ kind: 'process', pid })).map((entry) => [entry.dim, entry.used, entry.reserved]);
    await mine.ledger.settle(await reserve(), { calls: 2 });
    expect(await used()).toEqual([['tokens', 40, 0], ['calls', 2, 0]]); // biome-ignore format: a table
    await mine.ledger.settle(await reserve(), { tokens: 0, calls: 0 });
    expect(await used()).toEqual([['tokens', 40, 0], ['calls', 2, 0]]); // biome-ignore format: a table
  });

  it('is charged to whoever above has a budget when the process has none', async () => {
    await using test = await openTestKernel();
    const { mine } = test;
    const parent = await mine.processes.create({ name: 'a', template: 't' });
    const child = await mine.processes.create({ name: 'b', template: 't', parentPid: parent.pid });
    await expect(mine.ledger.charge(child.pid, 'tokens', 5)).rejects.toMatchObject({ code: 'ledger_not_found' });
    await mine.ledger.create({ kind: 'process', pid: parent.pid }, { tokens: 100 });
    expect(await mine.ledger.charge(child.pid, 'tokens', 5)).toMatchObject({ used: 5, granted: 100 });
  });
});
