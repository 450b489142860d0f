import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NewlineKeeper } from './newlines.ts';

function through(...chunks: readonly string[]): string {
  const keeper = new NewlineKeeper();
  return Buffer.concat(chunks.map((chunk) => keeper.translate(Buffer.from(chunk, 'latin1')))).toString('latin1');
}

/** What our terminal makes of it: `onlcr` in termios(3). */
const atTerminal = (text: string): string => text.replaceAll('\n', '\r\n');

describe('NewlineKeeper', () => {
  it('has ordinary lines arrive as they were', () => {
    expect(atTerminal(through('one\r\ntwo\r\n'))).toBe('one\r\ntwo\r\n');
  });

  it('has a lone newline arrive as one line down', () => {
    expect(atTerminal(through('a\nb'))).toBe('a\u000bb');
  });

  it('knows a line end that falls between two chunks', () => {
    expect(atTerminal(through('a\r', '\nb'))).toBe('a\r\r\nb');
  });

  it('changes nothing else', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10));
    expect(through(bytes.toString('latin1'))).toBe(bytes.toString('latin1'));
  });

  it('has everything arrive in any chunks, but for a carriage return more between two of them', () => {
    const text = fc.stringMatching(/^[ab\r\n]{0,20}$/);
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (chunks) => {
        const expected = chunks.join('').replaceAll(/(?<!\r)\n/g, '\u000b');
        expect(atTerminal(through(chunks.join('')))).toBe(expected);
        const folded = (bytes: string): string => bytes.replaceAll(/\r+\n/g, '\r\n');
        expect(folded(atTerminal(through(...chunks)))).toBe(folded(expected));
      }),
    );
  });
});
