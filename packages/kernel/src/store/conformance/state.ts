import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateRow, StateTable } from '../tables/state-table.ts';
import type { OpenStore } from './conformance.ts';
import { HOSTILE_OBJECT, HOSTILE_TEXT, openTwo } from './two-workspaces.ts';

const value = (key: string, version: number, more: Partial<StateRow> = {}): StateRow => ({
  scope: 'agent:alice',
  key,
  value: `${key} ${version}`,
  version,
  sizeBytes: 10,
  createdAt: 1,
  updatedAt: version,
  expiresAt: undefined,
  writer: 'alice',
  owner: 'alice',
  readers: undefined,
  writers: undefined,
  ...more,
});
const SCOPE = 'agent:alice';
const ALL = { prefix: '', after: undefined, limit: 1_000 };
const keys = (state: StateTable, options: Partial<Parameters<StateTable['list']>[1]> = {}) =>
  state.list(SCOPE, { ...ALL, ...options }).rows.map(({ key }) => key);
const numbers = (state: StateTable, key: string, limit = 99) =>
  state.versions(SCOPE, key, limit).map((each) => (each.value === undefined ? -each.version : each.version));

export function testState(name: string, open: OpenStore): void {
  describe(`state of the store on ${name}`, () => {
    it('is found as it was put, also after a restart, whatever is in it', async () => {
      await using on = await openTwo(open);
      const rows = HOSTILE_TEXT.map((text) =>
        value(text, 1, { value: { [text]: HOSTILE_OBJECT }, readers: [text, '*'], writers: [], owner: text }),
      );
      await on.mine.write(({ state }) => rows.map((row) => state.put(row, 0)));
      await on.under.reopen();
      expect(await on.mine.read(({ state }) => rows.map(({ key }) => state.find(SCOPE, key)))).toEqual(rows);
      expect(await on.mine.read(({ state }) => keys(state as StateTable).length)).toBe(rows.length); // It only reads.
      const others = [null, false, 0, '', [], -0.5];
      await on.mine.write(({ state }) => others.map((each, index) => state.put(value(`v${index}`, 1, { value: each }), 0)));
      expect(await on.mine.read(({ state }) => others.map((_, index) => state.find(SCOPE, `v${index}`)?.value))).toEqual(others);
    });

    it('is that of its workspace, and of its scope, alone', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ state }) => {
        state.put(value('a', 1, { expiresAt: on.clock.now() + 1 }), 9);
        state.put(value('a', 2, { expiresAt: on.clock.now() + 1 }), 9);
        state.endScope(SCOPE, 1);
      });
      const seen = await on.other.write(({ state }) => [
        ...[state.find(SCOPE, 'a'), keys(state), state.size(SCOPE), numbers(state, 'a'), state.version(SCOPE, 'a', 1)],
        ...[state.lastVersion(SCOPE, 'a'), state.nextDue(), state.endedScopes(9), state.clear(SCOPE, 9).keys, state.endScope(SCOPE, 1)],
        state.purgeExpired(Number.MAX_SAFE_INTEGER, 9),
      ]);
      expect(seen).toEqual([undefined, [], { bytes: 0, keys: 0 }, [], undefined, 0, undefined, [], 0, false, []]);
      expect(await on.mine.read(({ state }) => ['agent:Alice', 'agent:alic', 'shared'].map((scope) => state.find(scope, 'a')))).toEqual([undefined, undefined, undefined]); // biome-ignore format: one line
    });

    it('keeps as many earlier versions as it is told, and deletions among them', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ state }) => {
        for (const version of [1, 2, 3]) state.put(value('a', version), 4);
        state.delete(SCOPE, 'a', { version: 4, at: 9, writer: 'bob' }, 4);
        const deleted = [state.find(SCOPE, 'a'), state.lastVersion(SCOPE, 'a'), numbers(state, 'a'), state.size(SCOPE)];
        state.put(value('a', 5), 4);
        const again = [numbers(state, 'a'), numbers(state, 'a', 2), state.version(SCOPE, 'a', 4), state.version(SCOPE, 'a', 2)?.value];
        state.put(value('a', 6), 2);
        return [deleted, again, numbers(state, 'a'), state.version(SCOPE, 'a', 3), state.size(SCOPE)];
      });
      expect(seen).toEqual([
        [undefined, 4, [-4, 3, 2, 1], { bytes: 30, keys: 0 }],
        [[5, -4, 3, 2, 1], [5, -4], { version: 4, value: undefined, sizeBytes: 0, at: 9, writer: 'bob' }, 'a 2'],
        [6, 5, -4],
        undefined,
        { bytes: 20, keys: 1 },
      ]);
    });

    it('is not there from the moment it expires, for anybody, whether it was purged or not', async () => {
      await using on = await openTwo(open);
      const at = on.clock.now() + 10;
      await on.mine.write(({ state }) => {
        state.put(value('a', 1), 9);
        state.put(value('a', 2, { expiresAt: at }), 9);
        state.put(value('b', 1), 9);
      });
      const look = () =>
        on.mine.read(({ state }) => ({
          found: [state.find(SCOPE, 'a')?.version, state.version(SCOPE, 'a', 1)?.value, state.version(SCOPE, 'a', 2)?.value],
          keys: state.list(SCOPE, ALL).rows.map(({ key }) => key),
          size: state.size(SCOPE),
          versions: state.versions(SCOPE, 'a', 9).map(({ version, value: then, at: when }) => [version, then, when]),
          last: state.lastVersion(SCOPE, 'a'),
        }));
      on.clock.advance(9);
      expect(await look()).toMatchObject({ found: [2, 'a 1', 'a 2'], keys: ['a', 'b'], size: { bytes: 30, keys: 2 } });
      expect(await on.mine.write(({ state }) => [state.purgeExpired(on.clock.now(), 9), state.nextDue()])).toEqual([[], at]);
      on.clock.advance(1);
      const expired = {
        found: [undefined, undefined, undefined],
        keys: ['b'],
        size: { bytes: 10, keys: 1 },
        versions: [[2, undefined, at]],
        last: 2,
      };
      expect(await look()).toEqual(expired);
      const purged = await on.mine.write(({ state }) => [
        state.purgeExpired(on.clock.now(), 9).map(({ key, version }) => [key, version]),
        state.nextDue(),
      ]);
      expect(purged).toEqual([[['a', 2]], undefined]);
      expect(await look()).toEqual(expired);
    });

    it('put over what expired begins anew, whether it was purged or not', async () => {
      await using on = await openTwo(open);
      const at = on.clock.now() + 10;
      await on.mine.write(({ state }) => {
        for (const key of ['a', 'b'])
          for (const version of [1, 2]) state.put(value(key, version, { expiresAt: version === 2 ? at : undefined }), 9);
      });
      on.clock.advance(10);
      const seen = await on.mine.write(({ state }) => {
        state.put(value('a', 3), 9);
        state.purgeExpired(on.clock.now(), 9);
        state.put(value('b', 3), 9);
        return [numbers(state, 'a'), numbers(state, 'b'), state.size(SCOPE)];
      });
      expect(seen).toEqual([[3, -2], [3, -2], { bytes: 20, keys: 2 }]); // biome-ignore format: one line
    });

    it('is purged in steps, the first to expire first', async () => {
      await using on = await openTwo(open);
      const purged = await on.mine.write(({ state }) => {
        for (const [key, expiresAt] of [['a', 30], ['b', 10], ['c', 20]] as const) state.put(value(key, 1, { expiresAt }), 0); // biome-ignore format: one line
        const step = (at: number, limit: number) => state.purgeExpired(at, limit).map(({ key }) => key).join(''); // biome-ignore format: one line
        return [step(20, 1), step(20, 9), step(20, 9), step(30, 9)];
      });
      expect(purged).toEqual(['b', 'c', '', 'a']);
    });

    it('has in a list exactly the keys with the prefix, in the order of code points, from page to page', async () => {
      await using on = await openTwo(open);
      const unit = fc.constantFrom('a', 'A', '%', '_', '*', '\ud7ff', '\ue000', '\u{10ffff}', '\uffff', 'é', '\u0001');
      const key = fc.string({ unit, minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 12 }),
          fc.string({ unit, maxLength: 3 }),
          fc.integer({ min: 1, max: 5 }),
          async (all, prefix, limit) => {
            const found = await on.mine.write(({ state }) => {
              state.clear(SCOPE, 1_000);
              for (const each of all) state.put(value(each, 1), 0);
              const pages: string[] = [];
              for (let after: string | undefined; ; after = pages.at(-1)) {
                const { rows, isWhole } = state.list(SCOPE, { prefix, after, limit });
                pages.push(...rows.map((row) => row.key));
                if (isWhole) return pages;
              }
            });
            const order = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));
            expect(found).toEqual(all.filter((each) => each.startsWith(prefix)).toSorted(order));
          },
        ),
        { numRuns: 100 },
      );
    });

    it('ends a list where values are too large together, and passes over those that are not accepted', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ state }) => {
        for (const key of 'abcdef') state.put(value(key, 1, { sizeBytes: 1_500_000, owner: key }), 0);
        const page = (options: object) => {
          const { rows, isWhole } = state.list(SCOPE, { ...ALL, ...options });
          return [rows.map((row) => row.key).join(''), isWhole];
        };
        return [
          page({}),
          page({ after: 'b' }),
          page({ after: 'd' }),
          page({ limit: 1, accepts: ({ owner }: StateRow) => owner > 'd' }),
          page({ accepts: () => false }),
        ];
      });
      expect(seen).toEqual([['ab', false], ['cd', false], ['ef', true], ['e', false], ['', true]]); // biome-ignore format: one line
    });

    it('is cleared in steps, and a version is never given twice', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ state }) => {
        for (const [key, version] of [['a', 3], ['b', 7], ['c', 1]] as const) state.put(value(key, version), 9); // biome-ignore format: one line
        state.delete(SCOPE, 'c', { version: 2, at: 1, writer: '' }, 9);
        const steps: unknown[] = [state.clear(SCOPE, 2), state.clear(SCOPE, 2, 'b')];
        steps.push(
          state.size(SCOPE),
          ['a', 'b', 'c', 'new'].map((key) => state.lastVersion(SCOPE, key)),
          state.lastVersion('agent:bob', 'a'),
        );
        return steps;
      });
      expect(seen).toEqual([{ keys: 2, last: 'b' }, { keys: 0, last: undefined }, { bytes: 0, keys: 0 }, [7, 7, 7, 7], 0]);
    });

    it('remembers so many deletions, and of the others that versions go on above them', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ state }) => {
        for (let index = 0; index < 1_002; index++) {
          state.put(value(`${index}`, 5), 3);
          state.delete(SCOPE, `${index}`, { version: 6 + index, at: index, writer: '' }, 3);
        }
        return [state.lastVersion(SCOPE, '0'), state.lastVersion(SCOPE, '1'), state.lastVersion(SCOPE, '2'), state.size(SCOPE)];
      });
      expect(seen).toEqual([7, 7, 8, { bytes: 10_000, keys: 0 }]);
    });

    it('of a scope that ended is there to be cleared, and the scope goes with it', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ state }) => {
        for (const key of ['a', 'b']) state.put(value(key, 4), 9);
        const steps: unknown[] = [state.endScope('session:9', 7), state.endScope(SCOPE, 7), state.endScope(SCOPE, 8)];
        steps.push(state.endedScopes(9), state.nextDue(), state.clear(SCOPE, 1), state.endedScopes(9), state.clear(SCOPE, 2));
        steps.push(state.endedScopes(9), state.nextDue(), state.lastVersion(SCOPE, 'a'));
        return steps;
      });
      expect(seen).toEqual([
        false,
        true,
        false,
        [SCOPE],
        0,
        { keys: 1, last: 'a' },
        [SCOPE],
        { keys: 1, last: undefined },
        [],
        undefined,
        0,
      ]);
    });

    it('cannot be deleted where there is none', async () => {
      await using on = await openTwo(open);
      const deletion = { version: 2, at: 1, writer: '' };
      await expect(on.mine.write(({ state }) => state.delete(SCOPE, 'a', deletion, 0))).rejects.toThrow();
      await on.mine.write(({ state }) => state.put(value('a', 1, { expiresAt: on.clock.now() }), 0));
      await expect(on.mine.write(({ state }) => state.delete(SCOPE, 'a', deletion, 0))).rejects.toThrow();
    });
  });
}
