/** diff, apply, undo, runs and rm, on a real run store. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { USAGE } from '../test-support/fake-sandboxes.ts';
import { MadeRuns } from '../test-support/made-runs.ts';
import { apply } from './apply.ts';
import { chooseRun, hasChanges } from './choose-run.ts';
import { diff } from './diff.ts';
import { remove } from './remove.ts';
import { age, runs } from './runs.ts';
import { undo } from './undo.ts';

const AUTO = { color: 'auto' } as const;

describe('chooseRun', () => {
  const sought = { isCandidate: hasChanges, sought: 'that changed something' };

  it('takes the newest run of this directory, or of one above it, that has changes', async () => {
    await using made = await MadeRuns.create();
    await mkdir(join(made.directory, 'sub/deep'), { recursive: true });
    await made.add({ a: '1' });
    const newest = await made.add({ a: '2' });
    await made.add({});
    for (const cwd of [made.directory, join(made.directory, 'sub/deep')]) {
      expect(chooseRun(made.store, new FakeHost({ cwd }), { run: undefined, paths: [], ...sought }).run.id).toBe(newest);
    }
  });

  it('does not take the run of a directory below, or of a sibling with a similar name', async () => {
    await using made = await MadeRuns.create();
    await mkdir(join(made.directory, 'sub'));
    await mkdir(`${made.directory}-other`);
    await made.add({ a: '1' }, { directory: join(made.directory, 'sub') });
    for (const cwd of [made.directory, `${made.directory}-other`]) {
      expect(() => chooseRun(made.store, new FakeHost({ cwd }), { run: undefined, paths: [], ...sought })).toThrow('Cannot find a run of');
    }
  });

  it('takes the beginning of an id, in any case, and the first word as a path when no id begins so', async () => {
    await using made = await MadeRuns.create();
    const id = await made.add({ a: '1' });
    const host = new FakeHost({ cwd: made.directory });
    expect(chooseRun(made.store, host, { run: id.slice(0, 5).toUpperCase(), paths: [], ...sought })).toMatchObject({
      run: { id },
      paths: undefined,
    });
    expect(chooseRun(made.store, host, { run: 'src', paths: ['b'], ...sought })).toMatchObject({ run: { id }, paths: ['src', 'b'] });
    expect(chooseRun(made.store, host, { run: `./${id}`, paths: [], ...sought })).toMatchObject({ run: { id }, paths: [id] });
    expect(() => chooseRun(made.store, host, { run: 'zzzzzzzzzzzz', paths: [], ...sought })).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
  });

  it('takes paths as seen from here', async () => {
    await using made = await MadeRuns.create();
    const id = await made.add({ a: '1' });
    const cwd = join(made.directory, 'sub');
    const pathsOf = (from: string, ...paths: string[]): unknown =>
      chooseRun(made.store, new FakeHost({ cwd: from }), { run: id, paths, ...sought }).paths;
    expect(pathsOf(cwd, 'x', '../y', '.', join(made.directory, 'z'))).toEqual(['sub/x', 'y', 'sub', 'z']);
    expect(pathsOf('/', 'x', join(made.directory, 'z'))).toEqual(['x', 'z']);
    expect(pathsOf(made.directory, '.')).toEqual(['']);
    expect(() => pathsOf(cwd, '../../x')).toThrow('it is not in');
    expect(() => pathsOf(made.directory, '/etc/passwd')).toThrow('it is not in');
  });
});

describe('diff', () => {
  it('prints exactly the patch to a pipe, and what a terminal cannot obey to a terminal', async () => {
    await using made = await MadeRuns.create();
    await made.add({ a: '\u001b[2Jx\n' });
    const pipe = new FakeHost({ cwd: made.directory });
    expect(await diff(undefined, [], AUTO, pipe, made)).toBe(0);
    expect(pipe.stdout.text).toContain('+\u001b[2Jx\n');
    const terminal = new FakeHost({ cwd: made.directory, terminal: { rows: 24, columns: 80 }, env: { TERM: 'xterm', NO_COLOR: '1' } });
    await diff(undefined, [], AUTO, terminal, made);
    expect(terminal.stdout.text).toContain('+^[[2Jx\n');
    expect(terminal.stdout.text).not.toContain('\u001b');
  });

  it('never sends a file’s own sequences along with colours', async () => {
    await using made = await MadeRuns.create();
    await made.add({ a: '\u001b[2Jx\n' });
    const host = new FakeHost({ cwd: made.directory });
    await diff(undefined, [], { color: 'always' }, host, made);
    expect(host.stdout.text).toContain('\u001b[32m');
    expect(host.stdout.text).not.toContain('\u001b[2J');
  });

  it('prints names on one line each, whatever they hold, and directories only when they are all there is', async () => {
    await using made = await MadeRuns.create();
    await made.add({ 'd/e/x': '1', 'a\nb\u001b': '2' });
    const host = new FakeHost({ cwd: made.directory });
    await diff(undefined, [], { ...AUTO, nameOnly: true }, host, made);
    expect(host.stdout.text).toBe('a\\nb^[\nd/e/x\n');
  });

  it('prints a table and a document', async () => {
    await using made = await MadeRuns.create();
    const id = await made.add({ a: 'one\ntwo\n' });
    const host = new FakeHost({ cwd: made.directory });
    await diff(undefined, [], { ...AUTO, stat: true }, host, made);
    expect(host.stdout.text).toContain('1 path changed, 2 insertions(+)');
    const other = new FakeHost({ cwd: made.directory });
    await diff(undefined, [], { ...AUTO, json: true }, other, made);
    expect(JSON.parse(other.stdout.text)).toMatchObject({ run: id, changes: [{ path: 'a', kind: 'added' }], insertions: 2 });
  });

  it('says so when there is nothing to show', async () => {
    await using made = await MadeRuns.create();
    const id = await made.add({});
    const host = new FakeHost({ cwd: made.directory });
    expect(await diff(id, [], AUTO, host, made)).toBe(0);
    expect([host.stdout.text, host.stderr.text]).toEqual(['', `warren: run ${id} has no changes that are not here\n`]);
  });

  it('names the path that the run did not change', async () => {
    await using made = await MadeRuns.create();
    await made.add({ a: '1' });
    await expect(diff('nowhere', [], AUTO, new FakeHost({ cwd: made.directory }), made)).rejects.toThrow('nowhere');
  });
});

describe('apply and undo', () => {
  it('bring changes here, and take them back', async () => {
    await using made = await MadeRuns.create();
    const id = await made.add({ a: '1', 'd/b': '2' });
    const host = new FakeHost({ cwd: made.directory });
    expect(await apply(undefined, [], {}, host, made)).toBe(0);
    expect(host.stdout.text).toBe(`3 changes applied to ${made.directory} · warren undo ${id}\n`);
    expect(await readFile(join(made.directory, 'd/b'), 'utf8')).toBe('2');
    const again = new FakeHost({ cwd: made.directory });
    expect(await apply(undefined, [], {}, again, made)).toBe(0);
    expect(again.stdout.text).toContain('has it all already');
    const back = new FakeHost({ cwd: made.directory });
    expect(await undo(undefined, {}, back, made)).toBe(0);
    expect(back.stdout.text).toBe(`3 changes taken back in ${made.directory} · warren apply ${id}\n`);
    expect(existsSync(join(made.directory, 'a'))).toBe(false);
    expect(host.listeners + back.listeners).toBe(0);
  });

  it('take only some paths, and say what is left', async () => {
    await using made = await MadeRuns.create();
    await made.add({ a: '1', b: '2' });
    const host = new FakeHost({ cwd: made.directory });
    expect(await apply('a', [], {}, host, made)).toBe(0);
    expect(host.stdout.text).toContain('1 change applied');
    expect(host.stdout.text).toContain('1 change not asked for');
  });

  it('touch nothing when something changed here since, and say how to go on', async () => {
    await using made = await MadeRuns.create();
    await writeFile(join(made.directory, 'a'), 'old');
    const id = await made.add({ a: 'new', b: '2' });
    await writeFile(join(made.directory, 'a'), 'mine');
    const host = new FakeHost({ cwd: made.directory });
    await expect(apply(undefined, [], {}, host, made)).rejects.toMatchObject({
      code: 'conflict',
      details: { fix: expect.stringContaining(`warren apply ${id} --force`) },
    });
    expect(existsSync(join(made.directory, 'b'))).toBe(false);
    const rehearsal = new FakeHost({ cwd: made.directory });
    expect(await apply(undefined, [], { dryRun: true }, rehearsal, made)).toBe(1);
    expect(rehearsal.stdout.text).toContain('could apply: b\n');
    expect(rehearsal.stdout.text).toContain('conflict: a: ');
    expect(await apply(undefined, [], { dryRun: true, force: true }, new FakeHost({ cwd: made.directory }), made)).toBe(0);
    expect(await apply(undefined, [], { force: true }, new FakeHost({ cwd: made.directory }), made)).toBe(0);
    expect(await readFile(join(made.directory, 'a'), 'utf8')).toBe('new');
    await writeFile(join(made.directory, 'a'), 'mine again');
    await expect(undo(undefined, {}, host, made)).rejects.toMatchObject({
      code: 'conflict',
      details: { fix: expect.stringContaining('--force') },
    });
    expect(await undo(undefined, { force: true }, new FakeHost({ cwd: made.directory }), made)).toBe(0);
    expect(await readFile(join(made.directory, 'a'), 'utf8')).toBe('mine');
  });

  it('leave alone what would run on the host, until it is named; the rehearsal says the same', async () => {
    await using made = await MadeRuns.create();
    await mkdir(join(made.directory, '.git/hooks'), { recursive: true });
    const id = await made.add({ '.git/hooks/pre-commit': 'evil', a: '1' });
    const rehearsal = new FakeHost({ cwd: made.directory });
    expect(await apply(undefined, [], { dryRun: true, json: true }, rehearsal, made)).toBe(1);
    const refused = [{ path: '.git/hooks/pre-commit', reason: 'attention' }];
    expect(JSON.parse(rehearsal.stdout.text)).toMatchObject({ run: id, dryRun: true, applied: ['a'], conflicts: [], refused });
    const host = new FakeHost({ cwd: made.directory });
    expect(await apply(undefined, [], {}, host, made)).toBe(1);
    expect(host.stderr.text).toBe(
      `warren: left alone: .git/hooks/pre-commit: git runs hooks on the host\n  fix: look at it, then: warren apply ${id} .git/hooks/pre-commit\n`,
    );
    const named = new FakeHost({ cwd: made.directory });
    expect(await apply('.git/hooks/pre-commit', [], { dryRun: true }, named, made)).toBe(0);
    expect(await apply('.git/hooks/pre-commit', [], {}, named, made)).toBe(0);
  });

  it('end in order when interrupted', async () => {
    await using made = await MadeRuns.create();
    await made.add(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, `${index}`])));
    const host = new FakeHost({ cwd: made.directory });
    const code = apply(undefined, [], {}, host, made);
    await new Promise(setImmediate);
    expect(host.send('SIGINT')).toBe(true);
    expect(await code).toBe(130);
    expect(host.stderr.text).toContain('warren: interrupted');
    expect(await apply(undefined, [], {}, new FakeHost({ cwd: made.directory }), made)).toBe(0);
    expect(await readFile(join(made.directory, 'f299'), 'utf8')).toBe('299');
  });

  it('have nothing to take back before anything was applied', async () => {
    await using made = await MadeRuns.create();
    const id = await made.add({ a: '1' });
    const host = new FakeHost({ cwd: made.directory });
    await expect(undo(undefined, {}, host, made)).rejects.toMatchObject({ code: 'not_found' });
    await expect(undo(id, {}, host, made)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('runs', () => {
  it('lists them, the newest first, safely', async () => {
    await using made = await MadeRuns.create();
    const first = await made.add({}, { exit: { kind: 'stopped', by: 'memory', detail: '', usage: USAGE, limitsHit: [] } });
    const second = await made.add({ a: '1' }, { command: ['sh', '-c', 'echo \u001b[31m'], crashed: true });
    const host = new FakeHost({ cwd: made.directory, env: { HOME: '/nowhere' } });
    host.nowMs = made.nowMs + 7_200_000;
    expect(await runs({}, host, made)).toBe(0);
    const rows = host.stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['RUN', 'AGE', 'STATUS', 'EXIT', 'CHANGES', 'LAYER', 'DIRECTORY', 'COMMAND'],
      [second, '2h', 'crashed', '-', '?', 'pending', made.directory, "sh -c 'echo ^[[31m'"],
      [first, '2h', 'ended', 'memory', '0', 'empty', made.directory, 'make'],
    ]);
  });

  it('fits the terminal and shows the home directory as ~', async () => {
    await using made = await MadeRuns.create();
    await made.add({}, { command: ['x'.repeat(500)] });
    const host = new FakeHost({ terminal: { rows: 24, columns: 100 }, env: { HOME: made.directory, TERM: 'dumb' } });
    await runs({}, host, made);
    const [, row = ''] = host.stdout.text.split('\n');
    expect(row.length).toBe(100);
    expect(row).toContain(' ~ ');
  });

  it('shows the latest 20 unless all are asked for', async () => {
    await using made = await MadeRuns.create();
    for (let number = 0; number < 22; number++) await made.add({});
    const host = new FakeHost();
    await runs({}, host, made);
    expect(host.stdout.text.trimEnd().split('\n')).toHaveLength(21);
    expect(host.stderr.text).toBe('warren: 2 older runs: warren runs --all\n');
    const all = new FakeHost();
    await runs({ all: true, json: true }, all, made);
    expect(JSON.parse(all.stdout.text)).toMatchObject({ more: 0, damaged: [], runs: { length: 22 } });
  });

  it('says how to begin when there are none', async () => {
    await using made = await MadeRuns.create();
    const host = new FakeHost();
    expect(await runs({}, host, made)).toBe(0);
    expect([host.stdout.text, host.stderr.text]).toEqual(['', 'warren: no runs; begin with: warren run --dir . -- …\n']);
  });
});

describe('rm', () => {
  it('keeps changes that were not applied, unless forced', async () => {
    await using made = await MadeRuns.create();
    const [pending, empty] = [await made.add({ a: '1' }), await made.add({})];
    const host = new FakeHost();
    expect(await remove([pending, empty], {}, host, made)).toBe(1);
    expect(host.stdout.text).toBe('1 run removed\n');
    expect(host.stderr.text).toContain(`cannot remove "${pending}": its 1 change is not applied`);
    expect(host.stderr.text).toContain(`  fix: warren rm --force`);
    expect(await remove([pending], { force: true }, new FakeHost(), made)).toBe(0);
    expect(made.store.listRuns().runs).toEqual([]);
  });

  it('--all leaves those that are running', async () => {
    await using made = await MadeRuns.create();
    await made.add({});
    using held = await made.store.openRun({ command: ['x'], directory: made.directory, profile: 'moderate' });
    const host = new FakeHost();
    expect(await remove([], { all: true, force: true, json: true }, host, made)).toBe(0);
    expect(made.store.listRuns().runs.map(({ id }) => id)).toEqual([held.record.id]);
    expect(await remove([held.record.id], { force: true }, host, made)).toBe(1);
  });

  it('wants to be told which', async () => {
    await using made = await MadeRuns.create();
    await expect(remove([], {}, new FakeHost(), made)).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(remove(['a'], { all: true }, new FakeHost(), made)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('removes what is damaged only when forced', async () => {
    await using made = await MadeRuns.create();
    const id = await made.add({ a: '1' });
    await writeFile(join(made.store.directory, id, 'run.json'), '{');
    const host = new FakeHost();
    await runs({}, host, made);
    expect(host.stderr.text).toContain(`warren rm --force ${id}`);
    expect(await remove([id], {}, new FakeHost(), made)).toBe(1);
    expect(await remove([id.slice(0, 11)], { force: true }, new FakeHost(), made)).toBe(0);
    expect(made.store.listRuns().damaged).toEqual([]);
  });
});

it.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [86_400_000 * 40, '40d'],
  [-5, '0s'],
])('an age of %i ms is %s', (durationMs, text) => {
  expect(age(durationMs)).toBe(text);
});
