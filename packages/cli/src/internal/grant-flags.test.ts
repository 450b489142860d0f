import { describe, expect, it } from 'vitest';
import { beyondWorkspace, matchingNone, readBudgets, readPath } from './grant-flags.ts';

describe('readPath', () => {
  it('takes a path with its mode, rw when none is said', () => {
    expect(readPath('/workspace')).toEqual({ prefix: '/workspace', mode: 'rw' });
    expect(readPath('/workspace/src:r')).toEqual({ prefix: '/workspace/src', mode: 'r' });
    expect(readPath('/workspace/a:b/c')).toEqual({ prefix: '/workspace/a:b/c', mode: 'rw' });
    expect(readPath('/workspace/a:b:rw')).toEqual({ prefix: '/workspace/a:b', mode: 'rw' });
  });

  it.each(['/w:rwx', '/w:w', '/w:', '/w:R'])('refuses %s, whose mode is none', (text) => {
    expect(() => readPath(text)).toThrow(`Cannot use --path "${text}": its mode is`);
  });

  it('refuses what is not absolute', () => {
    expect(() => readPath('src:r')).toThrow('Cannot use --path "src:r": it is not absolute');
  });
});

describe('readBudgets', () => {
  it('takes each dimension once', () => {
    expect(readBudgets(['tool_calls=3', 'cpu_s=1'])).toEqual({ tool_calls: 3, cpu_s: 1 });
    expect(() => readBudgets(['tool_calls=3', 'tool_calls=30'])).toThrow('tool_calls is given twice');
    expect(() => readBudgets(['tool_calls=-1'])).toThrow('give dimension=amount');
  });
});

describe('what a grant is of no use for', () => {
  it('is a pattern that no capability has the name of', () => {
    const names = ['git.status', 'filesystem.read'];
    expect(matchingNone(['*', 'git.*', 'git.status', 'gti.*', 'git.statu', 'git', 'file.*'], names)).toEqual([
      'gti.*',
      'git.statu',
      'git',
      'file.*',
    ]);
  });

  it('is a path where no agent has files', () => {
    const paths = ['/', '/workspace', '/workspace/a', '/workspaces', '/etc'].map((prefix) => ({ prefix, mode: 'r' as const }));
    expect(beyondWorkspace(paths)).toEqual(['/workspaces', '/etc']);
  });
});
