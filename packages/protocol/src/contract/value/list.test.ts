import { describe, expect, it } from 'vitest';
import { list, table } from './list.ts';
import { int } from './number.ts';
import { word } from './text.ts';

describe('list', () => {
  it('accepts up to its bound', () => {
    expect(list(word, 2).parse(['a', 'b'])).toEqual(['a', 'b']);
    expect(list(word, 2).safeParse(['a', 'b', 'c']).success).toBe(false);
  });

  it('looks at nothing in a list that is too long', () => {
    let looks = 0;
    const huge = new Proxy(new Array<unknown>(1_000_000), {
      get(target, key, receiver) {
        if (key !== 'length') looks++;
        return Reflect.get(target, key, receiver);
      },
    });
    expect(list(word, 1_000).safeParse(huge).error?.issues).toMatchObject([{ code: 'too_big', maximum: 1_000 }]);
    expect(looks).toBe(0);
  });

  it.each(['ab', 5, null, undefined, true, {}, { length: 1, 0: 'a' }, [1], ['a', null], [['a']]])('refuses %j', (value) => {
    expect(list(word, 10).safeParse(value).success).toBe(false);
  });
});

describe('table', () => {
  it('accepts up to its bound', () => {
    expect(table(int, 2).parse({ a: 1, b: 2 })).toEqual({ a: 1, b: 2 });
    expect(table(int, 2).safeParse({ a: 1, b: 2, c: 3 }).success).toBe(false);
  });

  it('reads no value of one that is too large', () => {
    let reads = 0;
    const huge = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, 1]));
    const watched = new Proxy(huge, {
      get(target, key, receiver) {
        reads++;
        return Reflect.get(target, key, receiver);
      },
    });
    expect(table(int, 100).safeParse(watched).success).toBe(false);
    expect(reads).toBe(0);
  });

  it('takes no prototype from a key', () => {
    const parsed = table(int, 10).parse(JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}'));
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(parsed).toEqual({ constructor: 2, toString: 3 });
  });

  it.each([[['a']], ['a'], [null], [{ a: '1' }], [{ a: true }], [{ ['k'.repeat(4_097)]: 1 }]])('refuses %j', (value) => {
    expect(table(int, 10).safeParse(value).success).toBe(false);
  });
});
