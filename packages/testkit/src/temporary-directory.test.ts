import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { TemporaryDirectory } from './temporary-directory.ts';

describe('TemporaryDirectory', () => {
  it('is private, new each time, and gone with its content after the block', async () => {
    let path: string;
    {
      await using directory = await TemporaryDirectory.create();
      await using other = await TemporaryDirectory.create();
      path = directory.path;
      expect(other.path).not.toBe(path);
      expect((await stat(path)).mode & 0o777).toBe(0o700);
      await mkdir(directory.join('a', 'b'), { recursive: true });
      await writeFile(directory.join('a', 'b', 'c'), 'x');
    }
    expect(existsSync(path)).toBe(false);
  });

  it('disposes twice', async () => {
    const directory = await TemporaryDirectory.create();
    await directory[Symbol.asyncDispose]();
    await expect(directory[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});
