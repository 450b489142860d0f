import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { openRootKeys, type RootKeys } from './root-keys.ts';

/** As little as Argon2 takes. */
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 } as const;
const FIRST = 'correct horse';

async function openTest() {
  const directory = await TemporaryDirectory.create();
  return {
    open: (passphrase = FIRST): Promise<RootKeys> =>
      openRootKeys({ kind: 'passphrase', passphrase }, { directory: directory.path, environment: {}, now: () => 1, argon2: CHEAP }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

const held = (roots: RootKeys, upTo: number): readonly number[] =>
  Array.from({ length: upTo }, (_, index) => index + 1).filter((number) => roots.find(number) !== undefined);
const none = async (): Promise<ReadonlySet<number>> => new Set();

it('a passphrase is changed beside keys that come and go, and the file has what came of all of it', async () => {
  await using t = await openTest();
  const roots = await t.open();
  for (let round = 1; round <= 20; round++) {
    const before = held(roots, 100);
    const newest = before.at(-1) ?? 0;
    const next = `passphrase ${round}`;
    const added = await Promise.all([
      ...[roots.add(), roots.changeSource({ kind: 'passphrase', passphrase: 'in between' })],
      ...[roots.add(), roots.changeSource({ kind: 'passphrase', passphrase: next }), roots.dropOld(async () => new Set([newest]))],
    ]);
    expect([added[0], added[2]]).toEqual([newest + 1, newest + 2]);
    expect(held(roots, 100)).toEqual([newest, newest + 2]);
    const again = await t.open(next);
    expect(held(again, 100)).toEqual(held(roots, 100));
    for (const number of held(roots, 100)) expect(again.find(number)?.export()).toEqual(roots.find(number)?.export());
    for (const old of [FIRST, 'in between']) await expect(t.open(old)).rejects.toMatchObject({ code: 'permission_denied' });
    await roots.dropOld(none);
  }
});

it('a key stays while a data key names it, or while somebody wraps with it', async () => {
  await using t = await openTest();
  const roots = await t.open();
  const wrapping = Promise.withResolvers<void>();
  const wrapped = roots.withCurrent(() => wrapping.promise);
  const adding = roots.add();
  await roots.dropOld(none); // After it was added, and before it was waited for.
  expect(held(roots, 3)).toEqual([1, 2]);
  wrapping.resolve();
  await wrapped;
  expect(await adding).toBe(2);
  await roots.dropOld(async () => new Set([1]));
  expect([held(roots, 3), roots.hasOld()]).toEqual([[1, 2], true]);
  await roots.dropOld(none);
  expect([held(roots, 3), roots.hasOld()]).toEqual([[2], false]);
  expect(held(await t.open(), 3)).toEqual([2]);
});

it('a key is not taken away when it is not known what names it', async () => {
  await using t = await openTest();
  const roots = await t.open();
  await roots.add();
  await expect(roots.dropOld(() => Promise.reject(new Error('The store does not answer')))).rejects.toThrow(/does not answer/);
  expect(held(await t.open(), 3)).toEqual([1, 2]);
  expect(await roots.add()).toBe(3); // What failed holds up nobody.
});
