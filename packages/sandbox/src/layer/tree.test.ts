import { closeSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { parsePath } from './byte-path.ts';
import { Tree } from './tree.ts';

describe('a tree', () => {
  it('does not walk through links or files, and says what is in the way', async () => {
    await using temporary = await TemporaryDirectory.create();
    mkdirSync(temporary.join('d'));
    writeFileSync(temporary.join('d', 'f'), '');
    symlinkSync('d', temporary.join('link'));
    using tree = Tree.open(temporary.path);
    expect(tree.state(parsePath('d/f'))?.kind).toBe('file');
    expect(tree.state(parsePath('link'))?.kind).toBe('symlink');
    expect(tree.state(parsePath('link/f'))).toBeUndefined();
    expect(tree.locate(parsePath('link/f'))).toEqual({ kind: 'blocked', by: 'link' });
    expect(tree.locate(parsePath('d/f/x/y'))).toEqual({ kind: 'blocked', by: 'd/f' });
    expect(tree.locate(parsePath('gone/x'))).toEqual({ kind: 'missing' });
    expect(() => tree.at(parsePath('link/f'))).toThrow(expect.objectContaining({ code: 'conflict' }));
    expect(() => tree.openFile(parsePath('link'))).toThrow();
    expect(tree.openDirectory(parsePath('link'))).toBeUndefined();
    expect(() => tree.chmod(parsePath('link'), 0)).toThrow();
    expect(statSync(temporary.join('d')).mode & 0o777).not.toBe(0);
  });

  it('stays in the directory it opened, whatever that is called later', async () => {
    await using temporary = await TemporaryDirectory.create();
    mkdirSync(temporary.join('a'));
    writeFileSync(temporary.join('a', 'mine'), '');
    using tree = Tree.open(temporary.join('a'));
    renameSync(temporary.join('a'), temporary.join('b'));
    symlinkSync('/etc', temporary.join('a'));
    expect(tree.list(parsePath(''))).toEqual(['mine']);
    expect(() => Tree.open(temporary.join('a'))).toThrow();
  });

  it('refuses to read what is no regular file, without waiting for it', async () => {
    using tree = Tree.open('/dev');
    expect(() => tree.openFile(parsePath('null'))).toThrow(expect.objectContaining({ code: 'conflict' }));
    expect(() => tree.openFile(parsePath('pts'))).toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('leaves no descriptor open', async () => {
    await using temporary = await TemporaryDirectory.create();
    mkdirSync(temporary.join('a', 'b', 'c'), { recursive: true });
    writeFileSync(temporary.join('a', 'b', 'c', 'f'), '');
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    {
      using tree = Tree.open(temporary.path);
      tree.state(parsePath('a/b/c/f'));
      tree.list(parsePath('a/b'));
      closeSync(tree.openFile(parsePath('a/b/c/f')));
      tree.state(parsePath('a/x/y'));
      tree[Symbol.dispose]();
    }
    expect(open()).toBe(before);
  });
});
