import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeJson, safeLines, safeText } from './safe-text.ts';

/** What may reach a terminal: no controls and nothing that changes the direction or order of what is read. */
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;

describe('safeText', () => {
  it('shows escape sequences instead of sending them', () => {
    expect(safeText('\u001b]0;owned\u0007 \u009b31m')).toBe('^[]0;owned^G \\x9b31m');
  });

  it('keeps a line one line', () => {
    expect(safeText('a\r\nb\tc\u2028d')).toBe('a\\r\\nb\\tc\\u2028d');
  });

  it('shows direction overrides, invisible marks and lone surrogates', () => {
    expect(safeText('\u202egnp.exe \u200b \ud800 \u{e0041}')).toBe('\\u202egnp.exe \\u200b \\ud800 \\u{e0041}');
  });

  it('leaves ordinary text of any script alone', () => {
    for (const text of ['naïve café', '文件 файл ملف', '🦊 e\u0301', 'a b']) expect(safeText(text)).toBe(text);
  });

  it('never lets anything dangerous through', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !DANGEROUS.test(safeText(text))));
  });
});

describe('safeLines', () => {
  it('keeps tabs and newlines and shows the rest', () => {
    expect(safeLines('a\tb\nc\rd\u001b[2J')).toBe('a\tb\nc\\rd^[[2J');
  });
});

describe('safeJson', () => {
  it('means the same as JSON.stringify and holds nothing dangerous', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const document = { value, [text]: text };
        expect(DANGEROUS.test(safeJson(document))).toBe(false);
        expect(JSON.parse(safeJson(document, 2))).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });
});
