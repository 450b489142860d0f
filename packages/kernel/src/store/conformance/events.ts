import { describe, expect, it } from 'vitest';
import type { EventFilter, EventRecord, EventTable, NewEvent } from '../tables/event-table.ts';
import type { OpenStore } from './conformance.ts';
import { openTwo, type TwoWorkspaces } from './two-workspaces.ts';

const PIDS = [1, 2, 3, undefined] as const;
const KINDS = ['a', 'b'] as const;
const QUIET = 9;

/** More than is remembered of processes at once, and not a whole number of times. */
const COUNT = 1_300;

export function testEvents(name: string, open: OpenStore): void {
  describe(`events of the store on ${name}`, () => {
    it('are found by process and kind like by looking at each, whatever the page, also after a restart', async () => {
      await using on = await openTwo(open);
      await fill(on);
      await expectSame(on);
      await on.under.reopen();
      await expectSame(on);
    });

    it('are found like that after bodies failed among them', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ events }) => events.append(event(1)));
      const work = Array.from({ length: COUNT }, (_, index) =>
        on.mine.write(({ events }) => {
          events.append(event(index));
          events.lastIdOf(1);
          if (index % 100 === 50) throw new Error('no');
        }),
      );
      await Promise.allSettled(work);
      await expectSame(on);
    });

    it('are found like that when the oldest are purged, and those of others stay', async () => {
      await using on = await openTwo(open);
      await fill(on);
      await on.other.write(({ events }) => append(events, COUNT));
      for (const through of [3, 512, 700, 1_024, COUNT]) {
        await on.mine.write(({ events }) => events.purge(through, COUNT));
        await expectSame(on);
      }
      expect(await on.other.read(({ events }) => events.after(0, { pid: 3 }, COUNT).length)).toBe(COUNT / 4);
      await on.mine.write(({ events }) => append(events, 600));
      await expectSame(on);
    });
  });
}

function event(index: number): NewEvent {
  return { pid: index === 5 ? QUIET : PIDS[index % PIDS.length], kind: KINDS[index % 3] ?? 'c', payload: {} };
}

function append(events: EventTable, count: number): void {
  for (let index = 0; index < count; index++) events.append(event(index));
}

/** In writes of several sizes, so that whatever goes on at certain numbers falls into the middle of some. */
async function fill({ mine }: TwoWorkspaces): Promise<void> {
  for (let index = 0, size = 1; index < COUNT; index += size, size = (size * 3) % 257) {
    const end = Math.min(index + size, COUNT);
    await mine.write(({ events }) => {
      for (let each = index; each < end; each++) events.append(event(each));
    });
  }
}

async function expectSame({ mine }: TwoWorkspaces): Promise<void> {
  const all = await mine.read(({ events }) => events.after(0, {}, 10_000));
  for (const pid of [...PIDS, QUIET, 77]) {
    for (const kind of [...KINDS, undefined, 'none']) {
      const filter: EventFilter = { pid, kind };
      const matching = all.filter((each) => (pid === undefined || each.pid === pid) && (kind === undefined || each.kind === kind));
      for (const limit of [1, 10, 400, 10_000]) {
        const newest = await mine.read(({ events }) => events.newest(filter, limit));
        expect(ids(newest)).toEqual(ids(matching.slice(-limit)));
        for (const after of [0, 511, 512, 800, 1_299]) {
          const page = await mine.read(({ events }) => events.after(after, filter, limit));
          expect(ids(page)).toEqual(ids(matching.filter(({ id }) => id > after).slice(0, limit)));
        }
      }
    }
    if (pid === undefined) continue;
    const last = all.findLast((each) => each.pid === pid)?.id ?? 0;
    expect(await mine.read(({ events }) => events.lastIdOf(pid))).toBe(last);
  }
}

function ids(events: readonly EventRecord[]): readonly number[] {
  return events.map(({ id }) => id);
}
