import fc from 'fast-check';
import { expect, it } from 'vitest';
import { weighJson } from './weigh-json.ts';

const weigh = (text: string, limits = { depthMax: 128, valuesMax: 1_000_000 }) => weighJson(Buffer.from(text), limits);

it('JSON as deep as the limit is bearable, and one deeper is not', () => {
  expect(weigh('['.repeat(128) + ']'.repeat(128))).toBe('bearable');
  expect(weigh('['.repeat(129))).toBe('too deep');
  expect(weigh('{"a":'.repeat(129))).toBe('too deep');
});

it('brackets that were closed count no more, and brackets in strings never', () => {
  expect(weigh(`[${'[],'.repeat(500)}[]]`)).toBe('bearable');
  for (const text of ['"', '\\"', '\\\\', 'a', 'é', '🎉']) {
    const string = JSON.stringify(`${text}${'['.repeat(500)}${text}`);
    expect(weigh(`[${string},${string}]`)).toBe('bearable');
    expect(weigh(`[${string}${'['.repeat(128)}`)).toBe('too deep');
  }
});

it('what ends in the middle of a string or an escape is bearable: the parser refuses it', () => {
  for (const text of ['', '"', '"\\', `"${'a'.repeat(100)}\\`, `"${'a'.repeat(100)}`, '}}}}', ']']) expect(weigh(text)).toBe('bearable');
});

it('text with more values than the limit is refused', () => {
  const limits = { depthMax: 128, valuesMax: 10 };
  expect(weigh('[1,2,3,4,5,6,7,8,9]', limits)).toBe('bearable');
  expect(weigh('[1,2,3,4,5,6,7,8,9,10]', limits)).toBe('too many values');
  expect(weigh(`[${'[],'.repeat(20)}1]`, limits)).toBe('too many values');
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce((most: number, inner) => Math.max(most, depthOf(inner)), 0);
}

it('agrees with the depth that parsing finds, whatever the strings in it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), fc.integer({ min: 0, max: 6 }), (value, depthMax) => {
      const text = JSON.stringify(value);
      expect(weigh(text, { depthMax, valuesMax: 1_000_000 }) === 'too deep').toBe(depthOf(JSON.parse(text)) > depthMax);
    }),
  );
  const awkward = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', 'a', 'é', '\u2028', '\n'), maxLength: 200 });
  fc.assert(
    fc.property(fc.array(awkward), (strings) => {
      expect(weigh(JSON.stringify([strings]), { depthMax: 2, valuesMax: 1_000_000 })).toBe('bearable');
    }),
  );
});
