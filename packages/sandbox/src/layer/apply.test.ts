import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isFault } from '@warren/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ApplyOptions, type ApplyResult, applyRun, previewApply } from './apply.ts';
import { dropRun } from './drop.ts';
import { reviewRun } from './review.ts';
import type { RunId } from './run-id.ts';
import { LayerFixture, overlayProblem } from './test-support/layer-fixture.ts';
import { undoRun } from './undo.ts';

async function apply(fixture: LayerFixture, id: RunId, options: Omit<ApplyOptions, 'probe'> = {}): Promise<ApplyResult> {
  return await applyRun(fixture.store, id, { probe: fixture.probe, ...options });
}

function read(fixture: LayerFixture, path: string): string {
  return readFileSync(join(fixture.directory, path), 'utf8');
}

function conflict(...paths: readonly string[]): object {
  return { code: 'conflict', details: expect.objectContaining({ paths }) };
}

beforeEach(async ({ skip }) => {
  const problem = await overlayProblem();
  skip(problem !== undefined, problem ?? '');
});

describe('applyRun', () => {
  it('applies everything, says what, and has nothing to do the second time', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['write', 'b', 'x'],
    ]);
    const { id, merged } = await fixture.run([
      ['write', 'a', 'new'],
      ['remove', 'b'],
      ['mkdir', 'd'],
      ['write', 'd/c', 'c'],
    ]);
    expect(await apply(fixture, id)).toMatchObject({
      applied: ['a', 'b', 'd', 'd/c'],
      refused: [],
      remaining: 0,
      run: { layer: { state: 'applied', isUndoable: true } },
    });
    expect(await fixture.snapshot()).toEqual(merged);
    expect(await apply(fixture, id)).toMatchObject({ applied: [], alreadyApplied: 4, run: { layer: { state: 'applied' } } });
  });

  it('applies chosen paths with the new directories they need, and keeps the rest pending', async () => {
    await using fixture = await LayerFixture.create();
    const { id, merged } = await fixture.run([
      ['mkdir', 'd'],
      ['mkdir', 'd/e'],
      ['write', 'd/e/f', 'f'],
      ['write', 'd/g', 'g'],
      ['write', 'h', 'h'],
    ]);
    expect(await apply(fixture, id, { paths: ['d/e/f'] })).toMatchObject({
      applied: ['d', 'd/e', 'd/e/f'],
      remaining: 2,
      run: { layer: { state: 'pending', isUndoable: true } },
    });
    expect(Object.keys(await fixture.snapshot())).toEqual(['d', 'd/e', 'd/e/f']);
    expect((await reviewRun(fixture.store, id, { probe: fixture.probe })).changes.map(({ path }) => path)).toEqual(['d/g', 'h']);
    await apply(fixture, id, { paths: ['./d/'] });
    expect(await apply(fixture, id)).toMatchObject({ applied: ['h'], alreadyApplied: 4, run: { layer: { state: 'applied' } } });
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual({});
  });

  it('refuses paths that lead out or that the run did not change', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([['write', 'same', 'x']]);
    const { id } = await fixture.run([['write', 'a', 'x']]);
    await expect(apply(fixture, id, { paths: ['../a'] })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(apply(fixture, id, { paths: ['same'] })).rejects.toMatchObject({ code: 'not_found' });
    expect(Object.keys(await fixture.snapshot())).toEqual(['same']);
  });

  it('changes the mode of the directory of the run itself, and back', async () => {
    await using fixture = await LayerFixture.create();
    const { id } = await fixture.run([
      ['write', 'a', 'x'],
      ['chmod', '.', 0o500],
    ]);
    const mode = (): number => statSync(fixture.directory).mode & 0o7777;
    expect((await apply(fixture, id)).applied).toEqual(['.', 'a']);
    expect(mode()).toBe(0o500);
    await undoRun(fixture.store, id);
    expect(mode()).toBe(0o755);
  });

  it('seals a crashed run first', async () => {
    await using fixture = await LayerFixture.create();
    const held = await fixture.openRun();
    const merged = await fixture.edit(held.record.id, [['write', 'a', 'x']]);
    held[Symbol.dispose]();
    expect(fixture.store.getRun(held.record.id).status).toBe('crashed');
    await apply(fixture, held.record.id);
    expect(await fixture.snapshot()).toEqual(merged);
  });

  it('has nothing to do for an empty layer and nothing to give for a dropped one', async () => {
    await using fixture = await LayerFixture.create();
    const empty = await fixture.run([]);
    expect(await apply(fixture, empty.id)).toMatchObject({ applied: [], run: { layer: { state: 'empty' } } });
    const { id } = await fixture.run([['write', 'a', 'x']]);
    expect((await dropRun(fixture.store, id)).layer.state).toBe('dropped');
    await expect(apply(fixture, id)).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('dropped') });
    await expect(reviewRun(fixture.store, id, { probe: fixture.probe })).rejects.toMatchObject({ code: 'not_found' });
    await expect(undoRun(fixture.store, id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is busy while the run goes on, and while another apply does', async () => {
    await using fixture = await LayerFixture.create();
    const held = await fixture.openRun();
    await expect(apply(fixture, held.record.id)).rejects.toMatchObject({ code: 'busy' });
    await expect(reviewRun(fixture.store, held.record.id, { probe: fixture.probe })).rejects.toMatchObject({ code: 'busy' });
    held[Symbol.dispose]();
    const { id } = await fixture.run([
      ['write', 'a', 'x'],
      ['write', 'b', 'x'],
    ]);
    const others: unknown[] = [];
    const onPause = async (): Promise<void> => {
      for (const other of [apply(fixture, id), undoRun(fixture.store, id), fixture.store.removeRun(id), dropRun(fixture.store, id)]) {
        others.push(await other.catch((error: unknown) => (isFault(error) ? error.code : error)));
      }
    };
    await apply(fixture, id, { onPause });
    expect(new Set(others)).toEqual(new Set(['busy']));
  });

  it('keeps owners, and gives what is new to the owner of the directory', async ({ skip }) => {
    skip(process.geteuid?.() !== 0, 'needs root, to give files away');
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'mine', 'x'],
      ['write', 'theirs', 'x'],
      ['mkdir', 'shared'],
    ]);
    const { id } = await fixture.run([
      ['write', 'theirs', 'y'],
      ['write', 'new', 'y'],
      ['symlink', 'link', 'x'],
      ['mkdir', 'shared/d'],
      ['write', 'shared/d/f', 'x'],
    ]);
    chownSync(fixture.directory, 1234, 1235);
    chownSync(join(fixture.directory, 'theirs'), 77, 78);
    chownSync(join(fixture.directory, 'shared'), 1234, 99);
    chmodSync(join(fixture.directory, 'shared'), 0o2775);
    await apply(fixture, id);
    const owner = (path: string): string => {
      const { uid, gid } = statSync(join(fixture.directory, path));
      return `${uid}:${gid}`;
    };
    expect(['theirs', 'new', 'shared/d', 'shared/d/f'].map(owner)).toEqual(['77:78', '1234:1235', '1234:99', '1234:99']);
    expect(statSync(join(fixture.directory, 'shared/d')).mode & 0o2000).toBe(0o2000);
    await undoRun(fixture.store, id);
    expect(owner('theirs')).toBe('77:78');
  });

  it('ends between two steps when the caller does, and goes on later', async () => {
    await using fixture = await LayerFixture.create();
    const { id, merged } = await fixture.run(Array.from({ length: 20 }, (_, index) => ['write', `f${index}`, 'x'] as const));
    const abort = new AbortController();
    let steps = 0;
    const onPause = (point: string): void => {
      steps += point === 'step' ? 1 : 0;
      if (steps === 5) abort.abort();
    };
    await expect(apply(fixture, id, { onPause, signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(Object.keys(await fixture.snapshot())).toHaveLength(5);
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
  });
});

describe('previewApply', () => {
  it('says what an apply would do, and does none of it', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['mkdir', '.git'],
    ]);
    const { id } = await fixture.run([
      ['write', 'a', 'new'],
      ['write', 'b', 'new'],
      ['write', '.git/config', 'x'],
    ]);
    const preview = async (options: Omit<ApplyOptions, 'probe'> = {}): Promise<unknown> =>
      await previewApply(fixture.store, id, { probe: fixture.probe, ...options });
    expect(await preview()).toMatchObject({ applied: ['a', 'b'], conflicts: [], refused: [{ path: '.git/config', reason: 'attention' }] });
    writeFileSync(join(fixture.directory, 'a'), 'host');
    const before = await fixture.snapshot();
    expect(await preview()).toMatchObject({ conflicts: [{ path: 'a', reason: 'the host changed it since the run' }] });
    expect(await preview({ force: true })).toMatchObject({ applied: ['.git/config', 'a', 'b'], conflicts: [], refused: [] });
    expect(await preview({ paths: ['b'] })).toMatchObject({ applied: ['b'], conflicts: [], remaining: 2 });
    expect(await fixture.snapshot()).toEqual(before);
    expect(fixture.store.getRun(id).layer).toMatchObject({ state: 'pending', isUndoable: false });
    const empty = await fixture.run([]);
    expect(await previewApply(fixture.store, empty.id, { probe: fixture.probe })).toMatchObject({ applied: [], conflicts: [] });
  });
});

describe('a host that changed', () => {
  it('stops an apply before anything is touched, and force overwrites what undo then brings back', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['write', 'b', 'old'],
      ['write', 'c', 'old'],
      ['write', 'd', 'old'],
    ]);
    const { id, merged } = await fixture.run([
      ['write', 'a', 'new'],
      ['write', 'b', 'new'],
      ['remove', 'c'],
      ['write', 'd', 'new'],
      ['write', 'e', 'new'],
    ]);
    writeFileSync(join(fixture.directory, 'a'), 'host');
    unlinkSync(join(fixture.directory, 'b'));
    writeFileSync(join(fixture.directory, 'c'), 'host');
    writeFileSync(join(fixture.directory, 'e'), 'host');
    const changed = await fixture.snapshot();
    await expect(apply(fixture, id)).rejects.toMatchObject(conflict('a', 'b', 'c', 'e'));
    expect(await fixture.snapshot()).toEqual(changed);
    await apply(fixture, id, { force: true });
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual(changed);
  });

  it('is no conflict when it only looks changed, or made the same change itself', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'rewritten', 'old'],
      ['write', 'same', 'old'],
    ]);
    const { id, merged } = await fixture.run([
      ['write', 'rewritten', 'new'],
      ['write', 'same', 'new'],
    ]);
    writeFileSync(join(fixture.directory, 'copy'), 'old');
    renameSync(join(fixture.directory, 'copy'), join(fixture.directory, 'rewritten'));
    writeFileSync(join(fixture.directory, 'same'), 'new');
    expect(await apply(fixture, id)).toMatchObject({ applied: ['rewritten'], alreadyApplied: 1 });
    expect(await fixture.snapshot()).toEqual(merged);
  });

  it('is a conflict when it changed during the run, even back to what the seal saw', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['write', 'b', 'old'],
    ]);
    const held = await fixture.openRun();
    await fixture.edit(held.record.id, [
      ['write', 'a', 'new'],
      ['write', 'b', 'new'],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 15)); // A tick of the clock that stamps files.
    writeFileSync(join(fixture.directory, 'a'), 'host');
    await fixture.store.closeRun(held, { probe: fixture.probe });
    await expect(apply(fixture, held.record.id)).rejects.toMatchObject(conflict('a'));
    await apply(fixture, held.record.id, { force: true });
    await undoRun(fixture.store, held.record.id);
    expect(read(fixture, 'a')).toBe('host');
  });

  it('with the same size in the same tick of the clock is still seen', async () => {
    await using fixture = await LayerFixture.create();
    for (let round = 0; round < 20; round += 1) {
      const name = `f${round}`;
      await fixture.build([['write', name, 'old']]);
      const { id } = await fixture.run([['write', name, 'new']]);
      const before = statSync(join(fixture.directory, name), { bigint: true });
      writeFileSync(join(fixture.directory, name), 'hst');
      const after = statSync(join(fixture.directory, name), { bigint: true });
      expect(before.ino).toBe(after.ino);
      await expect(apply(fixture, id)).rejects.toMatchObject(conflict(name));
    }
  });

  it('keeps what it put into a directory that the run removed', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['mkdir', 'd'],
      ['mkdir', 'd/e'],
      ['write', 'd/e/f', 'x'],
      ['write', 'd/g', 'x'],
    ]);
    const { id } = await fixture.run([['remove', 'd']]);
    writeFileSync(join(fixture.directory, 'd/e/new'), 'host');
    await expect(apply(fixture, id)).rejects.toMatchObject(conflict('d/e/new'));
    await apply(fixture, id, { force: true });
    expect(Object.keys(await fixture.snapshot())).toEqual(['d', 'd/e', 'd/e/new']);
    await undoRun(fixture.store, id);
    expect(Object.keys(await fixture.snapshot())).toEqual(['d', 'd/e', 'd/e/f', 'd/e/new', 'd/g']);
  });

  it('that put a directory in the way is not run over, not even by force', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([['write', 'a', 'old']]);
    const { id } = await fixture.run([
      ['write', 'a', 'new'],
      ['write', 'b', 'new'],
    ]);
    rmSync(join(fixture.directory, 'a'));
    for (const name of ['a', 'b']) {
      mkdirSync(join(fixture.directory, name));
      writeFileSync(join(fixture.directory, name, 'precious'), 'x');
    }
    for (const force of [false, true]) await expect(apply(fixture, id, { force })).rejects.toMatchObject(conflict('a', 'b'));
    expect(read(fixture, 'a/precious')).toBe('x');
  });

  it('that lost the directory of a change, or the whole directory, says so', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['mkdir', 'd'],
      ['write', 'd/a', 'old'],
    ]);
    const { id } = await fixture.run([
      ['write', 'd/a', 'new'],
      ['write', 'd/b', 'new'],
    ]);
    rmSync(join(fixture.directory, 'd'), { recursive: true });
    for (const force of [false, true]) await expect(apply(fixture, id, { force })).rejects.toMatchObject(conflict('d/a', 'd/b'));
    rmSync(fixture.directory, { recursive: true });
    await expect(apply(fixture, id)).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining(fixture.directory) });
    mkdirSync(fixture.directory);
  });

  it('in the middle of an apply ends it without loss', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['write', 'b', 'old'],
    ]);
    const { id } = await fixture.run([
      ['write', 'a', 'new'],
      ['write', 'b', 'new'],
    ]);
    const onPause = (point: string): void => {
      if (point === 'recorded') writeFileSync(join(fixture.directory, 'b'), 'host!');
    };
    await expect(apply(fixture, id, { onPause })).rejects.toMatchObject(conflict('b'));
    expect([read(fixture, 'a'), read(fixture, 'b')]).toEqual(['new', 'host!']);
    expect(Object.keys(await fixture.snapshot())).toEqual(['a', 'b']);
    await undoRun(fixture.store, id, { force: true });
    expect(read(fixture, 'a')).toBe('old');
  });

  it('with files of several names gets them changed under the one name that the run changed', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['link', 'a', 'b'],
      ['link', 'a', 'c'],
      ['write', 'x', 'same'],
      ['link', 'x', 'y'],
    ]);
    const original = await fixture.snapshot();
    const { id, merged } = await fixture.run([
      ['write', 'a', 'new'],
      ['write', 'b', 'other'],
      ['chmod', 'x', 0o755],
    ]);
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual(original);
    expect(statSync(join(fixture.directory, 'a')).nlink).toBeGreaterThanOrEqual(3);
  });
});

describe('what is refused', () => {
  it('special files stay out, the rest is applied', { timeout: 10_000 }, async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['fifo', 'host-pipe'],
      ['mkdir', 'd'],
      ['fifo', 'd/pipe'],
      ['write', 'd/x', 'x'],
    ]);
    const { id } = await fixture.run([
      ['fifo', 'pipe'],
      ['mkdir', 'e'],
      ['fifo', 'e/pipe'],
      ['write', 'e/x', 'x'],
      ['remove', 'host-pipe'],
      ['remove', 'd'],
    ]);
    const { refused, run } = await apply(fixture, id, { force: true });
    expect(Object.fromEntries(refused.map(({ path, reason }) => [path, reason]))).toEqual({
      d: 'depends',
      'd/pipe': 'special',
      'e/pipe': 'special',
      'host-pipe': 'special',
      pipe: 'special',
    });
    expect(Object.keys(await fixture.snapshot())).toEqual(['d', 'd/pipe', 'e', 'e/x', 'host-pipe']);
    expect(run.layer.state).toBe('applied');
    await undoRun(fixture.store, id);
    expect(Object.keys(await fixture.snapshot())).toEqual(['d', 'd/pipe', 'd/x', 'host-pipe']);
  });

  it('a setuid or setgid file is not applied, a setgid directory loses the bit', async () => {
    await using fixture = await LayerFixture.create();
    const { id } = await fixture.run([
      ['write', 'su', 'x', 0o4755],
      ['write', 'sg', 'x', 0o2755],
      ['mkdir', 'd', 0o2755],
      ['write', 'plain', 'x', 0o755],
    ]);
    const { refused } = await apply(fixture, id, { force: true, paths: ['su', 'sg', 'd', 'plain'] });
    expect(refused.map(({ path, reason }) => `${path} ${reason}`)).toEqual(['sg set_id', 'su set_id']);
    expect(await fixture.snapshot()).toMatchObject({ d: ['directory', 0o755, ''], plain: ['file', 0o755, expect.any(String)] });
  });

  it('what makes git run something is applied only when it is named or forced', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['mkdir', '.git'],
      ['mkdir', '.git/hooks'],
      ['write', '.git/config', 'old'],
      ['write', '.git/HEAD', 'old'],
    ]);
    const { id, merged } = await fixture.run([
      ['write', '.git/hooks/pre-commit', 'rm -rf /', 0o755],
      ['write', '.git/config', 'new'],
      ['write', '.git/HEAD', 'new'],
    ]);
    const { applied, refused, run } = await apply(fixture, id, { paths: ['.'] });
    expect(applied).toEqual(['.git/HEAD']);
    expect(refused.map(({ path, reason }) => `${path} ${reason}`)).toEqual(['.git/config attention', '.git/hooks/pre-commit attention']);
    expect(run.layer.state).toBe('pending');
    expect(await apply(fixture, id, { paths: ['.git/config'] })).toMatchObject({ applied: ['.git/config'], refused: [] });
    expect(await apply(fixture, id, { force: true })).toMatchObject({
      applied: ['.git/hooks/pre-commit'],
      run: { layer: { state: 'applied' } },
    });
    expect(await fixture.snapshot()).toEqual(merged);
    expect((await apply(fixture, id)).refused).toEqual([]);
  });

  it('new hooks come with their directory or not at all', async () => {
    await using fixture = await LayerFixture.create();
    const { id, merged } = await fixture.run([
      ['mkdir', '.git'],
      ['mkdir', '.git/hooks'],
      ['write', '.git/hooks/x', 'x'],
      ['write', '.git/HEAD', 'x'],
    ]);
    await apply(fixture, id);
    expect(Object.keys(await fixture.snapshot())).toEqual(['.git', '.git/HEAD']);
    await apply(fixture, id, { paths: ['.git/hooks'] });
    expect(await fixture.snapshot()).toEqual(merged);
  });

  it('an agent that guesses the name of a temporary file gains nothing', async () => {
    await using fixture = await LayerFixture.create();
    const held = await fixture.openRun();
    const { id } = held.record;
    await fixture.edit(id, [
      ['write', 'a', 'x'],
      ['symlink', `.a.warren-${id}`, '/etc/passwd'],
    ]);
    await fixture.store.closeRun(held, { probe: fixture.probe });
    expect((await apply(fixture, id, { force: true })).refused).toMatchObject([{ path: `.a.warren-${id}`, reason: 'reserved_name' }]);
    expect(Object.keys(await fixture.snapshot())).toEqual(['a']);
  });
});

describe('links', () => {
  it('of the host are replaced, never followed', async () => {
    await using fixture = await LayerFixture.create();
    mkdirSync(fixture.join('outside'));
    writeFileSync(fixture.join('outside', 'passwd'), 'root');
    await fixture.build([
      ['symlink', 'link', fixture.join('outside')],
      ['symlink', 'file', fixture.join('outside', 'passwd')],
    ]);
    const original = await fixture.snapshot();
    const { id, merged } = await fixture.run([
      ['remove', 'link'],
      ['mkdir', 'link'],
      ['write', 'link/passwd', 'mine'],
      ['remove', 'file'],
      ['write', 'file', 'mine'],
    ]);
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual(original);
    expect(readFileSync(fixture.join('outside', 'passwd'), 'utf8')).toBe('root');
  });

  it('that the host put in the way since stop the apply, also by force', async () => {
    await using fixture = await LayerFixture.create();
    mkdirSync(fixture.join('outside'));
    await fixture.build([
      ['mkdir', 'd'],
      ['mkdir', 'd/e'],
    ]);
    const { id } = await fixture.run([['write', 'd/e/passwd', 'mine']]);
    rmSync(join(fixture.directory, 'd'), { recursive: true });
    mkdirSync(fixture.join('outside', 'e'));
    symlinkSync(fixture.join('outside'), join(fixture.directory, 'd'));
    for (const force of [false, true]) {
      await expect(apply(fixture, id, { force })).rejects.toMatchObject({
        ...conflict('d/e/passwd'),
        message: expect.stringContaining('"d" is not a directory'),
      });
    }
    expect(Object.keys(await fixture.snapshot(fixture.join('outside')))).toEqual(['e']);
  });

  it('that appear in the middle of an apply are not followed either', async () => {
    await using fixture = await LayerFixture.create();
    mkdirSync(fixture.join('outside'));
    await fixture.build([['mkdir', 'd']]);
    const { id } = await fixture.run([
      ['write', 'd/passwd', 'mine'],
      ['write', 'a', 'x'],
    ]);
    for (const moment of ['begun', 'prepared', 'recorded']) {
      const onPause = (point: string): void => {
        if (point !== moment) return;
        renameSync(join(fixture.directory, 'd'), join(fixture.directory, 'moved'));
        symlinkSync(fixture.join('outside'), join(fixture.directory, 'd'));
      };
      await expect(apply(fixture, id, { onPause, paths: ['d'] })).rejects.toMatchObject({ code: 'conflict' });
      expect(await fixture.snapshot(fixture.join('outside'))).toEqual({});
      unlinkSync(join(fixture.directory, 'd'));
      renameSync(join(fixture.directory, 'moved'), join(fixture.directory, 'd'));
    }
    await apply(fixture, id);
    expect(Object.keys(await fixture.snapshot())).toEqual(['a', 'd', 'd/passwd']);
  });
});

describe('odd trees', () => {
  it('are applied and undone at a depth no path can name', { timeout: 60_000 }, async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([['deep', 'directory-d', 1_000, 'old']]);
    const original = await fixture.snapshot();
    const { id, merged } = await fixture.run([
      ['deep', 'directory-d', 1_000, 'new'],
      ['deep', 'other', 1_000, 'x'],
    ]);
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual(original);
  });

  it('with names of any bytes and of the longest length', async () => {
    await using fixture = await LayerFixture.create();
    const names = ['\xff\xfe', '..x', ' ', '\n', '"', '\x1b[2J', 'x'.repeat(255), `${'\xff'.repeat(250)}`, 'caf\xc3\xa9', '-rf'];
    await fixture.build(names.flatMap((name) => [['write', name, 'old'] as const]));
    const original = await fixture.snapshot();
    const { id, merged } = await fixture.run(names.map((name) => ['write', name, 'new'] as const));
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual(original);
  });

  it('with holes keep them', async () => {
    await using fixture = await LayerFixture.create();
    const { id, merged } = await fixture.run([['sparse', 'big', 200_000_000]]);
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
    expect(statSync(join(fixture.directory, 'big')).blocks).toBeLessThan(1_000);
  });
});

describe('undoRun', () => {
  it('brings everything back, once, and the layer can be applied again', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old', 0o640],
      ['mkdir', 'd'],
      ['write', 'd/b', 'x'],
    ]);
    const original = await fixture.snapshot();
    const before = statSync(join(fixture.directory, 'a'), { bigint: true });
    const { id, merged } = await fixture.run([
      ['write', 'a', 'new'],
      ['remove', 'd'],
      ['write', 'c', 'x'],
    ]);
    await expect(undoRun(fixture.store, id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('nothing of it is applied'),
    });
    await apply(fixture, id);
    expect(await undoRun(fixture.store, id)).toMatchObject({
      restored: ['a', 'c', 'd', 'd/b'],
      kept: [],
      run: { layer: { state: 'undone', isUndoable: false } },
    });
    expect(await fixture.snapshot()).toEqual(original);
    const after = statSync(join(fixture.directory, 'a'), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
    await expect(undoRun(fixture.store, id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('undone already'),
    });
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
  });

  it('stops at what the host changed since, before anything is touched; force goes over it', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old'],
      ['write', 'b', 'old'],
    ]);
    const { id } = await fixture.run([
      ['write', 'a', 'new'],
      ['write', 'b', 'new'],
      ['mkdir', 'd'],
      ['write', 'd/c', 'x'],
    ]);
    await apply(fixture, id);
    writeFileSync(join(fixture.directory, 'a'), 'host');
    writeFileSync(join(fixture.directory, 'd/host'), 'host');
    const changed = await fixture.snapshot();
    await expect(undoRun(fixture.store, id)).rejects.toMatchObject(conflict('a', 'd/host'));
    expect(await fixture.snapshot()).toEqual(changed);
    expect(await undoRun(fixture.store, id, { force: true })).toMatchObject({ kept: ['d'] });
    expect([read(fixture, 'a'), read(fixture, 'b'), read(fixture, 'd/host')]).toEqual(['old', 'old', 'host']);
    expect(Object.keys(await fixture.snapshot())).toEqual(['a', 'b', 'd', 'd/host']);
  });

  it('does not mind what the host took away itself', async () => {
    await using fixture = await LayerFixture.create();
    const { id } = await fixture.run([
      ['mkdir', 'd'],
      ['write', 'd/a', 'x'],
      ['write', 'b', 'x'],
    ]);
    await apply(fixture, id);
    rmSync(join(fixture.directory, 'd'), { recursive: true });
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual({});
  });

  it('keeps what it has no place for, also by force', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['mkdir', 'd'],
      ['write', 'd/removed', 'x'],
      ['write', 'file', 'old'],
    ]);
    const original = await fixture.snapshot();
    const { id } = await fixture.run([
      ['remove', 'd/removed'],
      ['write', 'file', 'new'],
    ]);
    await apply(fixture, id);
    rmSync(join(fixture.directory, 'd'), { recursive: true });
    rmSync(join(fixture.directory, 'file'));
    mkdirSync(join(fixture.directory, 'file'));
    await expect(undoRun(fixture.store, id)).rejects.toMatchObject({ code: 'conflict' });
    await expect(undoRun(fixture.store, id, { force: true })).rejects.toMatchObject(conflict('d/removed', 'file'));
    mkdirSync(join(fixture.directory, 'd'));
    rmSync(join(fixture.directory, 'file'), { recursive: true });
    await undoRun(fixture.store, id, { force: true });
    expect(await fixture.snapshot()).toEqual(original);
  });

  it('that was killed while it wrote leaves a temporary file, which is no conflict later', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['mkdir', 'd'],
      ['write', 'd/a', 'x'],
    ]);
    const { id, merged } = await fixture.run([['remove', 'd']]);
    await apply(fixture, id);
    const onPause = (point: string, path: string | undefined): void => {
      if (point !== 'step' || path !== 'd/a') return;
      writeFileSync(join(fixture.directory, `d/.a.warren-${id}`), 'half');
      throw new Error('killed');
    };
    await expect(undoRun(fixture.store, id, { onPause })).rejects.toThrow('killed');
    expect((await previewApply(fixture.store, id, { probe: fixture.probe })).conflicts).toEqual([]);
    await apply(fixture, id);
    expect(await fixture.snapshot()).toEqual(merged);
  });

  it('can be ended by the caller and goes on later', async () => {
    await using fixture = await LayerFixture.create();
    const { id } = await fixture.run(Array.from({ length: 20 }, (_, index) => ['write', `f${index}`, 'x'] as const));
    await apply(fixture, id);
    const abort = new AbortController();
    let steps = 0;
    const onPause = (point: string): void => {
      steps += point === 'step' ? 1 : 0;
      if (steps === 5) abort.abort();
    };
    await expect(undoRun(fixture.store, id, { onPause, signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(Object.keys(await fixture.snapshot())).toHaveLength(15);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual({});
  });
});
