import { chmodSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from './audit.ts';
import { WAITING_ENTRIES_MAX } from './limits.ts';
import { DAY_MS, openTestAudit, START, testEntry } from './test-support/open-test-audit.ts';
import { verifyAudit } from './verify-audit.ts';
import { verifyConsistency, verifyInclusion } from './verify-proof.ts';

const FULL: AuditEntry = {
  kind: 'syscall',
  workspace: 'acme',
  actor: { kind: 'process', pid: 7, agent: 'coder' },
  action: 'filesystem.write',
  outcome: 'denied',
  callId: 'c-1',
  approvalId: 'a-1',
  input: JSON.parse('{"path":"/a","__proto__":{"x":1},"list":[1,null,true,-1.5,9007199254740991,1e300,"ü"]}'),
  inputHash: 'ab'.repeat(32),
  decision: { tier: 'blocked', rule: { layer: 'system', file: 'system.yaml', line: 3, rule: 'no', reason: undefined }, policy: 'v1' },
  taint: ['web'],
  error: { type: 'Denied', message: 'no' },
  durationMs: 1.25,
  usage: { calls: 1 },
  details: { deep: { er: [] } },
};

describe('an entry', () => {
  it('is read as it was appended, also after a restart', async () => {
    await using on = await openTestAudit();
    const receipt = await on.audit.append(FULL);
    expect(receipt).toEqual({ seq: 0, at: START, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const recorded = await on.audit.get(0);
    expect(recorded).toEqual({ ...FULL, ...receipt });
    expect(Object.keys(recorded.input ?? {})).toContain('__proto__');
    await on.reopen();
    expect(await on.audit.get(0)).toEqual(recorded);
    expect((await verifyAudit(on)).problems).toEqual([]);
  });

  it('of a person, of Warren itself, and of next to nothing is read as it was appended', async () => {
    await using on = await openTestAudit();
    const base = { kind: 'operator', workspace: 'a', action: 'x', outcome: 'success' } as const;
    const actors = [{ kind: 'member', name: 'ann' }, { kind: 'operator', name: 'bob' }, { kind: 'system' }] as const;
    for (const actor of actors) await on.audit.append({ ...base, actor });
    for (const [seq, actor] of actors.entries()) expect(await on.audit.get(seq)).toMatchObject({ ...base, actor });
  });

  it.each(['builtin', 'allowance'] as const)(
    'whose rule is of the layer %s, which stands in no file, keeps its decision',
    async (layer) => {
      await using on = await openTestAudit();
      const decision = { tier: 'blocked', rule: { layer, file: '', line: 0, rule: 'system_paths', reason: 'never' } } as const;
      await on.audit.append({ ...FULL, decision });
      expect((await on.audit.get(0)).decision).toEqual({ ...decision, policy: undefined });
    },
  );

  it.each([
    ['a number that is none', { input: { a: Number.NaN } }],
    ['infinity', { details: { a: Number.POSITIVE_INFINITY } }],
    ['a function', { input: { a: () => {} } }],
    ['a big integer', { input: { a: 1n } }],
    ['an object of a class', { input: { a: new Date() } }],
    ['a list for an object', { input: [] }],
    ['another kind', { kind: 'other' }],
    ['another outcome', { outcome: 'fine' }],
    ['no workspace', { workspace: '' }],
    ['no actor', { actor: undefined }],
    ['an actor of another kind', { actor: { kind: 'ghost' } }],
    ['a depth without end', { input: nested(100_000) }],
  ])('with %s is refused and nothing is recorded', async (_, more) => {
    await using on = await openTestAudit();
    await expect(on.audit.append(testEntry(0, more as Partial<AuditEntry>))).rejects.toMatchObject({ code: 'invalid_argument' }); // Hostile on purpose.
    expect(on.audit.head().size).toBe(0);
    await on.audit.append(testEntry(1));
    expect((await verifyAudit(on)).entries).toBe(1);
  });

  it.each([
    ['50 MB in one text', { input: { a: 'x'.repeat(50_000_000) } }],
    ['a million values', { input: { a: Array.from({ length: 1_000_000 }, () => 0) } }],
    ['300 KB in many', { details: Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`k${index}`, 'x'.repeat(100)])) }],
    ['a long name', { action: 'x'.repeat(2_000) }],
  ])('with %s is too large', async (_, more) => {
    await using on = await openTestAudit();
    await expect(on.audit.append(testEntry(0, more))).rejects.toMatchObject({ code: 'too_large' });
  });

  it('with broken unicode is recorded without it', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0, { input: { text: 'a\ud800b', '\udc00': 1 } }));
    expect((await on.audit.get(0)).input).toEqual({ text: 'a\ufffdb', '\ufffd': 1 });
  });

  it('is not there when its number is none', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry());
    for (const seq of [-1, 1, 0.5, Number.NaN, 2 ** 60]) await expect(on.audit.get(seq)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('appending', () => {
  it('by many at once numbers all of them, in the order asked, and shares flushes', async () => {
    await using on = await openTestAudit();
    const receipts = await Promise.all(Array.from({ length: 500 }, (_, number) => on.audit.append(testEntry(number))));
    expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, seq) => seq));
    expect(on.audit.head().size).toBe(500);
    const bytes = readFileSync(join(on.directory, '2027-01-15.0000.log')).length;
    expect(bytes).toBeLessThan(500 * 350);
    expect(await verifyAudit(on)).toMatchObject({ entries: 500, problems: [] });
  });

  it('goes on in a file of the new day, and of the same day when one is full', async () => {
    await using on = await openTestAudit({ segmentBytesMax: 4_096 });
    for (let number = 0; number < 60; number += 1) {
      if (number === 30) on.clock.advance(DAY_MS);
      await on.audit.append(testEntry(number));
    }
    const logs = readdirSync(on.directory).filter((name) => name.endsWith('.log'));
    expect(logs.length).toBeGreaterThan(3);
    expect(new Set(logs.map((name) => name.slice(0, 10)))).toEqual(new Set(['2027-01-15', '2027-01-16']));
    await on.reopen();
    expect(await verifyAudit(on)).toMatchObject({ entries: 60, problems: [], files: logs.length });
    for (let seq = 0; seq < 60; seq += 1) expect((await on.audit.get(seq)).callId).toBe(`call-${seq}`);
  });

  it('in one turn around midnight makes a group for each day', async () => {
    await using on = await openTestAudit();
    const before = on.audit.append(testEntry(0));
    on.clock.advance(DAY_MS);
    const receipts = await Promise.all([before, on.audit.append(testEntry(1))]);
    expect(receipts.map(({ at }) => at)).toEqual([START, START + DAY_MS]);
    expect((await verifyAudit(on)).problems).toEqual([]);
  });

  it('after the clock was set back does not go back', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    await on.reopen({ clock: { now: () => START - 2 * DAY_MS } });
    expect(await on.audit.append(testEntry(1))).toMatchObject({ at: START });
    expect((await verifyAudit(on)).problems).toEqual([]);
  });

  it('refuses more than may wait, and loses none of those that do', async () => {
    await using on = await openTestAudit();
    const appends = Array.from({ length: WAITING_ENTRIES_MAX + 50 }, (_, number) => on.audit.append(testEntry(number)));
    const settled = await Promise.allSettled(appends);
    const refused = settled.filter((one) => one.status === 'rejected');
    expect(refused.length).toBe(50);
    expect(refused[0]?.reason).toMatchObject({ code: 'busy' });
    expect(on.audit.head().size).toBe(WAITING_ENTRIES_MAX);
    expect((await verifyAudit(on)).problems).toEqual([]);
  });

  it('ends with closing, which waits for those that were accepted, and may be done twice', async () => {
    await using on = await openTestAudit();
    const accepted = on.audit.append(testEntry());
    await Promise.all([on.audit.close(), on.audit.close()]);
    expect((await accepted).seq).toBe(0);
    await expect(on.audit.append(testEntry())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('files of the audit', () => {
  it('are for their owner alone', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry());
    await on.audit.search({});
    expect(statSync(on.directory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(on.directory)) {
      expect([name, statSync(join(on.directory, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect(statSync(join(on.directory, '..', 'audit.key')).mode & 0o777).toBe(0o600);
    chmodSync(on.directory, 0o755);
    await on.reopen();
    expect(statSync(on.directory).mode & 0o777).toBe(0o700);
  });

  it('beside the log can go, and come again from it', async () => {
    await using on = await openTestAudit({ segmentBytesMax: 4_096 });
    await Promise.all(Array.from({ length: 100 }, (_, number) => on.audit.append(testEntry(number))));
    const proof = await on.audit.proveInclusion(17);
    for (const name of ['tree', 'places', 'index.db']) {
      await on.audit.close();
      rmSync(join(on.directory, name));
      await on.reopen();
      expect((await on.audit.search({ callId: 'call-42' })).entries).toMatchObject([{ seq: 42 }]);
      expect(await on.audit.proveInclusion(17)).toEqual(proof);
    }
  });

  it('need their key: without it, or with another, the log is not continued', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry());
    await expect(on.reopen({ keyFile: join(on.directory, '..', 'none') })).rejects.toMatchObject({ code: 'store_failed' });
    await using other = await openTestAudit();
    const keyFile = join(other.directory, '..', 'audit.key');
    await expect(on.reopen({ keyFile })).rejects.toMatchObject({ code: 'store_failed' });
  });
});

describe('a proof', () => {
  it('of every entry in every tree holds, and of none that is not there', async () => {
    await using on = await openTestAudit();
    for (let number = 0; number < 20; number += 1) await on.audit.append(testEntry(number));
    for (let size = 1; size <= 20; size += 1) {
      for (let seq = 0; seq < size; seq += 1) {
        const proof = await on.audit.proveInclusion(seq, size);
        expect(proof.hash).toBe((await on.audit.get(seq)).hash);
        expect(verifyInclusion(proof, on.publicKey)).toBe(true);
        expect(verifyInclusion({ ...proof, seq: (seq + 1) % (size + 1) }, on.publicKey)).toBe(false);
      }
      const consistency = await on.audit.proveConsistency(size, 20);
      expect(verifyConsistency(consistency, on.publicKey)).toBe(true);
    }
    for (const [seq, size] of [
      [20, 20],
      [5, 5],
      [0, 21],
      [-1, 3],
      [0.5, 3],
    ] as const) {
      await expect(on.audit.proveInclusion(seq, size)).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(on.audit.proveConsistency(3, 21)).rejects.toMatchObject({ code: 'not_found' });
    await expect(on.audit.proveConsistency(4, 3)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is not made of nodes that somebody changed: they are made again', async () => {
    await using on = await openTestAudit();
    for (let number = 0; number < 33; number += 1) await on.audit.append(testEntry(number));
    const good = await on.audit.proveInclusion(5);
    const { open } = await import('node:fs/promises');
    const file = await open(join(on.directory, 'tree'), 'r+');
    await file.write(Buffer.alloc(64 * 32, 7), 0, 64 * 32, 0);
    await file.close();
    expect(await on.audit.proveInclusion(5)).toEqual(good);
    expect(verifyConsistency(await on.audit.proveConsistency(7), on.publicKey)).toBe(true);
  });
});

describe('purging', () => {
  it('takes entries of days that ended, and leaves every proof, every head and the log whole', async () => {
    await using on = await openTestAudit({ segmentBytesMax: 8_192 });
    for (let number = 0; number < 90; number += 1) {
      if (number > 0 && number % 30 === 0) on.clock.advance(DAY_MS);
      await on.audit.append(testEntry(number));
    }
    const [kept, early] = [await on.audit.proveInclusion(3), on.audit.head()];
    expect(await on.audit.purge(START)).toBe(0);
    expect(await on.audit.purge(on.clock.now())).toBe(60);
    expect(await on.audit.purge(on.clock.now())).toBe(0);
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await verifyAudit({ ...on, anchors: [early] })).toMatchObject({ entries: 90, purged: 60, problems: [] });
      await expect(on.audit.get(3)).rejects.toMatchObject({ code: 'not_found' });
      expect((await on.audit.get(60)).callId).toBe('call-60');
      expect((await on.audit.search({})).entries.map(({ seq }) => seq)[0]).toBe(60);
      expect((await on.audit.proveInclusion(3)).path).toEqual(kept.path);
      expect(verifyConsistency(await on.audit.proveConsistency(10), on.publicKey)).toBe(true);
      await on.audit.close();
      for (const name of ['tree', 'places', 'index.db']) rmSync(join(on.directory, name));
      await on.reopen();
    }
    const bytes = readdirSync(on.directory).map((name) => readFileSync(join(on.directory, name)));
    expect(bytes.some((one) => one.includes('file-3.txt'))).toBe(false);
  });

  it('keeps a file that was tampered with', async () => {
    await using on = await openTestAudit();
    for (let number = 0; number < 4; number += 1) {
      await on.audit.append(testEntry(number));
      on.clock.advance(DAY_MS);
    }
    const path = join(on.directory, '2027-01-16.0000.log');
    const bytes = readFileSync(path);
    bytes[bytes.length - 300] = (bytes[bytes.length - 300] ?? 0) ^ 1;
    const { writeFileSync } = await import('node:fs');
    writeFileSync(path, bytes);
    await expect(on.audit.purge(on.clock.now())).rejects.toMatchObject({ code: 'store_failed' });
    expect(readdirSync(on.directory)).toContain('2027-01-16.0000.log');
  });
});

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}
