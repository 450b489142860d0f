import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPath, checkPrefix, PATH_BYTES_MAX } from './file-path.ts';

function isRefused(path: unknown): boolean {
  try {
    checkPath(path);
    return false;
  } catch (error) {
    if (isFault(error, 'path_invalid')) return true;
    throw error;
  }
}

describe('checkPath', () => {
  it.each([
    ['/a'],
    ['/a/b.c/d'],
    ['/a b'],
    ['/...'],
    ['/.hidden'],
    ['/a..b'],
    ['/%_*?[]'],
    ['/é/日本/\u{1f600}'],
    ['/\\..\\a'],
    [`/${'a'.repeat(PATH_BYTES_MAX - 1)}`],
  ])('takes %j as it is', (path) => {
    expect(checkPath(path)).toBe(path);
  });

  it.each([
    [''],
    ['a'],
    ['a/b'],
    ['/'],
    ['//'],
    ['//a'],
    ['/a//b'],
    ['/a/'],
    ['/.'],
    ['/./a'],
    ['/a/.'],
    ['/..'],
    ['/../x'],
    ['/a/../b'],
    ['/a/..'],
    ['/a\0b'],
    ['/a\nb'],
    ['/a\tb'],
    ['/a\u007f'],
    ['/a\u0085'],
    ['/\ud800'],
    ['/a\udc00b'],
    [`/${'a'.repeat(PATH_BYTES_MAX)}`],
    [`/${'é'.repeat(PATH_BYTES_MAX / 2)}`],
    ['/'.repeat(2_000)],
    [undefined],
    [null],
    [1],
    [{ toString: () => '/a' }],
    [['/a']],
  ])('refuses %j', (path) => {
    expect(isRefused(path)).toBe(true);
  });

  it('names a refused path in the fault, but not all of a very long one', () => {
    expect(() => checkPath('/a/../b')).toThrow(expect.objectContaining({ code: 'path_invalid', details: { path: '/a/../b' } }));
    try {
      checkPath(`/${'x'.repeat(100_000_000)}`);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(isFault(error) && [error.message, error.details]).length).toBeLessThan(1_000);
    }
  });

  it('takes what consists of proper names, and no text that means the same as another', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
      .filter((text) => !/[/\p{Cc}]/u.test(text) && !/^\.\.?$/.test(text));
    const names = fc.array(name, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, fc.nat(5), fc.constantFrom('', '.', '..'), (good, at, bad) => {
        expect(checkPath(`/${good.join('/')}`)).toBe(`/${good.join('/')}`);
        expect(isRefused(`/${good.toSpliced(at % (good.length + 1), 0, bad).join('/')}`)).toBe(true);
      }),
    );
  });
});

describe('checkPrefix', () => {
  it('takes any beginning, also one that ends inside a name or begins none', () => {
    for (const prefix of ['', '/', '/a', '/a/', '/a/b', 'x']) expect(checkPrefix(prefix)).toBe(prefix);
  });

  it('refuses what no path can begin with and what is no text', () => {
    for (const prefix of ['/\0', '/\ud800', 'x'.repeat(PATH_BYTES_MAX + 1), 7]) {
      expect(() => checkPrefix(prefix)).toThrow(expect.objectContaining({ code: 'path_invalid' }));
    }
  });
});
