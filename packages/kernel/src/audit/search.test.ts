import { describe, expect, it } from 'vitest';
import type { Audit, AuditEntry, AuditQuery, RecordedEntry } from './audit.ts';
import { DAY_MS, openTestAudit, START, testEntry } from './test-support/open-test-audit.ts';

const COUNT = 120;

async function filled() {
  const on = await openTestAudit({ segmentBytesMax: 6_000 });
  for (let number = 0; number < COUNT; number += 1) {
    if (number === 60) on.clock.advance(DAY_MS);
    else on.clock.advance(10);
    await on.audit.append(entryOf(number));
  }
  return on;
}

function entryOf(number: number): AuditEntry {
  const more: Partial<AuditEntry> = {
    ...(number % 4 === 0 ? { workspace: 'acme' } : {}),
    ...(number % 10 === 0 ? { kind: 'operator', actor: { kind: 'member', name: 'ann' }, approvalId: `approval-${number}` } : {}),
  };
  return testEntry(number, more);
}

function isMatch(query: AuditQuery, entry: RecordedEntry): boolean {
  const { actor } = entry;
  return (
    (query.workspace === undefined || entry.workspace === query.workspace) &&
    (query.agent === undefined || (actor.kind === 'process' && actor.agent === query.agent)) &&
    (query.pid === undefined || (actor.kind === 'process' && actor.pid === query.pid)) &&
    (query.action === undefined ||
      entry.action === query.action ||
      (query.action.endsWith('.*') && entry.action.startsWith(query.action.slice(0, -1)))) &&
    (query.kind === undefined || entry.kind === query.kind) &&
    (query.outcome === undefined || entry.outcome === query.outcome) &&
    (query.callId === undefined || entry.callId === query.callId) &&
    (query.approvalId === undefined || entry.approvalId === query.approvalId) &&
    (query.from === undefined || entry.at >= query.from) &&
    (query.to === undefined || entry.at <= query.to)
  );
}

async function all(audit: Audit, query: AuditQuery): Promise<readonly number[]> {
  const seqs: number[] = [];
  for (let cursor: number | undefined; ; ) {
    const { entries, next } = await audit.search({ ...query, cursor: cursor ?? query.cursor, limit: 7 });
    seqs.push(...entries.map(({ seq }) => seq));
    if (next === undefined) return seqs;
    cursor = next;
  }
}

describe('searching', () => {
  it('finds by each field and by several what a look at every entry finds, in both directions, page by page', async () => {
    await using on = await filled();
    const every = await Promise.all(Array.from({ length: COUNT }, (_, seq) => on.audit.get(seq)));
    const middle = every[70]?.at ?? 0;
    const queries: readonly AuditQuery[] = [
      {},
      { workspace: 'acme' },
      { workspace: 'nobody' },
      { agent: 'agent-1' },
      { pid: 3 },
      { action: 'process.run' },
      { action: 'filesystem.*' },
      { action: 'file.*' },
      { kind: 'operator' },
      { outcome: 'denied' },
      { outcome: 'success', workspace: 'acme' },
      { callId: 'call-33' },
      { approvalId: 'approval-50' },
      { from: middle },
      { to: middle },
      { from: START + 100.5, to: START + 300.5 },
      { from: middle, to: START },
      { workspace: 'default', agent: 'agent-2', action: 'filesystem.*', outcome: 'success', from: START + 50 },
    ];
    for (const query of queries) {
      const expected = every.filter((entry) => isMatch(query, entry)).map(({ seq }) => seq);
      expect([query, await all(on.audit, query)]).toEqual([query, expected]);
      expect([query, await all(on.audit, { ...query, newest: true })]).toEqual([query, expected.toReversed()]);
    }
    expect(await all(on.audit, { cursor: 110 })).toEqual([111, 112, 113, 114, 115, 116, 117, 118, 119]);
    expect(await all(on.audit, { cursor: 3, newest: true })).toEqual([2, 1, 0]);
  });

  it('finds what was just appended', async () => {
    await using on = await openTestAudit();
    for (let number = 0; number < 5; number += 1) {
      await on.audit.append(testEntry(number));
      expect((await on.audit.search({ callId: `call-${number}` })).entries).toMatchObject([{ seq: number }]);
    }
  });

  it('takes hostile questions for questions', async () => {
    await using on = await filled();
    for (const text of ["' OR 1=1 --", '%', '*', '.*', '\0', 'x'.repeat(100_000)])
      expect((await on.audit.search({ action: text, agent: text })).entries).toEqual([]);
    await expect(on.audit.search({ cursor: Number.NaN })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect((await on.audit.search({ limit: 1e9 })).entries.length).toBe(COUNT);
    expect((await on.audit.search({ limit: -1 })).entries.length).toBe(1);
  });
});

describe('following', () => {
  it('gives the backlog and then what comes, each once and in order, to fast and to slow readers', async () => {
    await using on = await openTestAudit();
    for (let number = 0; number < 50; number += 1) await on.audit.append(testEntry(number));
    const end = new AbortController();
    const read = async (query: AuditQuery, isSlow: boolean, last: number): Promise<readonly number[]> => {
      const seqs: number[] = [];
      for await (const { seq } of on.audit.follow(query, end.signal)) {
        seqs.push(seq);
        if (isSlow) await new Promise(setImmediate);
        if (seq === last) return seqs;
      }
      return seqs;
    };
    const readers = [
      read({}, false, 399),
      read({}, true, 399),
      read({ cursor: 45 }, true, 399),
      read({ action: 'process.run' }, false, 399),
    ];
    for (let number = 50; number < 400; number += 5)
      await Promise.all([0, 1, 2, 3, 4].map((more) => on.audit.append(testEntry(number + more))));
    const everything = Array.from({ length: 400 }, (_, seq) => seq);
    const [fast, slow, late, filtered] = await Promise.all(readers);
    expect(fast).toEqual(everything);
    expect(slow).toEqual(everything);
    expect(late).toEqual(everything.slice(46));
    expect(filtered).toEqual(everything.filter((seq) => seq % 2 === 1));
  });

  it('ends with its signal, before, while it waits, and with the audit', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    expect((await on.audit.follow({}, AbortSignal.abort())[Symbol.asyncIterator]().next()).done).toBe(true);
    const end = new AbortController();
    const iterator = on.audit.follow({}, end.signal)[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ seq: 0 });
    const waiting = iterator.next();
    end.abort();
    expect((await waiting).done).toBe(true);
    const other = on.audit.follow({ cursor: 0 }, new AbortController().signal)[Symbol.asyncIterator]();
    const next = other.next();
    await new Promise(setImmediate);
    await on.audit.close();
    expect((await next).done).toBe(true);
  });
});
