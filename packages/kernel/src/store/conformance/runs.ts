import { describe, expect, it } from 'vitest';
import { type NewRunStep, type RunFilter, type RunRow, STEP_KINDS } from '../tables/run-table.ts';
import type { OpenStore } from './conformance.ts';
import { HOSTILE_OBJECT, HOSTILE_TEXT, openTwo } from './two-workspaces.ts';

type NewRun = Parameters<Parameters<Parameters<Awaited<ReturnType<typeof openTwo>>['mine']['write']>[0]>[0]['runs']['insert']>[0];

const run = (pid: number, more: Partial<NewRun> = {}): NewRun => ({
  pid,
  agent: undefined,
  parent: undefined,
  session: undefined,
  title: '',
  priority: 0,
  entry: undefined,
  waitsFor: { for: {} },
  ...more,
});
const entry = (pid: number, isDue: boolean) =>
  ({ pid, isDue, priority: 0, runnableAt: 5, rank: 5, deadline: undefined, trigger: 'kernel.run', payload: {}, attemptsMax: 1, backoffMs: 0, cron: undefined, dedupeKey: undefined }) as const; // biome-ignore format: one line
const step = (kind: NewRunStep['kind'], body: unknown = {}): NewRunStep => ({ kind, json: JSON.stringify(body) });
const ended = (row: RunRow, endedAt: number): RunRow => ({ ...row, entry: undefined, waitsFor: undefined, outcome: 'completed', endedAt });
const required = <T>(row: T | undefined): T => {
  if (row === undefined) throw new Error('There is no such row');
  return row;
};

export function testRuns(name: string, open: OpenStore): void {
  describe(`runs of the store on ${name}`, () => {
    it('are found as they were inserted, also after a restart, whatever is in them', async () => {
      await using on = await openTwo(open);
      const texts = HOSTILE_TEXT;
      const rows = await on.mine.write(({ runs }) =>
        texts.map((text, index) => {
          const id = runs.insert(run(index + 1, { agent: text, session: text, title: text, parent: 3, priority: -7, entry: 9, waitsFor: HOSTILE_OBJECT })); // biome-ignore format: one line
          return runs.append(required(runs.find(id)), [step('task', HOSTILE_OBJECT), step('note', { text })], { tokens: 5, costMicro: 7 });
        }),
      );
      await on.under.reopen();
      const found = await on.mine.read(({ runs }) => rows.map(({ id }) => runs.find(id)));
      expect(found).toEqual(rows);
      expect(found[1]).toMatchObject({ id: 2, steps: 2, tokens: 5, costMicro: 7, createdAt: on.clock.now(), startedAt: undefined });
      expect(found[1]?.bytes).toBe(Buffer.byteLength(JSON.stringify(HOSTILE_OBJECT) + JSON.stringify({ text: texts[1] })));
      const steps = await on.mine.read(({ runs }) =>
        rows.map(({ id }) => runs.steps(id, -1, 9).map(({ seq, kind, body }) => [seq, kind, body])),
      );
      expect(steps).toEqual(texts.map((text) => [[0, 'task', HOSTILE_OBJECT], [1, 'note', { text }]])); // biome-ignore format: one line
      expect(await on.mine.read(({ runs }) => texts.map((text) => runs.list({ agent: text, session: text }, 9).length))).toEqual(
        texts.map(() => 1),
      );
    });

    it('are those of their workspace alone', async () => {
      await using on = await openTwo(open);
      const id = await on.mine.write(({ runs }) => runs.append(required(runs.find(runs.insert(run(1)))), [step('task')]).id);
      const seen = await on.other.write(({ runs }) => {
        runs.shrink(id, 9);
        return [
          runs.find(id),
          runs.findLive(1),
          runs.list({}, 9),
          runs.steps(id, -1, 9),
          runs.step(id, 0),
          runs.ended(9),
          runs.countEnded(),
        ];
      });
      expect(seen).toEqual([undefined, undefined, [], [], undefined, [], 0]);
      await expect(on.other.write(({ runs }) => runs.update({ ...run(1), id, outcome: undefined, steps: 1, bytes: 2, tokens: 0, costMicro: 0, createdAt: 1, startedAt: 9, endedAt: undefined }))).rejects.toThrow(); // biome-ignore format: one line
      expect(await on.mine.read(({ runs }) => [runs.find(id)?.startedAt, runs.steps(id, -1, 9).length])).toEqual([undefined, 1]);
    });

    it('are one at a time of each process, and have ended exactly when it is said how', async () => {
      await using on = await openTwo(open);
      const id = await on.mine.write(({ runs }) => runs.insert(run(1)));
      await expect(on.mine.write(({ runs }) => runs.insert(run(1)))).rejects.toThrow();
      const change = (more: Partial<RunRow>) => on.mine.write(({ runs }) => runs.update({ ...required(runs.find(id)), ...more }));
      await expect(change({ endedAt: 5 })).rejects.toThrow();
      await expect(change({ outcome: 'failed' })).rejects.toThrow();
      await expect(change({ outcome: 'failed', endedAt: 5 })).rejects.toThrow(); // It waits for something.
      await expect(change({ outcome: 'gone' as never, endedAt: 5, waitsFor: undefined })).rejects.toThrow();
      expect(await on.mine.read(({ runs }) => runs.findLive(1)?.id)).toBe(id);
      await on.mine.write(({ runs }) => runs.update(ended(required(runs.find(id)), 5)));
      const next = await on.mine.write(({ runs }) => runs.insert(run(1)));
      expect(await on.mine.read(({ runs }) => [runs.findLive(1)?.id, runs.find(id)?.outcome])).toEqual([next, 'completed']);
    });

    it('keep their steps in order, in pages that are not too large, and tell of a kind', async () => {
      await using on = await openTwo(open);
      const id = await on.mine.write(({ runs }) => {
        const row = runs.append(
          required(runs.find(runs.insert(run(1)))),
          STEP_KINDS.map((kind) => step(kind)),
        );
        return runs.append(row, [step('message', { n: 1 })]).id;
      });
      const seen = await on.mine.read(({ runs }) => [
        runs.steps(id, -1, 3).map(({ seq, kind }) => [seq, kind]),
        runs.steps(id, 5, 99).map(({ seq, kind }) => [seq, kind]),
        runs.steps(id, 7, 9),
        runs.step(id, 7)?.body,
        runs.step(id, 8),
        [-1, 2, 3, 6, 7].map((after) => runs.hasStep(id, 'message', after)),
        runs.hasStep(id, 'summary', 5),
      ]);
      expect(seen).toEqual([[[0, 'task'], [1, 'model'], [2, 'call']], [[6, 'end'], [7, 'message']], [], { n: 1 }, undefined, [true, true, true, true, false], false]); // biome-ignore format: one line
      await expect(on.mine.write(({ runs }) => runs.append(required(runs.find(id)), [step('gone' as never)]))).rejects.toThrow();
      const large = step('note', { text: 'x'.repeat(3_000_000) });
      const other = await on.mine.write(
        ({ runs }) => runs.append(required(runs.find(runs.insert(run(2)))), [large, large, large, large]).id,
      );
      expect(await on.mine.read(({ runs }) => [runs.steps(other, -1, 9).length, runs.steps(other, 2, 9).length])).toEqual([3, 1]);
    });

    it('are listed the newest first, in pages, by whose they are and by where their entry is', async () => {
      await using on = await openTwo(open);
      const states = await on.mine.write(({ runs, queue }) => {
        const entries = [true, true, false, false].map((isDue, index) => queue.insert(entry(index + 1, isDue)));
        const waitsFor = [undefined, undefined, undefined, { for: {} }];
        for (const [index, id] of entries.entries())
          runs.insert(run(index + 1, { entry: id, waitsFor: waitsFor[index], agent: 'a', session: 's', parent: 7 }));
        queue.dispatch({ ...required(queue.find(required(entries[0]))), state: 'dispatched', worker: 'w', leaseUntil: 9, leaseMs: 4, fence: 1, attempts: 1, dispatchedAt: 5 }); // biome-ignore format: one line
        runs.insert(run(5, { agent: 'b' }));
        runs.update(ended(required(runs.find(runs.insert(run(6, { agent: 'b', parent: 7 })))), 5));
        const ids = (filter: RunFilter, limit = 9, before?: number) => runs.list(filter, limit, before).map(({ id }) => id);
        return {
          ...{ all: ids({}), page: ids({}, 2), next: ids({}, 2, 5), none: ids({}, 2, 1) },
          ...{
            running: ids({ state: 'running' }),
            queued: ids({ state: 'queued' }),
            waiting: ids({ state: 'waiting' }),
            ended: ids({ state: 'ended' }),
          },
          ...{ agent: ids({ agent: 'b' }), session: ids({ session: 's' }, 2), parent: ids({ parent: 7 }), nobody: ids({ agent: 'c' }) },
          ...{
            both: ids({ agent: 'a', state: 'queued' }),
            three: ids({ parent: 7, agent: 'b', session: 's' }),
            endedOf: ids({ parent: 7, state: 'ended' }),
          },
        };
      });
      expect(states).toEqual({
        ...{ all: [6, 5, 4, 3, 2, 1], page: [6, 5], next: [4, 3], none: [] },
        ...{ running: [1], queued: [3, 2], waiting: [5, 4], ended: [6] },
        ...{ agent: [6, 5], session: [4, 3], parent: [6, 4, 3, 2, 1], nobody: [] },
        ...{ both: [3, 2], three: [], endedOf: [6] },
      });
    });

    it('shrink from the end until they are gone, and no number is given again', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ runs }) => {
        for (const pid of [1, 2]) {
          const row = runs.append(
            required(runs.find(runs.insert(run(pid)))),
            STEP_KINDS.map((kind) => step(kind)),
          );
          runs.update(ended(row, 9 - pid));
        }
        const before = [runs.ended(9).map(({ id, endedAt, steps }) => [id, endedAt, steps]), runs.ended(1).length, runs.countEnded()];
        return [
          before,
          runs.shrink(2, 4),
          runs.find(2)?.steps,
          runs.steps(2, -1, 9).map(({ seq }) => seq),
          runs.shrink(2, 3),
          runs.find(2),
          runs.shrink(2, 3),
        ];
      });
      expect(seen).toEqual([[[[2, 7, 7], [1, 8, 7]], 1, 2], 3, 3, [0, 1, 2], undefined, undefined, undefined]); // biome-ignore format: one line
      await on.under.reopen();
      expect(await on.mine.write(({ runs }) => [runs.insert(run(3)), runs.countEnded(), runs.steps(2, -1, 9)])).toEqual([3, 1, []]);
    });
  });
}
