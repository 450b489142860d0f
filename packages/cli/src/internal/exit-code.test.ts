import type { Exit } from '@warren/sandbox';
import { describe, expect, it } from 'vitest';
import { exitCodeOf, explainExit } from './exit-code.ts';

const usage = { userCpuMs: 1, systemCpuMs: 1, wallMs: 1, memoryBytesMax: 1 };

function stopped(by: Extract<Exit, { kind: 'stopped' }>['by']): Exit {
  return { kind: 'stopped', by, detail: 'it used more than 512 MiB', usage, limitsHit: [] };
}

function notStarted(code: 125 | 126 | 127): Exit {
  return { kind: 'not_started', code, stage: 'exec', call: 'execve', path: '/bin/x', errno: 'ENOENT' };
}

describe('exitCodeOf', () => {
  it.each<[Exit, number]>([
    [{ kind: 'exited', code: 0, usage, limitsHit: [] }, 0],
    [{ kind: 'exited', code: 42, usage, limitsHit: [] }, 42],
    [{ kind: 'exited', code: 255, usage, limitsHit: [] }, 255],
    [{ kind: 'signalled', signal: 'SIGINT', usage, limitsHit: [] }, 130],
    [{ kind: 'signalled', signal: 'SIGSEGV', usage, limitsHit: [] }, 139],
    [{ kind: 'signalled', signal: 'SIGSYS', usage, limitsHit: [] }, 159],
    [stopped('deadline'), 124],
    [stopped('memory'), 137],
    [stopped('cpu'), 152],
    [stopped('file_size'), 153],
    [stopped('disk'), 137],
    [stopped('output'), 137],
    [stopped('caller'), 137],
    [notStarted(125), 125],
    [notStarted(126), 126],
    [notStarted(127), 127],
  ])('%j is %i', (exit, code) => {
    expect(exitCodeOf(exit)).toBe(code);
  });
});

describe('explainExit', () => {
  it('has nothing to add to a command that ended by itself', () => {
    expect(explainExit({ kind: 'exited', code: 3, usage, limitsHit: [] }, 'x')).toBeUndefined();
    expect(explainExit({ kind: 'signalled', signal: 'SIGINT', usage, limitsHit: [] }, 'x')).toBeUndefined();
  });

  it('says which limit stopped the command and how to set another', () => {
    expect(explainExit(stopped('memory'), 'x')).toBe('stopped by memory: it used more than 512 MiB (set another limit with --memory)');
  });

  it('says that a limit was reached although the command went on', () => {
    expect(explainExit({ kind: 'exited', code: 0, usage, limitsHit: ['memory', 'pids'] }, 'x')).toBe(
      'reached a limit: memory (--memory), pids (--pids)',
    );
  });

  it('names the program that cannot run, safely', () => {
    expect(explainExit(notStarted(127), 'a\u001b[31m')).toBe('cannot run "a^[[31m": there is no such program in the sandbox');
    expect(explainExit(notStarted(126), '/etc/passwd')).toContain('not executable');
    expect(explainExit({ ...notStarted(125), stage: 'chdir', call: 'chdir', path: '/no\nwhere' } as Exit, 'x')).toBe(
      'cannot run "x": chdir of "/no\\nwhere" failed with ENOENT (stage chdir)',
    );
  });
});
