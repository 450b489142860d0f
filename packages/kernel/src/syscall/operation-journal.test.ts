import { Fault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../audit/audit.ts';
import { openTestAudit } from '../audit/test-support/open-test-audit.ts';
import { closeLostOperations } from './close-lost-operations.ts';
import { type OperationEntry, OperationJournal } from './operation-journal.ts';

const OPERATION: OperationEntry = {
  workspace: 'default',
  actor: { kind: 'operator', name: 'ann' },
  action: 'token.create',
  input: { label: 'ci' },
};

/** An audit on real files that can be made to fail. */
async function openJournal() {
  const on = await openTestAudit();
  const state = { isBroken: false };
  const ids = { next: 0 };
  const audit = {
    head: () => on.audit.head(),
    check: () => on.audit.check(),
    async append(entry: AuditEntry) {
      if (state.isBroken) throw new Fault('store_failed', 'Cannot record in the audit: its directory was removed');
      return await on.audit.append(entry);
    },
  };
  const begin = () => new OperationJournal({ audit, newId: () => `operation_${++ids.next}` });
  const entries = async () => (await on.audit.search({})).entries.map(({ action, outcome, callId }) => [action, outcome, callId]);
  return { ...{ state, begin, entries, audit: on.audit }, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

describe('an operation', () => {
  it('is in the audit before anything is changed, and again with what came of it', async () => {
    await using on = await openJournal();
    const journal = on.begin();
    const before = await journal.record(OPERATION, async () => await on.entries());
    expect(before).toEqual([['token.create', 'begun', 'operation_1']]);
    expect(await on.audit.get(1)).toMatchObject({ ...OPERATION, kind: 'operator', outcome: 'success', callId: 'operation_1' });
  });

  it.each([
    [new Fault('permission_denied', 'Cannot: it is not yours'), 'denied', 'permission_denied', 'Cannot: it is not yours'],
    [new Fault('conflict', 'Cannot: it is approved already'), 'denied', 'conflict', 'Cannot: it is approved already'],
    [new Fault('not_found', 'Cannot: it does not exist'), 'failure', 'not_found', 'Cannot: it does not exist'],
    [new Fault('invalid_argument', `Cannot: wrn_${'A'.repeat(43)}`), 'failure', 'invalid_argument', expect.stringMatching(/^Cannot: \[/)],
    [new Error('/secret/path is broken'), 'failure', 'internal', 'an error of ours'],
  ])('that did not work says so: %s', async (error, outcome, type, message) => {
    await using on = await openJournal();
    await expect(on.begin().record(OPERATION, () => Promise.reject(error))).rejects.toBe(error);
    expect(await on.audit.get(1)).toMatchObject({ outcome, error: { type, message } });
  });

  it('changes nothing while the audit cannot be written, and leaves nothing to be written', async () => {
    await using on = await openJournal();
    const journal = on.begin();
    on.state.isBroken = true;
    let done = 0;
    for (let turn = 0; turn < 3; turn += 1)
      await expect(journal.record(OPERATION, async () => ++done)).rejects.toMatchObject({ code: 'store_failed' });
    expect(done).toBe(0);
    on.state.isBroken = false;
    await journal.record(OPERATION, async () => ++done);
    expect((await on.entries()).map(([, outcome]) => outcome)).toEqual(['begun', 'success']);
  });

  it('is not answered when its end could not be written, which then is before anything else begins', async () => {
    await using on = await openJournal();
    const journal = on.begin();
    const failing = journal.record(OPERATION, async () => {
      on.state.isBroken = true;
    });
    await expect(failing).rejects.toMatchObject({ code: 'store_failed' });
    await expect(journal.record(OPERATION, async () => {})).rejects.toMatchObject({ code: 'store_failed' });
    on.state.isBroken = false;
    await journal.record(OPERATION, async () => {});
    expect(await on.entries()).toEqual([
      ['token.create', 'begun', 'operation_1'],
      ['token.create', 'success', 'operation_1'],
      ['token.create', 'begun', 'operation_2'],
      ['token.create', 'success', 'operation_2'],
    ]);
  });

  it('of parameters that no entry can hold is in the audit without them', async () => {
    await using on = await openJournal();
    await on.begin().record({ ...OPERATION, input: { text: 'x'.repeat(300_000) } }, async () => {});
    expect((await on.entries()).map(([, outcome]) => outcome)).toEqual(['begun', 'success']);
  });
});

describe('an operation that a crash cut off', () => {
  it('gets its end at the next start: once, and no other does', async () => {
    await using on = await openJournal();
    const journal = on.begin();
    await journal.record(OPERATION, async () => {});
    const never = new Promise<void>(() => {});
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    void journal.record({ ...OPERATION, action: 'agent.start' }, async () => {
      resolve();
      await never;
    });
    await begun;
    // Those that come after it end, and the newest says where to look for it.
    for (let turn = 0; turn < 5; turn += 1) await journal.record(OPERATION, async () => {});
    expect(await closeLostOperations(on.audit)).toBe(1);
    const { entries } = await on.audit.search({ newest: true, limit: 1 });
    expect(entries[0]).toMatchObject({ action: 'agent.start', outcome: 'unknown', callId: 'operation_2', input: { label: 'ci' } });
    expect(await closeLostOperations(on.audit)).toBe(0);
  });

  it('is found also when what came after it began before it was on disk', async () => {
    await using on = await openJournal();
    const journal = on.begin();
    const never = new Promise<void>(() => {});
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    // Both at once: their entries share a flush.
    void journal.record({ ...OPERATION, action: 'agent.start' }, async () => await never);
    void journal.record(OPERATION, async () => {
      resolve();
      await never;
    });
    await begun;
    expect(await closeLostOperations(on.audit)).toBe(2);
  });

  it('is none where nothing was ever begun', async () => {
    await using on = await openJournal();
    expect(await closeLostOperations(on.audit)).toBe(0);
  });
});
