import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkText } from './chunk-text.ts';

const lines = (chunks: ReturnType<typeof chunkText>) => chunks.map(({ firstLine, lastLine }) => [firstLine, lastLine]);

describe('chunkText', () => {
  it('keeps lines whole and begins with the end of the chunk before', () => {
    const text = Array.from({ length: 20 }, (_, index) => `Line ${index + 1}: some words to fill this up${index < 9 ? '.' : ''}`).join(
      '\n',
    );
    expect(lines(chunkText(text, { tokens: 50, overlapTokens: 10 }))).toEqual([[1, 5], [4, 8], [7, 11], [10, 14], [13, 17], [16, 20]]); // biome-ignore format: one line
  });

  it('cuts a line that is too long', () => {
    const sizes = chunkText('x'.repeat(100), { tokens: 5, overlapTokens: 0 }).map(({ start, end }) => end - start);
    expect(sizes).toEqual([32, 32, 32, 4]);
  });

  it('makes one chunk of nothing', () => {
    expect(chunkText('', { tokens: 500, overlapTokens: 50 })).toEqual([{ start: 0, end: 0, firstLine: 1, lastLine: 1 }]);
  });

  it('leaves nothing out, stays within its size and splits no character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '\n', 'ü', '😀', '漢', ' '), maxLength: 2_000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 120 }),
        (text, tokens, overlapTokens) => {
          const chunks = chunkText(text, { tokens, overlapTokens });
          let reached = 0;
          for (const { start, end } of chunks) {
            expect(start).toBeLessThanOrEqual(reached === 0 ? 0 : reached + 1);
            expect(end - start).toBeLessThanOrEqual(Math.max(32, tokens * 4) + 1);
            expect(text.slice(start, end).isWellFormed()).toBe(true);
            reached = Math.max(reached, end);
          }
          expect(reached).toBe(text.length);
        },
      ),
    );
  });
});
