import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeBytesForTerminal, escapeForTerminal, escapeLineForTerminal } from './terminal-text.ts';

describe('escapeForTerminal', () => {
  it.each([
    ['\x1b[31mred', '^[[31mred'],
    ['bell\x07', 'bell^G'],
    ['a\rb', 'a^Mb'],
    ['\x7f', '^?'],
    ['\x9b2J', '\\x9b2J'],
    ['user\u202etxt', 'user\\u202etxt'],
    ['\u2066x\u2069', '\\u2066x\\u2069'],
    ['zero\u200bwidth', 'zero\\u200bwidth'],
    ['\u{e0041}', '\\u{e0041}'],
    ['line\u2028', 'line\\u2028'],
  ])('shows %j as %j', (text, shown) => expect(escapeForTerminal(text)).toBe(shown));

  it('leaves tabs, newlines and the letters of the world alone', () => {
    const text = 'a\tb\nk\u00e4se \u65e5\u672c\u8a9e \u0639\u0631\u0628\u064a \u{1f600}';
    expect(escapeForTerminal(text)).toBe(text);
  });

  it('leaves no control character but tab and newline, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeForTerminal(text)).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

it('escapeLineForTerminal keeps a name on its line', () => {
  expect(escapeLineForTerminal('a\nb\tc\x1b')).toBe('a^Jb^Ic^[');
});

describe('escapeBytesForTerminal', () => {
  it('shows UTF-8 as text and other bytes as numbers', () => {
    expect(escapeBytesForTerminal('caf\xc3\xa9 \xff\xfe \xc3')).toBe('caf\u00e9 \\xff\\xfe \\xc3');
    expect(escapeBytesForTerminal('\xff\xc2\x9b')).toBe('\\xff\\x9b');
    expect(escapeBytesForTerminal('\xef\xbf\xbd\xff')).toBe('\ufffd\\xff');
  });

  it('leaves nothing a terminal obeys, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const shown = escapeBytesForTerminal(Buffer.from(bytes).toString('latin1'));
        expect(shown).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]/);
      }),
    );
  });
});
