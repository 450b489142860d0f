import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { type IndexRow, type IndexRowQuery, openAuditIndex, searchSql } from './audit-index.ts';
import { Database } from './database.ts';

function row(seq: number, more: Partial<IndexRow> = {}): IndexRow {
  const rest = { agent: undefined, pid: undefined, callId: undefined, approvalId: undefined };
  return { seq, at: 1_000 + Math.floor(seq / 2), workspace: 'a', kind: 'syscall', action: 'x.y', outcome: 'success', ...rest, ...more };
}

const ALL = { first: 0, last: 1_000, isNewestFirst: false, limit: 1_000 };

describe('the index of the audit', () => {
  it('takes entries that follow what it has, and no others', async () => {
    await using directory = await TemporaryDirectory.create();
    const index = openAuditIndex(directory.join('index.db'));
    index.use('log');
    index.add([row(0), row(1)]);
    expect(() => index.add([row(3)])).toThrow('does not follow');
    index.skipTo(5);
    index.add([row(5)]);
    expect([index.size(), index.find(ALL)]).toEqual([6, [0, 1, 5]]);
    index.close();
  });

  it('is for its owner alone, keeps what it has, and is emptied for another log', async () => {
    await using directory = await TemporaryDirectory.create();
    const path = directory.join('index.db');
    for (const [log, size] of [
      ['one', 0],
      ['one', 1],
      ['two', 0],
    ] as const) {
      const index = openAuditIndex(path);
      index.use(log);
      expect(index.size()).toBe(size);
      if (size === 0) index.add([row(0)]);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      index.close();
    }
  });

  it.each(['no database at all', ''])('is made anew when the file holds %j', async (content) => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('index.db'), content.padEnd(content === '' ? 0 : 5_000, 'x'));
    const index = openAuditIndex(directory.join('index.db'));
    index.use('log');
    expect(index.size()).toBe(0);
    index.close();
    expect(readFileSync(directory.join('index.db')).subarray(0, 6).toString()).toBe('SQLite');
  });

  it('finds the first entry of a time, also after some were forgotten', async () => {
    await using directory = await TemporaryDirectory.create();
    const index = openAuditIndex(directory.join('index.db'));
    index.use('log');
    index.add(Array.from({ length: 10 }, (_, seq) => row(seq)));
    const times = () => [0, 1_000, 1_001, 1_004, 1_005].map((at) => index.firstAt(at));
    expect(times()).toEqual([0, 0, 2, 8, 10]);
    expect(index.forget(5)).toBe(false);
    expect(times()).toEqual([5, 5, 5, 8, 10]);
    expect(index.find({ ...ALL, isNewestFirst: true, limit: 2 })).toEqual([9, 8]);
    index.clear();
    expect([index.size(), index.firstAt(0)]).toEqual([0, 0]);
    index.close();
  });

  it('takes a category for a category, not for a beginning', async () => {
    await using directory = await TemporaryDirectory.create();
    const index = openAuditIndex(directory.join('index.db'));
    index.use('log');
    index.add(['file', 'file.a', 'file.b.c', 'files.a', 'file/a', 'file-a'].map((action, seq) => row(seq, { action })));
    expect(index.find({ ...ALL, action: 'file.*' })).toEqual([1, 2]);
    expect(index.find({ ...ALL, action: 'file' })).toEqual([0]);
    index.close();
  });

  it.each<[string, Partial<IndexRowQuery>]>([
    ['policies', { kind: 'policy' }],
    ['starts and ends', { kind: 'system', action: 'daemon.*' }],
    ['operations', { kind: 'operator' }],
    ['what was begun', { kind: 'operator', outcome: 'begun' }],
  ])('finds the newest of %s without a look at the calls between', async (_, filter) => {
    await using directory = await TemporaryDirectory.create();
    const path = directory.join('index.db');
    openAuditIndex(path).close();
    const database = new Database(path, { isReadOnly: true });
    for (const isNewestFirst of [true, false]) {
      const { sql, values } = searchSql({ ...ALL, ...filter, isNewestFirst });
      const plan = database.query(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
      expect(plan.map(({ detail }) => detail)).toEqual([
        expect.stringMatching(
          /^SEARCH entry USING (COVERING )?INDEX entry_(by_kind \(kind|not_success \(outcome)=\? AND seq>\? AND seq<\?\)$/,
        ),
      ]);
    }
    database.close();
  });

  it('of an earlier version keeps what it has, and gets the index it lacks', async () => {
    await using directory = await TemporaryDirectory.create();
    const path = directory.join('index.db');
    const before = openAuditIndex(path);
    before.use('log');
    before.add([row(0, { kind: 'policy' }), row(1)]);
    before.close();
    const earlier = new Database(path, { isReadOnly: false });
    earlier.execute('DROP INDEX entry_by_kind; PRAGMA user_version = 1;');
    earlier.close();
    const index = openAuditIndex(path);
    index.use('log');
    expect([index.size(), index.find({ ...ALL, kind: 'policy' }), index.find(ALL)]).toEqual([2, [0], [0, 1]]);
    index.close();
    const database = new Database(path, { isReadOnly: true });
    expect(database.query("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'entry_by_kind'").get()?.['count']).toBe(1);
    database.close();
  });
});
