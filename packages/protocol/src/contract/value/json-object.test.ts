import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_BYTES_MAX, JSON_DEPTH_MAX, jsonObject, problemWith } from './json-object.ts';

/** Objects within objects, as JSON. */
function nested(depth: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`);
}

describe('jsonObject', () => {
  it('hands on every object of JSON as it came', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value));
        expect(jsonObject.parse(parsed)).toBe(parsed);
      }),
    );
  });

  it('bounds how deep it is nested, in objects and in lists', () => {
    expect(jsonObject.safeParse(nested(JSON_DEPTH_MAX)).success).toBe(true);
    expect(problemWith(nested(JSON_DEPTH_MAX + 1))).toMatch('deeper than 64');
    expect(problemWith(nested(10_000))).toMatch('deeper than 64');
    expect(problemWith({ a: JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`) })).toMatch('deeper than 64');
  });

  it('bounds how much of it there is, wherever it is', () => {
    const megabyte = 'x'.repeat(1_048_576);
    expect(problemWith({ a: megabyte })).toBeUndefined();
    const tooMuch = [
      { a: megabyte, b: megabyte },
      { [megabyte]: { [megabyte]: 1 } },
      { a: new Array(JSON_BYTES_MAX).fill(0) },
      Object.fromEntries(Array.from({ length: 400_000 }, (_, index) => [index, 0])),
    ];
    expect(tooMuch.map(problemWith)).toEqual(tooMuch.map(() => `is larger than ${JSON_BYTES_MAX} bytes`));
  });

  it('never takes less than is too much for too much', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        fc.pre(JSON.stringify(value).length <= JSON_BYTES_MAX / 2);
        expect(problemWith(JSON.parse(JSON.stringify(value)))).toBeUndefined();
      }),
    );
  });

  it('ends with what is its own part', () => {
    const loop: Record<string, unknown> = {};
    loop['left'] = loop;
    loop['right'] = loop;
    expect(problemWith(loop)).toBeDefined();
  });

  it('keeps a key __proto__ a key', () => {
    const parsed = jsonObject.parse(JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": {"prototype": {"isAdmin": true}}}'));
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect('isAdmin' in parsed).toBe(false);
    expect('isAdmin' in {}).toBe(false);
    expect(JSON.stringify(parsed)).toBe('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}');
  });

  const others: unknown[] = [undefined, null, 5, 'x', true, [], [{}], new Date(0), new Map(), () => 1, Symbol('x'), 5n];
  it.each(others.map((value) => [value]))('refuses %s, which is no object of JSON', (value) => {
    expect(jsonObject.safeParse(value).success).toBe(false);
  });

  it.each(others.filter((value) => typeof value === 'object' && value !== null && !Array.isArray(value)).map((value) => [value]))(
    'refuses %s within',
    (value) => {
      expect(problemWith({ a: [value] })).toMatch('JSON does not have');
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, 5n, () => 1])('refuses %s within', (value) => {
    expect(problemWith({ a: value })).toMatch('JSON does not have');
  });
});
