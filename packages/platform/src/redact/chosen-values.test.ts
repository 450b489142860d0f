import { expect, it } from 'vitest';
import { chooseValues, type ReadValue, VALUES_BYTES_MAX, VALUES_MAX } from './chosen-values.ts';

/** As the vault gives them: by name, newest first, and each wiped when the next is asked for. */
async function* kept(names: readonly string[], versions: number, size: number): AsyncGenerator<ReadValue> {
  for (const name of names) {
    for (let version = versions; version > 0; version--) {
      const bytes = Buffer.alloc(size, 'x');
      yield { name, version, bytes };
      bytes.fill(0);
    }
  }
}

async function* together(...parts: readonly AsyncIterable<ReadValue>[]): AsyncGenerator<ReadValue> {
  for (const part of parts) yield* part;
}

it('the current value of each name comes before older ones of any, whatever their versions are', async () => {
  const { values, without, left } = await chooseValues(together(kept(['a', 'b', 'c', 'd'], 11, 65_536), kept(['z'], 1, 32)));
  expect(values.slice(0, 6).map(({ name, version }) => `${name} ${version}`)).toEqual(['a 11', 'b 11', 'c 11', 'd 11', 'z 1', 'a 10']);
  expect(values.reduce((sum, { value }) => sum + value.byteLength, 0)).toBeLessThanOrEqual(VALUES_BYTES_MAX);
  expect([values.length, left, [...without]]).toEqual([32, 13, []]);
  expect(values.every(({ value }) => value.every((byte) => byte === 0x78))).toBe(true);
});

it('of too many values the oldest are left, of each name alike', async () => {
  const names = Array.from({ length: 2_000 }, (_, index) => `name-${index}`);
  const { values, without, left } = await chooseValues(kept(names, 11, 8));
  expect([values.length, left, without.size]).toEqual([VALUES_MAX, 2_000, 0]);
  expect(values.filter(({ version }) => version === 1)).toEqual([]);
});

it('says which names have none, when current ones alone are too many', async () => {
  const names = Array.from({ length: 34 }, (_, index) => `name-${index}`);
  const { values, without, left } = await chooseValues(kept(names, 2, 65_536));
  expect(values.map(({ version }) => version)).toEqual(Array(32).fill(2));
  expect([left, [...without]]).toEqual([36, ['name-32', 'name-33']]);
});

it('throws what reading throws', async () => {
  async function* broken(): AsyncGenerator<ReadValue> {
    yield { name: 'a', version: 1, bytes: Buffer.from('a value') };
    throw new Error('It is locked');
  }
  await expect(chooseValues(broken())).rejects.toThrow('locked');
});
