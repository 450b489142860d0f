import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64, prose, word } from './text.ts';

describe('word', () => {
  it.each(['', 'ä', '日本語', '👩‍👩‍👧', '\u0000', 'a\nb', '\ufeff', '__proto__'])('accepts %j and gives it back', (value) => {
    expect(word.parse(value)).toBe(value);
  });

  it('leaves every text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (value) => {
        expect(word.parse(value)).toBe(value);
      }),
    );
  });

  it('is bounded', () => {
    expect([4_096, 4_097, 1_048_576].map((length) => word.safeParse('x'.repeat(length)).success)).toEqual([true, false, false]);
  });

  it.each(['\ud800', 'a\udfff', '\udc00\ud800', 5, true, null, undefined, ['a'], {}])('refuses %j', (value) => {
    expect(word.safeParse(value).success).toBe(false);
  });
});

describe('prose', () => {
  it('is longer than a word may be, and bounded', () => {
    expect([65_536, 65_537].map((length) => prose.safeParse('x'.repeat(length)).success)).toEqual([true, false]);
  });
});

describe('base64', () => {
  it('accepts what encodes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(base64.parse(text)).toBe(text);
      }),
    );
  });

  it('accepts the largest body of a file, 16 MiB', () => {
    expect(base64.safeParse(Buffer.alloc(16_777_216).toString('base64')).success).toBe(true);
  });

  it.each(['A', 'AA', 'AAA', 'AA=', 'A===', '====', 'AA==AA==', 'AAA\n', 'AA A', 'AA-_', 'AAA=A', ' AAAA', 'ÄÄÄÄ', 5, null])(
    'refuses %j',
    (value) => {
      expect(base64.safeParse(value).success).toBe(false);
    },
  );

  it('is bounded', () => {
    expect([33_554_432, 33_554_436].map((length) => base64.safeParse('A'.repeat(length)).success)).toEqual([true, false]);
  });
});
