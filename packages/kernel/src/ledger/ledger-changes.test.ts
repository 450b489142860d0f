import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createProcessChanges } from '../process/process-changes.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { Account } from './ledger.ts';
import { createLedgerChanges } from './ledger-changes.ts';

const of = (pid: number): Account => ({ kind: 'process', pid });
const WORKSPACE: Account = { kind: 'workspace' };

async function openParts(): Promise<AsyncDisposable & { readonly test: TestKernel } & ReturnType<typeof bind>> {
  const test = await openTestKernel();
  await test.mine.processes.create({ name: 'alice', template: 'coder' });
  await test.mine.ledger.create(of(1), { fs_w_bytes: 100 });
  await test.mine.ledger.create(WORKSPACE, { fs_w_bytes: 150, tokens: 1 });
  return { test, ...bind(test), [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() };
}

function bind(test: TestKernel) {
  const store = test.kernel.store.workspace(DEFAULT_WORKSPACE);
  const inside = createLedgerChanges({ changes: createProcessChanges({ onEnd: [], onMove: [] }), readmit: () => {} });
  return { store, inside };
}

describe('the ledger in a transaction of another part', () => {
  it('says where too little is left, and charges with that part or not at all', async () => {
    await using parts = await openParts();
    const { store, inside, test } = parts;
    const write = (bytes: number) =>
      store.write((transaction) => {
        const exceeded = inside.wouldExceed(transaction, 1, 'fs_w_bytes', bytes);
        if (exceeded !== undefined) return exceeded;
        const causationId = transaction.events.append({ pid: 1, kind: 'kernel.file.written', payload: {} });
        return inside.chargeInside(transaction, 1, { fs_w_bytes: bytes }, causationId);
      });
    expect(await write(200)).toMatchObject({ account: of(1), dim: 'fs_w_bytes', used: 0, granted: 100 });
    expect(await test.mine.ledger.list(of(1))).toMatchObject([{ used: 0 }]);
    expect(await write(100)).toMatchObject([
      { account: of(1), charged: { used: 100 } },
      { account: WORKSPACE, charged: { used: 100 } },
    ]);
    const [written, charged] = await test.mine.events.newest({ limit: 3 });
    expect([written?.kind, charged?.kind, charged?.causationId]).toEqual(['kernel.file.written', 'kernel.ledger.charged', written?.id]);
    await test.mine.ledger.updateGrant(of(1), 'fs_w_bytes', 1_000);
    expect(await write(51)).toMatchObject({ account: WORKSPACE, granted: 150 });
  });

  it('is without limit where nobody has the dimension', async () => {
    await using parts = await openParts();
    const answer = await parts.store.write((transaction) => [
      parts.inside.wouldExceed(transaction, 1, 'net_bytes', Number.MAX_SAFE_INTEGER) ?? 'free',
      parts.inside.chargeInside(transaction, 1, { net_bytes: 5 }),
    ]);
    expect(answer).toEqual(['free', []]);
  });

  it('says which budget of a process is breached, if one is', async () => {
    await using parts = await openParts();
    const { store, inside, test } = parts;
    const find = () => store.read((transaction) => inside.findBreach(transaction, 1));
    expect(await find()).toBeUndefined();
    await test.mine.ledger.record(1, { tokens: 1 });
    expect(await find()).toBeUndefined();
    await test.mine.ledger.record(1, { tokens: 1 });
    expect(await find()).toEqual({ account: WORKSPACE, dim: 'tokens' });
    expect(await store.read((transaction) => inside.findBreach(transaction, 99))).toBeUndefined();
  });
});
