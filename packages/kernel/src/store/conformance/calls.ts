import { describe, expect, it } from 'vitest';
import type { CallRow } from '../tables/call-table.ts';
import type { OpenStore } from './conformance.ts';
import { HOSTILE_OBJECT, HOSTILE_TEXT, openTwo } from './two-workspaces.ts';

const call = (id: string, more: Partial<CallRow> = {}): CallRow => ({
  id,
  pid: 1,
  capability: 'filesystem.read',
  version: '1.0.0',
  effect: 'read',
  state: 'open',
  hash: `hash of ${id}`,
  idempotencyKey: undefined,
  approvalId: undefined,
  input: undefined,
  createdAt: 5,
  openedAt: 5,
  attempts: 1,
  reservationId: undefined,
  endedAt: undefined,
  record: {},
  ending: undefined,
  answer: undefined,
  ...more,
});
const done = (endedAt: number): Partial<CallRow> => ({ state: 'done', endedAt });

export function testCalls(name: string, open: OpenStore): void {
  describe(`calls of the store on ${name}`, () => {
    it('are found as they were inserted, also after a restart, whatever is in them', async () => {
      await using on = await openTwo(open);
      const rows = HOSTILE_TEXT.map((text, index) =>
        call(`c${index}`, {
          capability: text,
          idempotencyKey: text,
          approvalId: text,
          input: HOSTILE_OBJECT,
          record: HOSTILE_OBJECT,
          ending: HOSTILE_OBJECT,
          answer: { text },
          reservationId: Number.MAX_SAFE_INTEGER,
        }),
      );
      await on.mine.write(({ calls }) => rows.map((row) => calls.insert(row)));
      await on.under.reopen();
      expect(await on.mine.read(({ calls }) => rows.map(({ id }) => calls.find(id)))).toEqual(rows);
      expect(await on.mine.read(({ calls }) => HOSTILE_TEXT.map((text) => calls.findByKey(1, text)?.id))).toEqual(rows.map(({ id }) => id));
    });

    it('are those of their workspace alone', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ calls }) => calls.insert(call('a', { idempotencyKey: 'k' })));
      const seen = await on.other.write(({ calls }) => {
        calls.delete(['a']);
        return [calls.find('a'), calls.findByKey(1, 'k'), calls.inState('open', 9), calls.countOf(1, 'open'), calls.purgeDone(99, 9)];
      });
      expect(seen).toEqual([undefined, undefined, [], 0, 0]);
      await expect(on.other.write(({ calls }) => calls.update('a', { attempts: 2 }))).rejects.toThrow();
      await on.other.write(({ calls }) => calls.insert(call('a', { idempotencyKey: 'k', attempts: 7 })));
      expect(await on.mine.read(({ calls }) => calls.find('a')?.attempts)).toBe(1);
    });

    it('have an id that none had before them, and of each process a key that none has', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ calls }) => calls.insert(call('a', { idempotencyKey: 'k' })));
      const insert = (row: CallRow) => on.mine.write(({ calls }) => calls.insert(row));
      await expect(insert(call('a'))).rejects.toThrow();
      await expect(insert(call('b', { idempotencyKey: 'k' }))).rejects.toThrow();
      await insert(call('b', { idempotencyKey: 'k', pid: 2 }));
      expect(await on.mine.read(({ calls }) => [calls.findByKey(1, 'k')?.id, calls.findByKey(2, 'k')?.id])).toEqual(['a', 'b']);
    });

    it('keep what an update does not mention, and lose what it says is undefined', async () => {
      await using on = await openTwo(open);
      const row = call('a', { input: { a: 1 }, idempotencyKey: 'k', reservationId: 3 });
      const found = await on.mine.write(({ calls }) => {
        calls.insert(row);
        calls.update('a', {});
        const unchanged = calls.find('a');
        calls.update('a', { state: 'done', endedAt: 9, input: undefined, record: { b: 2 }, answer: { c: 3 } });
        return [unchanged, calls.find('a')];
      });
      expect(found).toEqual([row, { ...row, state: 'done', endedAt: 9, input: undefined, record: { b: 2 }, answer: { c: 3 } }]);
      await expect(on.mine.write(({ calls }) => calls.update('b', { attempts: 2 }))).rejects.toThrow();
    });

    it('are done exactly when they have ended', async () => {
      await using on = await openTwo(open);
      await expect(on.mine.write(({ calls }) => calls.insert(call('a', { state: 'done' })))).rejects.toThrow();
      await on.mine.write(({ calls }) => calls.insert(call('a')));
      await expect(on.mine.write(({ calls }) => calls.update('a', { endedAt: 3 }))).rejects.toThrow();
      await expect(on.mine.write(({ calls }) => calls.update('a', { state: 'done' }))).rejects.toThrow();
    });

    it('that are unfinished are listed by creation, in pages, and counted', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ calls }) => {
        for (const [id, createdAt] of [['d', 1], ['b', 2], ['a', 2], ['c', 3]] as const) calls.insert(call(id, { createdAt })); // biome-ignore format: one line
        calls.insert(call('e', { state: 'asked', createdAt: 0 }));
        calls.insert(call('f', { pid: 2, createdAt: 9 }));
        calls.insert(call('g', done(1)));
        const ids = (rows: readonly CallRow[]) => rows.map(({ id }) => id).join('');
        return [
          ids(calls.inState('open', 9)),
          ids(calls.inState('open', 2)),
          ids(calls.inState('open', 2, 'a')),
          ids(calls.inState('open', 2, 'gone')),
          ids(calls.inState('asked', 9)),
          ids(calls.ofProcess(1, ['open', 'asked'], 9)),
          ids(calls.ofProcess(1, ['open'], 3)),
          ids(calls.ofProcess(1, [], 3)),
          ids(calls.ofProcess(3, ['open'], 3)),
          calls.countOf(1, 'open'),
          calls.countOf(1, 'asked'),
          calls.countOf(2, 'asked'),
        ];
      });
      expect(seen).toEqual(['dabcf', 'da', 'bc', '', 'e', 'edabc', 'dab', '', '', 4, 1, 0]);
    });

    it('are deleted by their ids, and when they were done long ago, the oldest first', async () => {
      await using on = await openTwo(open);
      const left = await on.mine.write(({ calls }) => {
        for (const [index, id] of [...'abcdef'].entries()) calls.insert(call(id, done(index)));
        calls.insert(call('g', { createdAt: 0 }));
        const ids = () => [...'abcdefg'].filter((id) => calls.find(id) !== undefined).join('');
        const steps: unknown[] = [];
        calls.delete([]);
        calls.delete(['f']);
        calls.delete(['d', 'e', 'nobody', `'`]);
        steps.push(ids(), calls.purgeDone(2, 1), ids(), calls.purgeDone(2, 9), ids(), calls.purgeDone(99, 9), ids());
        return steps;
      });
      expect(left).toEqual(['abcg', 1, 'bcg', 1, 'cg', 1, 'g']);
    });
  });
}
