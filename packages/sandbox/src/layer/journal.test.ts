import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { parsePath } from './byte-path.ts';
import { Pace } from './internal/pace.ts';
import { Journal, type JournalStep } from './journal.ts';

const STEPS: readonly JournalStep[] = [
  {
    number: 0,
    operation: 'write',
    path: parsePath('a'),
    before: { kind: 'file', mode: 0o644, size: 3, ino: 2n ** 63n, mtimeNs: 1n, ctimeNs: -1n, sha256: 'ab'.repeat(32) },
    after: { kind: 'file', mode: 0o4755, size: 0, ino: 1n, mtimeNs: 0n, ctimeNs: 0n },
    owner: [0, 1000],
  },
  { number: 1, operation: 'link', path: parsePath('caf\u00e9'), before: undefined, after: { kind: 'symlink', target: parsePath('x') } },
  {
    number: 2,
    operation: 'chmod',
    path: parsePath(''),
    before: { kind: 'directory', mode: 1 },
    after: { kind: 'directory', mode: 2 },
    isTemporary: true,
  },
];

describe('a journal', () => {
  it('is read as it was written', async () => {
    await using temporary = await TemporaryDirectory.create();
    const path = temporary.join('journal');
    using written = Journal.open(path);
    expect([written.steps, written.isInterrupted, written.nextNumber]).toEqual([[], false, 0]);
    written.begin();
    written.append(STEPS);
    expect(Journal.open(path)).toMatchObject({ isInterrupted: true, nextNumber: 3 });
    written.end();
    using read = Journal.open(path);
    expect(read.steps).toEqual(STEPS);
    expect(read.isInterrupted).toBe(false);
  });

  it('forgets a line that was cut off, also when more is written after it', async () => {
    await using temporary = await TemporaryDirectory.create();
    const path = temporary.join('journal');
    using written = Journal.open(path);
    written.begin();
    written.append(STEPS);
    written[Symbol.dispose]();
    appendFileSync(join(path, 'steps.jsonl'), '{"number":3,"operation":"wri');
    using reopened = Journal.open(path);
    expect(reopened.steps).toHaveLength(3);
    reopened.end();
    expect(Journal.open(path)).toMatchObject({ isInterrupted: false, nextNumber: 3 });
  });

  it('that is damaged is not believed', async () => {
    await using temporary = await TemporaryDirectory.create();
    const path = temporary.join('journal');
    mkdirSync(path);
    for (const line of [
      '{}',
      'x',
      '{"mark":"maybe"}',
      '{"number":0,"operation":"write","path":"../../etc/passwd"}',
      '{"number":-1,"operation":"write","path":"a"}',
    ]) {
      writeFileSync(join(path, 'steps.jsonl'), `{"mark":"begin"}\n${line}\n{"mark":"end"}\n`);
      expect(() => Journal.open(path)).toThrow(
        expect.objectContaining({ code: 'internal', message: expect.stringContaining('line 2 of ') }),
      );
    }
  });

  it('is gone when it is thrown away, also with the rest of an earlier one', async () => {
    await using temporary = await TemporaryDirectory.create();
    const path = temporary.join('journal');
    using journal = Journal.open(path);
    journal.begin();
    journal.append(STEPS);
    writeFileSync(journal.backupPath(0), 'kept');
    mkdirSync(`${path}.gone`);
    await journal.discard(new Pace());
    expect([existsSync(path), existsSync(`${path}.gone`), journal.steps]).toEqual([false, false, []]);
    await journal.discard(new Pace());
    journal.begin();
    expect(readFileSync(join(path, 'steps.jsonl'), 'utf8')).toBe('{"mark":"begin"}\n');
  });
});
