import type { JsonObject } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { fitResult, RESULT_LENGTH_MAX } from './fit-result.ts';

describe('fitResult', () => {
  it('leaves alone what is short enough', () => {
    const output = { content: 'x'.repeat(RESULT_LENGTH_MAX - 40), truncated: false };
    expect(fitResult(output, true)).toEqual({ output, text: JSON.stringify(output), note: undefined });
  });

  it('cuts a long text where it can be seen, says how much there is, and how to read on', () => {
    const { output, text, note } = fitResult({ content: 'é'.repeat(1_000_000), size: 2_000_000, truncated: false }, true);
    expect(text.length).toBeLessThanOrEqual(RESULT_LENGTH_MAX);
    expect(output).toMatchObject({ size: 2_000_000, truncated: false });
    expect(String(output['content'])).toMatch(
      /^é{65536}… \[cut: 934464 of 1000000 characters are not shown, after 131072 bytes; read on with `offset`/,
    );
    expect(note).toContain('of 1000047 characters are shown');
    expect(fitResult({ content: 'x'.repeat(1_000_000) }, false).note).toContain('ask for less of it');
  });

  it('does not cut a character in two', () => {
    const { output } = fitResult({ content: `x${'😀'.repeat(500_000)}` }, false);
    expect(String(output['content']).isWellFormed()).toBe(true);
  });

  it.each<[string, JsonObject]>([
    ['many items', { matches: Array.from({ length: 100_000 }, (_, index) => ({ path: `file${index}`, line: index })) }],
    ['lists in lists', { rows: Array.from({ length: 1_000 }, () => Array.from({ length: 1_000 }, () => 1)) }],
    ['many fields', Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field${index}`, index]))],
    ['many texts', { lines: Array.from({ length: 5_000 }, () => 'x'.repeat(200)) }],
  ])('fits %s, and what it keeps is what its schema says', (_, given) => {
    const { output, text, note } = fitResult(given, false);
    expect(text).toBe(JSON.stringify(output));
    expect(text.length).toBeLessThanOrEqual(RESULT_LENGTH_MAX);
    expect(note).toMatch(/cut/);
    for (const [name, value] of Object.entries(output)) expect(Array.isArray(value)).toBe(Array.isArray(given[name]));
  });
});
