import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, Fault } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import { openTestAudit } from '../audit/test-support/open-test-audit.ts';
import type { FaultPoint } from '../internal/fault-points.ts';
import type { Acted } from './capability.ts';
import { MemoryAudit } from './test-support/memory-audit.ts';
import { openTestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

/** A disk that is full when a test says so. */
function createDisk() {
  const disk = {
    isFull: false,
    reach(point: FaultPoint) {
      if (disk.isFull && point === 'store.commit') throw new Fault('storage_full', 'Cannot write: the disk is full');
    },
  };
  return disk;
}

test('with a full disk nothing acts, and calls work again when there is room', async () => {
  const faults = createDisk();
  await using t = await openTestGate({}, { faults });
  let acted = 0;
  t.capabilities.define('x.y', {
    act: () => {
      acted += 1;
      return done();
    },
  });
  const pid = await t.start();
  faults.isFull = true;
  await expect(t.call(pid, 'x.y')).rejects.toMatchObject({ code: 'storage_full' });
  expect(acted).toBe(0);
  faults.isFull = false;
  expect(await t.call(pid, 'x.y')).toMatchObject({ kind: 'done' });
  expect(acted).toBe(1);
});

test('an outcome that cannot be written is written before anything else begins', async () => {
  const faults = createDisk();
  await using t = await openTestGate({}, { faults });
  t.capabilities.define('x.y', {
    effect: 'once',
    act: () => {
      faults.isFull = true;
      return { kind: 'done', output: {}, usage: { net_bytes: 7 } };
    },
  });
  const pid = await t.start();
  await t.test.mine.ledger.create({ kind: 'process', pid }, { net_bytes: 100 });
  await expect(t.call(pid, 'x.y', { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'storage_full' });
  await expect(t.call(pid, 'x.y', { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'storage_full' });
  faults.isFull = false;
  expect(await t.call(pid, 'x.y', { idempotencyKey: 'k' })).toMatchObject({ kind: 'done' });
  expect(await t.test.mine.ledger.list({ kind: 'process', pid })).toMatchObject([{ used: 7 }]);
  expect(t.audit.entries).toHaveLength(1);
});

test('a broken audit stops the gate after the calls under way, and nothing is forgotten', async () => {
  await using t = await openTestGate();
  let acted = 0;
  t.capabilities.define('x.y', {
    act: () => {
      acted += 1;
      t.audit.isBroken = acted === 1;
      return done();
    },
  });
  const pid = await t.start();
  await expect(t.call(pid, 'x.y')).rejects.toMatchObject({ code: 'storage_full' });
  for (let index = 0; index < 3; index++) await expect(t.call(pid, 'x.y')).rejects.toMatchObject({ code: 'storage_full' });
  expect(acted).toBe(1);
  t.audit.isBroken = false;
  expect(await t.call(pid, 'x.y')).toMatchObject({ kind: 'done' });
  expect(t.audit.entries).toMatchObject([{ outcome: 'success' }, { outcome: 'success' }]);
});

describe('an audit whose directory is taken away', () => {
  async function openReal() {
    const audit = await openTestAudit();
    const t = await openTestGate({ audit: audit.audit });
    const away = `${audit.directory}.away`;
    let acted = 0;
    t.capabilities.define('x.y', {
      effect: 'once',
      act: ({ input }) => {
        acted += 1;
        if (input['leave'] === true) renameSync(audit.directory, away);
        return done({ acted });
      },
    });
    const pid = await t.start();
    await t.call(pid, 'x.y');
    return {
      ...{ t, pid, acted: () => acted, audit: audit.audit },
      leave: () => renameSync(audit.directory, away),
      comeBack: () => renameSync(away, audit.directory),
      async [Symbol.asyncDispose]() {
        await t[Symbol.asyncDispose]();
        await audit[Symbol.asyncDispose]();
      },
    };
  }

  test('is noticed before the first call after it acts, and calls work again when it is back', async () => {
    await using on = await openReal();
    on.leave();
    for (let time = 0; time < 2; time++) await expect(on.t.call(on.pid, 'x.y')).rejects.toMatchObject({ code: 'store_failed' });
    expect(on.acted()).toBe(1);
    on.comeBack();
    expect(await on.t.call(on.pid, 'x.y')).toMatchObject({ kind: 'done', output: { acted: 2 } });
    expect((await on.audit.search({})).entries).toHaveLength(2);
  });

  test('decides nothing', async () => {
    await using on = await openReal();
    on.t.policy = createTestPolicy({ 'x.y': { tier: 'approval_required' } });
    const asked = await on.t.call(on.pid, 'x.y');
    if (asked.kind !== 'pending') throw new Error(`It is ${asked.kind}`);
    on.leave();
    const { approvals } = on.t.test.mine;
    const ann = { name: 'ann', groups: [], isOperator: true };
    await expect(approvals.approve(asked.approvalId, ann)).rejects.toMatchObject({ code: 'store_failed' });
    on.comeBack();
    expect(await approvals.get(asked.approvalId)).toMatchObject({ state: 'pending' });
  });

  test('under a call tells its caller that it happened, and has its entry when it is back', async () => {
    await using on = await openReal();
    const leaving = on.t.call(on.pid, 'x.y', { input: { leave: true }, idempotencyKey: 'k' });
    await expect(leaving).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringMatching(
        /^Cannot answer the call of x\.y: it has ended, and what came of it will be recorded when it can be: /,
      ),
      details: { effect: 'happened', call_id: expect.stringMatching(/^call_/) },
    });
    on.comeBack();
    expect(await on.t.call(on.pid, 'x.y', { input: { leave: true }, idempotencyKey: 'k' })).toMatchObject({ output: { acted: 2 } });
    expect((await on.audit.search({})).entries).toHaveLength(2);
  });
});

test('an entry that the audit will never take is recorded by what it is about', async () => {
  class Narrow extends MemoryAudit {
    override append(entry: Parameters<MemoryAudit['append']>[0]) {
      if (entry.input !== undefined) return Promise.reject(new Fault('too_large', 'Cannot record in the audit: it is too large'));
      return super.append(entry);
    }
  }
  const audit = new Narrow();
  await using t = await openTestGate({ audit });
  t.capabilities.define('x.y');
  const answer = await t.call(await t.start(), 'x.y');
  expect(answer).toMatchObject({ kind: 'done' });
  expect(audit.of(answer.callId)).toMatchObject([{ outcome: 'success', details: { reduced: expect.any(String) } }]);
});

test('what the last life left open is unknown, or may be made again with its key', async () => {
  await using t = await openTestGate();
  const end = Promise.withResolvers<Acted>();
  let acted = 0;
  for (const [name, effect] of [
    ['x.once', 'once'],
    ['x.read', 'read'],
    ['x.same', 'idempotent'],
  ] as const) {
    t.capabilities.define(name, {
      effect,
      act: () => {
        acted += 1;
        return acted <= 5 ? end.promise : done({ again: true });
      },
    });
  }
  t.policy = createTestPolicy({});
  const pid = await t.start();
  // A life that ends while these are carried out: its gate is never heard of again.
  const lost = [
    t.call(pid, 'x.once', { idempotencyKey: 'once' }),
    t.call(pid, 'x.once'),
    t.call(pid, 'x.read'),
    t.call(pid, 'x.read', { idempotencyKey: 'read' }),
    t.call(pid, 'x.same', { idempotencyKey: 'same' }),
  ];
  for (const each of lost) each.catch(() => {});
  while (acted < 5) await new Promise(setImmediate);
  const directory = copyOf(t.test.directory);
  await using second = await openTestGate({ audit: t.audit, capabilities: t.capabilities }, { directory });
  expect(second.gate.active).toBe(0);
  const unknown = t.audit.entries.filter(({ outcome }) => outcome === 'unknown');
  expect(unknown.map(({ action }) => action).toSorted()).toEqual(['x.once', 'x.once', 'x.read']);
  expect((await second.test.mine.events.newest({ kind: 'kernel.call.ended' })).map(({ payload }) => payload['outcome'])).toEqual([
    'unknown',
    'unknown',
    'unknown',
  ]);
  expect(await second.call(pid, 'x.once', { idempotencyKey: 'once' })).toMatchObject({
    kind: 'failed',
    error: { type: 'OutcomeUnknown', retryable: false },
  });
  expect(acted).toBe(5);
  expect(await second.call(pid, 'x.read', { idempotencyKey: 'read' })).toMatchObject({ kind: 'done', output: { again: true } });
  const again = await Promise.all([1, 2, 3].map(() => second.call(pid, 'x.same', { idempotencyKey: 'same' })));
  expect(new Set(again.map(({ callId }) => callId)).size).toBe(1);
  expect(again).toMatchObject([{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }]);
  expect(acted).toBe(7);
  expect(
    await second.test.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ calls }) => calls.inState('open', 10).length),
  ).toBeLessThanOrEqual(2);
  end.resolve(done());
  await Promise.all(lost);
  rmSync(directory, { recursive: true });
});

test('an entry that the last life could not write is written at the start', async () => {
  await using t = await openTestGate();
  t.capabilities.define('x.y');
  const pid = await t.start();
  t.audit.isBroken = true;
  await expect(t.call(pid, 'x.y')).rejects.toMatchObject({ code: 'storage_full' });
  await t.gate.close();
  t.audit.isBroken = false;
  await t.restart();
  expect(t.audit.entries).toMatchObject([{ kind: 'syscall', outcome: 'success', action: 'x.y' }]);
  await t.restart();
  expect(t.audit.entries).toHaveLength(1);
});

/** What a machine that loses its power now has on its disk. */
function copyOf(directory: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'warren-kernel-'));
  cpSync(directory, copy, { recursive: true });
  return copy;
}

test('a defect of an implementation is told for the log, under the id that the answer has, and the agent learns no more of it', async () => {
  const told: unknown[] = [];
  await using t = await openTestGate({ onDefect: (defect) => told.push(defect) });
  t.capabilities.define('x.y', {
    act: () => {
      throw new TypeError('/home/ann/secret is no list');
    },
  });
  const pid = await t.start();
  const answer = await t.call(pid, 'x.y');
  expect(answer).toMatchObject({ kind: 'failed', error: { type: 'InternalError' } });
  expect(JSON.stringify(answer)).not.toContain('/home/ann');
  expect(told).toEqual([
    {
      call_id: answer.callId,
      capability: 'x.y',
      workspace: 'default',
      pid,
      defect: expect.stringContaining('/home/ann/secret is no list'),
    },
  ]);
});
