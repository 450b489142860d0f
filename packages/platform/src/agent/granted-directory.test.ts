import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { grantedDirectory } from './granted-directory.ts';

function outcome(root: string, path: string): string {
  try {
    return grantedDirectory(root, path);
  } catch (error) {
    return isFault(error) ? error.code : String(error);
  }
}

describe('grantedDirectory', () => {
  it('makes what is missing and names what is there', async () => {
    await using root = await TemporaryDirectory.create();
    expect(outcome(root.path, '')).toBe(root.path);
    expect(outcome(root.path, 'a/b/c')).toBe(root.join('a/b/c'));
    expect(lstatSync(root.join('a/b/c')).isDirectory()).toBe(true);
    writeFileSync(root.join('file'), '');
    expect(outcome(root.path, 'file')).toBe(root.join('file'));
    symlinkSync(root.path, root.join('link'));
    expect(outcome(root.join('link'), 'a')).toBe(root.join('a')); // The root is the operator's.
  });

  it('follows no link that an agent put on the way', async () => {
    await using root = await TemporaryDirectory.create();
    await using outside = await TemporaryDirectory.create();
    mkdirSync(root.join('real'));
    symlinkSync('/', root.join('slash'));
    symlinkSync(outside.path, root.join('out'));
    symlinkSync('real', root.join('inner'));
    symlinkSync('missing', root.join('broken'));
    for (const path of ['slash', 'slash/etc', 'out', 'out/made', 'inner', 'inner/x', 'broken', 'broken/x'])
      expect([path, outcome(root.path, path)]).toEqual([path, 'permission_denied']);
    expect(() => lstatSync(outside.join('made'))).toThrow();
    writeFileSync(root.join('file'), '');
    expect(outcome(root.path, 'file/below')).not.toContain(root.path);
  });

  it('is given canonical paths only', async () => {
    await using root = await TemporaryDirectory.create();
    for (const path of ['..', 'a/../b', './a', 'a//b']) expect(() => grantedDirectory(root.path, path)).toThrow(/not canonical/);
  });
});
