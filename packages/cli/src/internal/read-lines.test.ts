import { expect, it } from 'vitest';
import { readLines } from './read-lines.ts';

async function* oneByOne(pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function linesOf(pieces: readonly (string | Uint8Array)[], bytesMax = 100): Promise<readonly string[]> {
  return await Array.fromAsync(readLines(oneByOne(pieces), bytesMax));
}

it('finds lines wherever they are cut', async () => {
  const text = 'one\ntwo\r\n\nü€😀\nlast';
  const bytes = Buffer.from(text);
  for (let at = 0; at <= bytes.length; at++) {
    expect(await linesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(['one', 'two', '', 'ü€😀', 'last']);
  }
  expect(await linesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['one', 'two', '', 'ü€😀', 'last']);
  expect(await linesOf([])).toEqual([]);
});

it('refuses a line that is too long, however it comes', async () => {
  expect(await linesOf(['x'.repeat(100), '\n'])).toEqual(['x'.repeat(100)]);
  await expect(linesOf(['x'.repeat(60), 'x'.repeat(41)])).rejects.toThrow(/longer than 100 bytes/);
});
