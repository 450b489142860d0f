import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ancestorsOf,
  type BytePath,
  comparePaths,
  isWithin,
  joinPath,
  nameOf,
  parentOf,
  parsePath,
  pathFromBytes,
  pathToBytes,
  pathToJson,
  pathToText,
  quotePath,
  readBytes,
  readPath,
} from './byte-path.ts';

const path = (text: string): BytePath => pathFromBytes(Buffer.from(text, 'latin1'));

describe('a byte path', () => {
  it('survives the way through JSON, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const one = pathFromBytes(Buffer.from(bytes));
        expect(readBytes(JSON.parse(JSON.stringify(pathToJson(one))), 'path')).toBe(one);
        expect(pathToBytes(one)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('is text in JSON where it is UTF-8', () => {
    expect(pathToJson(parsePath('caf\u00e9'))).toBe('caf\u00e9');
    expect(pathToJson(path('\xff'))).toEqual({ base64: '/w==' });
  });

  it('knows its name, its directory and all directories above', () => {
    expect(nameOf(path('a/b/c'))).toBe('c');
    expect(parentOf(path('a/b/c'))).toBe('a/b');
    expect(parentOf(path('a'))).toBe('');
    expect([...ancestorsOf(path('a/b/c'))]).toEqual(['a/b', 'a']);
    expect([...ancestorsOf(path(''))]).toEqual([]);
    expect(joinPath(path(''), 'a')).toBe('a');
  });

  it('is within a directory only at a slash', () => {
    expect(isWithin(path('a/b'), path('a'))).toBe(true);
    expect(isWithin(path('ab'), path('a'))).toBe(false);
    expect(isWithin(path('a'), path('a'))).toBe(true);
    expect(isWithin(path('a'), path(''))).toBe(true);
  });

  it('sorts like bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (left, right) => {
        const order = comparePaths(pathFromBytes(Buffer.from(left)), pathFromBytes(Buffer.from(right)));
        expect(order).toBe(Buffer.compare(left, right));
      }),
    );
  });
});

describe('parsePath', () => {
  it.each([
    ['./a//b/', 'a/b'],
    ['.', ''],
    ['..a', '..a'],
  ])('reads %j as %j', (text, expected) => expect(parsePath(text)).toBe(expected));

  it.each(['/etc', '../a', 'a/../../b', 'a\0b'])('refuses %j', (text) => {
    expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('reads what a terminal sent as UTF-8', () => {
    expect(pathToText(parsePath('caf\u00e9'))).toBe('caf\u00e9');
  });
});

describe('readPath', () => {
  it.each(['../a', 'a//b', './a', '/a', 'a\0', { base64: Buffer.from('a/../b').toString('base64') }, 7, { base64: 'eA==', more: 1 }])(
    'refuses %j in a file',
    (value) => expect(() => readPath(value, 'path')).toThrow(),
  );
});

describe('quotePath', () => {
  it('shows a hostile name on one line, without anything a terminal obeys', () => {
    expect(quotePath(path('a\n\x1b[2J"\xff'))).toBe('"a\\n^[[2J\\"\ufffd"');
    expect(quotePath(path(''))).toBe('"."');
  });
});
