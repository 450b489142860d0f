import { describe, expect, it } from 'vitest';
import { CapabilityError } from '../../capability/handler.ts';
import { compileGlob, compileNameGlob } from './glob.ts';
import { IgnoreRules } from './ignore-rules.ts';

describe('a glob', () => {
  it.each([
    ['*.ts', ['a.ts', '.ts'], ['a/b.ts', 'a.tsx', 'ats']],
    ['**/*.ts', ['a.ts', 'a/b/c.ts'], ['a.js']],
    ['a/**', ['a/b', 'a/b/c'], ['b/a', 'ab']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/bc', 'b']],
    ['**', ['a', 'a/b'], []],
    ['?', ['a', '𝄞'], ['', 'ab', '/']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x']],
    ['[!a-c]x', ['dx'], ['ax', '/x']],
    ['[]]x', [']x'], ['x']],
    ['*.{ts,{j,m}s}', ['a.ts', 'a.js', 'a.ms'], ['a.{ts', 'a.s']],
    ['\\*', ['*'], ['a']],
    ['./a', ['a'], []],
    ['{a}', ['{a}'], ['a']],
  ] as const)('%s', (pattern, yes, no) => {
    const matches = compileGlob(pattern);
    expect([...yes, ...no].filter((path) => matches(path))).toEqual(yes);
  });

  it('without a slash is for names when it is to be', () => {
    expect(compileNameGlob('*.ts')('a/b.ts')).toBe(true);
    expect(compileNameGlob('a/*.ts')('x/a/b.ts')).toBe(false);
  });

  it('ends soon, whatever it is', () => {
    expect(compileGlob(`${'*a'.repeat(60)}b`)('a'.repeat(4_000))).toBe(false);
    expect(compileGlob(`${'**/a/'.repeat(60)}b`)('a/'.repeat(500))).toBe(false);
    for (const pattern of ['', '[', '[!', 'a\0', '{a,b}'.repeat(20), 'x'.repeat(5_000)])
      expect(() => compileGlob(pattern)).toThrow(CapabilityError);
  });
});

describe('ignore rules', () => {
  it('leave out what git would', () => {
    const rules = new IgnoreRules();
    rules.add('', '# words\n*.log\n!keep.log\n/top\nbuild/\nsub/deep\n\\#x\ntrailing  \n[bad\n{a,b}\n');
    rules.add('inner', '!x.log\nown\n');
    const ignored = (path: string, isDirectory = false): boolean => rules.isIgnored(path, isDirectory);
    for (const path of ['a.log', 'x/y.log', 'top', 'build/x', 'sub/deep', 'sub/deep/x', '#x', 'trailing', 'inner/own', '{a,b}'])
      expect([path, ignored(path)]).toEqual([path, true]);
    for (const path of ['keep.log', 'x/top', 'x/sub/deep', 'inner/x.log', 'own', 'build', 'a'])
      expect([path, ignored(path)]).toEqual([path, false]);
    expect(ignored('build', true)).toBe(true);
  });
});
