import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAuditIndex } from '../store/sqlite/audit-index.ts';
import { toFrame } from './frame.ts';
import { openAudit } from './open-audit.ts';
import { openTestAudit, testEntry } from './test-support/open-test-audit.ts';
import { framesOf } from './test-support/tamper.ts';
import { verifyAudit } from './verify-audit.ts';

const LOG = '2027-01-15.0000.log';

describe('opening after a crash', () => {
  it('in the middle of a write, at every byte of a group, cuts what was not acknowledged and nothing else', async () => {
    await using on = await openTestAudit();
    for (let number = 0; number < 3; number += 1) await on.audit.append(testEntry(number));
    const base = join(on.directory, '..');
    const copy = join(base, 'copy');
    await on.audit.close();
    cpSync(on.directory, copy, { recursive: true });
    const acknowledged = readFileSync(join(copy, LOG)).length;
    await on.reopen();
    const small = { kind: 'system', workspace: 'a', actor: { kind: 'system' }, action: 'b', outcome: 'success' } as const;
    await Promise.all([3, 4].map(() => on.audit.append(small)));
    await on.audit.close();
    const whole = readFileSync(join(on.directory, LOG));
    const torn = join(base, 'torn');
    for (let length = acknowledged; length <= whole.length; length += 1) {
      rmSync(torn, { recursive: true, force: true });
      cpSync(copy, torn, { recursive: true });
      writeFileSync(join(torn, LOG), whole.subarray(0, length));
      const audit = await openAudit({ directory: torn, keyFile: join(base, 'audit.key'), clock: on.clock, openIndex: openAuditIndex });
      const size = length === whole.length ? 5 : 3;
      expect([length, audit.head().size]).toEqual([length, size]);
      if (length % 40 === 0 || length === whole.length) {
        expect((await audit.append(testEntry(9))).seq).toBe(size);
        expect(await verifyAudit({ directory: torn, publicKey: on.publicKey })).toMatchObject({ entries: size + 1, problems: [] });
      }
      await audit.close();
    }
  }, 120_000);

  it('while a file was begun removes that file', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    await on.audit.close();
    const first = framesOf(readFileSync(join(on.directory, LOG)))[0] ?? Buffer.alloc(0);
    for (const begun of [Buffer.alloc(0), first.subarray(0, 20), first, Buffer.alloc(5_000)]) {
      writeFileSync(join(on.directory, '2027-01-16.0000.log'), begun);
      await on.reopen();
      expect(readdirSync(on.directory)).not.toContain('2027-01-16.0000.log');
      expect(on.audit.head().size).toBe(1);
    }
    expect((await verifyAudit(on)).problems).toEqual([]);
  });
});

describe('opening a log that somebody changed', () => {
  const changes: readonly (readonly [string, (directory: string) => void])[] = [
    ['cut off at an earlier head', (directory) => truncateSync(join(directory, LOG), headEnd(directory, 1))],
    ['without its last file', (directory) => rmSync(join(directory, LOG))],
    ['without its head file', (directory) => rmSync(join(directory, 'head'))],
    ['with a head file of zeros', (directory) => writeFileSync(join(directory, 'head'), Buffer.alloc(1_024))],
    ['with a flipped byte before its last head', (directory) => flipFromEnd(directory, 10)],
    [
      'with more behind its last head than a crash leaves',
      (directory) => writeFileSync(join(directory, LOG), Buffer.alloc(6_000_000), { flag: 'a' }),
    ],
  ];
  it.each(changes)('%s is refused, and the files stay as they are', async (_, change) => {
    await using on = await openTestAudit();
    for (let number = 0; number < 3; number += 1) await on.audit.append(testEntry(number));
    await on.audit.close();
    change(on.directory);
    const before = listing(on.directory);
    await expect(on.reopen()).rejects.toMatchObject({ code: 'store_failed' });
    expect(listing(on.directory)).toEqual(before);
    expect((await verifyAudit(on)).problems).not.toEqual([]);
  });
});

describe('a hostile frame', () => {
  const deep = Buffer.alloc(200_000, 0x81);
  it.each([
    ['of a huge length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['of no length', Buffer.alloc(8)],
    ['nested without end', toFrame(deep)],
    ['with duplicate keys', toFrame(Buffer.from('a2616101616102', 'hex'))],
    ['with a number that is none', toFrame(Buffer.from('85010000f97e0040', 'hex'))],
    ['of indefinite length', toFrame(Buffer.from('9f01ff', 'hex'))],
    ['of another kind', toFrame(Buffer.from('8118ff', 'hex'))],
    ['with a negative number', toFrame(Buffer.from('85012000'.padEnd(16, '0'), 'hex'))],
  ])('%s is found by verifying and cut off by opening', async (_, frame) => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    await on.audit.close();
    writeFileSync(join(on.directory, LOG), frame, { flag: 'a' });
    expect((await verifyAudit(on)).problems.length).toBeGreaterThan(0);
    await on.reopen();
    expect(on.audit.head().size).toBe(1);
    expect((await verifyAudit(on)).problems).toEqual([]);
  });

  it('in a directory where a file should be, or a name that is no file, does not stop verifying', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    mkdirSync(join(on.directory, '2027-01-15.0001.log'));
    const { problems, entries } = await verifyAudit(on);
    expect([entries, problems.map(({ kind }) => kind)]).toEqual([1, ['unreadable']]);
    rmSync(join(on.directory, '2027-01-15.0001.log'), { recursive: true });
  });
});

function headEnd(directory: string, heads: number): number {
  let end = 0;
  let count = 0;
  for (const frame of framesOf(readFileSync(join(directory, LOG)))) {
    end += frame.length;
    if (frame[9] === 2) count += 1;
    if (count === heads) break;
  }
  return end;
}

function flipFromEnd(directory: string, distance: number): void {
  const bytes = readFileSync(join(directory, LOG));
  bytes[bytes.length - distance] = (bytes[bytes.length - distance] ?? 0) ^ 1;
  writeFileSync(join(directory, LOG), bytes);
}

function listing(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log') || name === 'head')
    .map((name) => `${name} ${readFileSync(join(directory, name)).toString('base64').slice(0, 4_000)}`);
}
