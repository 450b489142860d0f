import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NameFilter, NameRow } from '../tables/name-table.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const OTHER = 'other' as WorkspaceId; // Valid.
const ALL = { limit: 1_000, offset: 0 };

const rowOf = (name: string, changes: Partial<NameRow> = {}): NameRow => ({
  name,
  pid: 1,
  tags: [],
  metadata: {},
  registeredAt: 5,
  ...changes,
});

export function testNames(name: string, open: OpenStore): void {
  describe(`names of the store on ${name}`, () => {
    it('are found as they were inserted, also after a restart, and by nobody after they were deleted', async () => {
      await using under = await open();
      const row = rowOf('ключ/%_', { tags: ['b', 'é'], metadata: JSON.parse('{"__proto__":1}') });
      await under.store.workspace(MINE).write(({ names }) => names.insert(row));
      await under.reopen();
      const mine = under.store.workspace(MINE);
      expect(await mine.read(({ names }) => [names.find('ключ/%_'), names.find('ключ')])).toEqual([row, undefined]);
      await mine.write(({ names }) => names.delete('ключ/%_'));
      expect(await mine.read(({ names }) => [names.find('ключ/%_'), names.count({}), names.count({ tag: 'b' })])).toEqual([
        undefined,
        0,
        0,
      ]);
      await expect(mine.write(({ names }) => names.delete('ключ/%_'))).rejects.toThrow();
    });

    it('are unique in a workspace, and each workspace has its own', async () => {
      await using under = await open();
      await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));
      await under.store.workspace(MINE).write(({ names }) => names.insert(rowOf('a')));
      await expect(under.store.workspace(MINE).write(({ names }) => names.insert(rowOf('a')))).rejects.toThrow();
      expect(await under.store.workspace(OTHER).read(({ names }) => names.find('a'))).toBeUndefined();
      await under.store.workspace(OTHER).write(({ names }) => names.insert(rowOf('a', { pid: 2 })));
      expect(await under.store.workspace(MINE).read(({ names }) => names.find('a')?.pid)).toBe(1);
    });

    it('are listed in order, by page and by whatever is asked, together', async () => {
      await using under = await open();
      const rows = [rowOf('b', { tags: ['x'] }), rowOf('a', { tags: ['x', 'y'], pid: 2 }), rowOf('ab', { tags: ['X'] }), rowOf('Ab')];
      const mine = under.store.workspace(MINE);
      await mine.write(({ names }) => rows.map((row) => names.insert(row)));
      const list = (filter: NameFilter, page = ALL) => mine.read(({ names }) => names.list(filter, page).map((row) => row.name));
      expect(await list({})).toEqual(['Ab', 'a', 'ab', 'b']);
      expect(await list({}, { limit: 2, offset: 1 })).toEqual(['a', 'ab']);
      expect(await list({ tag: 'x' })).toEqual(['a', 'b']);
      expect(await list({ prefix: 'a' })).toEqual(['a', 'ab']);
      expect(await list({ pid: 2 })).toEqual(['a']);
      expect(await list({ prefix: 'a', tag: 'x', pid: 2 })).toEqual(['a']);
      expect(await list({ prefix: '', tag: 'x', pid: 3 })).toEqual([]);
      expect(await mine.read(({ names }) => [names.count({}), names.count({ tag: 'x' }), names.count({ prefix: 'a' })])).toEqual([4, 2, 2]);
    });

    it('are found by exactly the prefixes they have, whatever is in them', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const text = fc.string({ unit: fc.constantFrom('a', 'A', '%', '_', '*', '\ud7ff', '\ue000', '\u{10ffff}', '\uffff', 'é'), minLength: 1, maxLength: 4 }); // biome-ignore format: one line
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(text, { maxLength: 12 }),
          fc.string({ unit: fc.constantFrom('a', 'A', '%', '\ud7ff', '\u{10ffff}'), maxLength: 3 }),
          async (all, prefix) => {
            // biome-ignore format: one line
            const found = await mine.write(({ names }) => {
            for (const { name: before } of names.list({}, ALL)) names.delete(before);
            for (const each of all) names.insert(rowOf(each));
            return names.list({ prefix }, ALL).map((row) => row.name);
          });
            expect([...found].sort()).toEqual(all.filter((each) => each.startsWith(prefix)).sort());
          },
        ),
        { numRuns: 100 },
      );
    });
  });
}
