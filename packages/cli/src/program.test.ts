import { describe, expect, it } from 'vitest';
import type { KernelView } from './program/kernel-commands.ts';
import { type Actions, buildProgram, type RunFlags } from './program.ts';

/** What `run` is called with for these words. */
async function parseRun(...words: string[]): Promise<{ readonly command: readonly string[]; readonly flags: RunFlags }> {
  const called = Promise.withResolvers<{ readonly command: readonly string[]; readonly flags: RunFlags }>();
  const actions: Partial<Actions> = { run: async (command, flags) => called.resolve({ command, flags }) };
  // The other actions are not reached.
  await buildProgram(actions as Actions, () => {}).parseAsync(['run', ...words], { from: 'user' });
  return called.promise;
}

describe('run takes its flags until the command begins', () => {
  it.each<[readonly string[], readonly string[]]>([
    [
      ['--', 'echo', '--json', '-t'],
      ['echo', '--json', '-t'],
    ],
    [
      ['echo', '--json', '-t'],
      ['echo', '--json', '-t'],
    ],
    [
      ['--', 'echo', '--', 'x'],
      ['echo', '--', 'x'],
    ],
    [
      ['echo', '--', 'x'],
      ['echo', '--', 'x'],
    ],
    [
      ['-t', 'node', '--version'],
      ['node', '--version'],
    ],
    [['--', '--version'], ['--version']],
    [
      ['--', 'run', 'diff'],
      ['run', 'diff'],
    ],
    [['diff'], ['diff']],
    [['--', ''], ['']],
    [
      ['echo', '', ' ', '\n', '-1'],
      ['echo', '', ' ', '\n', '-1'],
    ],
  ])('%j', async (words, command) => {
    expect((await parseRun(...words)).command).toEqual(command);
  });
});

describe('a program with one command', () => {
  const names = (only?: string): readonly string[] => buildProgram({} as Actions, () => {}, only).commands.map((command) => command.name()); // Nothing is run.

  it('has that one, and all when the word names none', () => {
    expect(names('diff')).toEqual(['diff']);
    for (const word of ['', '--help', 'help', 'constructor', 'frobnicate']) expect(names(word)).toEqual(names());
  });
});

describe('run reads its flags', () => {
  it('has no flag set by itself', async () => {
    expect((await parseRun('true')).flags).toEqual({});
  });

  it('reads sizes, numbers, durations and `none`', async () => {
    const { flags } = await parseRun(
      ...'--memory 512m --cpus 0.5 --pids none --disk 2g --file-size=1k --open-files 64 --timeout 1500ms --output-limit 1m true'.split(' '),
    );
    expect(flags).toEqual({
      memory: 536_870_912, cpus: 0.5, pids: 'none', disk: 2_147_483_648, fileSize: 1_024, openFiles: 64, timeout: 1_500, outputLimit: 1_048_576,
    }); // biome-ignore format: a table
  });

  it('collects what may be repeated', async () => {
    const { flags } = await parseRun('-e', 'A=1', '--env', 'B', '--mount', '/a:/b', '--mount', '/c:/d:rw', 'true');
    expect(flags.env).toEqual(['A=1', 'B']);
    expect(flags.mount).toEqual([
      { source: '/a', target: '/b', writable: false },
      { source: '/c', target: '/d', writable: true },
    ]);
  });

  it('reads short flags together', async () => {
    expect((await parseRun('-tq', '-eA=1', 'true')).flags).toMatchObject({ tty: true, quiet: true, env: ['A=1'] });
  });

  it('accepts --no-network', async () => {
    expect((await parseRun('--no-network', 'true')).flags.network).toBe(false);
  });
});

it('paths of diff and apply come after the run', async () => {
  const calls: unknown[] = [];
  const actions: Partial<Actions> = {
    diff: async (run, paths, flags) => void calls.push([run, paths, flags]),
    apply: async (run, paths, flags) => void calls.push([run, paths, flags]),
  };
  for (const words of [['diff'], ['diff', 'a', 'b', '--stat', 'c'], ['apply', 'a', '--dry-run', '--', '-x']]) {
    await buildProgram(actions as Actions, () => {}).parseAsync(words, { from: 'user' }); // The other actions are not reached.
  }
  expect(calls).toEqual([
    [undefined, [], { color: 'auto' }],
    ['a', ['b', 'c'], { color: 'auto', stat: true }],
    ['a', ['-x'], { dryRun: true }],
  ]);
});

describe('kernel gives --state its two meanings', () => {
  async function parseView(...words: string[]): Promise<KernelView> {
    const called = Promise.withResolvers<KernelView>();
    const actions: Partial<Actions> = { kernel: async (view) => called.resolve(view) };
    // The other actions are not reached.
    await buildProgram(actions as Actions, () => {}).parseAsync(['kernel', ...words], { from: 'user' });
    return called.promise;
  }

  it.each<[readonly string[], object]>([
    [['summary'], { kind: 'summary', flags: { workspace: 'default' } }],
    [['summary', '--state', '/s'], { flags: { state: '/s' } }],
    [['events', '--state-dir', '/s', '-f', '--since', '0'], { flags: { state: '/s', follow: true, since: 0, limit: 50 } }],
    [['agents', '--state', 'DEAD', '--state-dir', '/s'], { flags: { inState: 'DEAD', state: '/s', limit: 100 } }],
    [['queue', '--state', 'dead', '--pid', '7', '--limit', '3'], { flags: { inState: 'dead', pid: 7, limit: 3 } }],
    [['proc', '7', '--workspace', 'acme', '--json'], { kind: 'proc', pid: 7, flags: { workspace: 'acme', json: true } }],
    [['registry', '--prefix', 'a', '--tag', 'b'], { kind: 'registry', flags: { prefix: 'a', tag: 'b' } }],
    [['methods', '--tier', 'stable'], { kind: 'methods', flags: { tier: 'stable' } }],
    [['methods', 'queue.claim', '--json'], { kind: 'method', name: 'queue.claim', flags: { json: true } }],
    [['methods', '--names'], { kind: 'method_names' }],
  ])('%j', async (words, view) => {
    expect(await parseView(...words)).toMatchObject(view);
  });

  it('does not take the state of a process for a directory', async () => {
    expect(await parseView('agents', '--state', 'DEAD')).not.toHaveProperty('flags.state');
  });
});
