import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import type { HeldRun } from './held-run.ts';
import { RunStore } from './run-store.ts';

const NOTHING = async (paths: readonly string[]): Promise<readonly boolean[]> => paths.map(() => false);

class StoreFixture implements AsyncDisposable {
  readonly store: RunStore;
  readonly directory: string;
  readonly #temporary: TemporaryDirectory;
  nowMs = Date.UTC(2026, 10, 21);

  private constructor(temporary: TemporaryDirectory) {
    this.#temporary = temporary;
    this.directory = temporary.join('project');
    mkdirSync(this.directory);
    this.store = RunStore.open({ stateDirectory: temporary.join('state'), now: () => (this.nowMs += 1_000) });
  }

  static async create(): Promise<StoreFixture> {
    return new StoreFixture(await TemporaryDirectory.create());
  }

  join(...names: readonly string[]): string {
    return this.#temporary.join(...names);
  }

  async open(directory: string = this.directory): Promise<HeldRun> {
    return await this.store.openRun({ command: ['true'], directory, profile: 'moderate' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temporary[Symbol.asyncDispose]();
  }
}

describe('openRun', () => {
  it('records the run, locks it, and makes a layer that looks like the directory', async ({ skip }) => {
    await using fixture = await StoreFixture.create();
    chmodSync(fixture.directory, 0o2750);
    using run = await fixture.open();
    const { layer, upper, work, record } = run.paths;
    expect(statSync(upper).mode & 0o7777).toBe(0o2750);
    expect([statSync(work).mode & 0o777, statSync(layer).mode & 0o777, statSync(record).mode & 0o777]).toEqual([0o700, 0o700, 0o600]);
    expect(fixture.store.getRun(run.record.id)).toMatchObject({
      status: 'open',
      directory: fixture.directory,
      layer: { state: 'pending' },
    });
    expect(() => fixture.store.holdRun(run.record.id)).toThrow(
      expect.objectContaining({ code: 'busy', details: expect.objectContaining({ pid: process.pid }) }),
    );
    skip(process.geteuid?.() !== 0, 'the rest needs root, to give a directory away');
    chownSync(fixture.directory, 1234, 1235);
    using other = await fixture.open();
    expect([statSync(other.paths.upper).uid, statSync(other.paths.upper).gid]).toEqual([1234, 1235]);
  });

  it('takes the canonical directory', async () => {
    await using fixture = await StoreFixture.create();
    symlinkSync('project', fixture.join('link'));
    using run = await fixture.open(`${fixture.join('link')}/../link/.`);
    expect(run.record.directory).toBe(fixture.directory);
  });

  it('refuses a directory that is none, that is gone, that holds the state or is held by it', async () => {
    await using fixture = await StoreFixture.create();
    writeFileSync(fixture.join('file'), '');
    await expect(fixture.open(fixture.join('file'))).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(fixture.open(fixture.join('gone'))).rejects.toMatchObject({ code: 'not_found' });
    await expect(fixture.open(fixture.join('.'))).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('WARREN_STATE'),
    });
    await expect(fixture.open('/')).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(fixture.open(fixture.store.directory)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(readdirSync(fixture.store.directory)).toEqual([]);
  });

  it('clears away what a killed process left in the making, but not what is fresh', async () => {
    await using fixture = await StoreFixture.create();
    fixture.nowMs = Date.now();
    for (const name of ['.new-1', '.gone-2', '.new-3']) mkdirSync(join(fixture.store.directory, name));
    for (const name of ['.new-1', '.gone-2']) utimesSync(join(fixture.store.directory, name), 1, 1);
    using run = await fixture.open();
    expect(readdirSync(fixture.store.directory)).toEqual(['.new-3', run.record.id]);
  });
});

describe('closeRun', () => {
  it('records the end and gives the run free', async () => {
    await using fixture = await StoreFixture.create();
    const run = await fixture.open();
    const usage = { userCpuMs: 1, systemCpuMs: 1, wallMs: 1, memoryBytesMax: 1 };
    await fixture.store.closeRun(run, { exit: { kind: 'exited', code: 3, usage, limitsHit: [] }, probe: NOTHING });
    const record = fixture.store.getRun(run.record.id);
    expect(record).toMatchObject({ status: 'ended', exit: { kind: 'exited', code: 3 }, layer: { state: 'empty', changes: 0 } });
    expect(record.exit).toEqual({ kind: 'exited', code: 3 });
    expect(existsSync(run.paths.layer)).toBe(false);
    using _held = fixture.store.holdRun(record.id);
  });

  it('leaves the seal for later without a probe', async () => {
    await using fixture = await StoreFixture.create();
    const run = await fixture.open();
    await fixture.store.closeRun(run);
    expect(fixture.store.getRun(run.record.id).layer).toEqual({ state: 'pending', isUndoable: false });
  });
});

describe('a run that was left open', () => {
  it('counts as crashed as soon as its process is dead, and is marked so when somebody takes it', async () => {
    await using fixture = await StoreFixture.create();
    const script = `
      import { RunStore } from ${JSON.stringify(join(import.meta.dirname, 'run-store.ts'))};
      const store = RunStore.open({ stateDirectory: ${JSON.stringify(fixture.join('state'))} });
      const run = await store.openRun({ command: ['x'], directory: ${JSON.stringify(fixture.directory)}, profile: 'moderate' });
      process.stdout.write(run.record.id);
      setInterval(() => {}, 60_000);`;
    const child = spawn(process.execPath, ['--conditions=warren-source', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [bytes] = (await once(child.stdout, 'data')) as [Buffer];
    const id = bytes.toString();
    expect(fixture.store.getRun(id).status).toBe('open');
    expect(() => fixture.store.holdRun(id)).toThrow(`process ${child.pid} is using it`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(fixture.store.getRun(id).status).toBe('crashed');
    expect(fixture.store.listRuns().runs[0]?.status).toBe('crashed');
    fixture.store.holdRun(id)[Symbol.dispose]();
    expect(JSON.parse(readFileSync(join(fixture.store.directory, id, 'run.json'), 'utf8')).status).toBe('crashed');
  });
});

describe('getRun', () => {
  it('takes a prefix that only one run has, in any case', async () => {
    await using fixture = await StoreFixture.create();
    using first = await fixture.open();
    fixture.nowMs += 40_000;
    using second = await fixture.open();
    const { id } = second.record;
    const common = [...id].findIndex((character, index) => character !== first.record.id[index]);
    expect(fixture.store.getRun(id.slice(0, common + 1).toUpperCase()).id).toBe(id);
    expect(() => fixture.store.getRun(id.slice(0, common))).toThrow(
      expect.objectContaining({ code: 'invalid_argument', details: { candidates: [first.record.id, id] } }),
    );
  });

  it.each(['', 'zzzz', '../..', 'a/b', '%', '0123456789abc'])('does not find %j', async (prefix) => {
    await using fixture = await StoreFixture.create();
    using _run = await fixture.open();
    expect(() => fixture.store.getRun(prefix)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

describe('listRuns', () => {
  it('lists the newest first, and names damaged records without stopping', async () => {
    await using fixture = await StoreFixture.create();
    using first = await fixture.open();
    using second = await fixture.open();
    using third = await fixture.open();
    writeFileSync(second.paths.record, '{"version":1}');
    const { runs, damaged } = fixture.store.listRuns();
    expect(runs.map((run) => run.id)).toEqual([third.record.id, first.record.id]);
    expect(damaged).toEqual([
      { id: second.record.id, fault: expect.objectContaining({ code: 'internal', message: expect.stringContaining(second.paths.record) }) },
    ]);
    expect(() => fixture.store.getRun(second.record.id)).toThrow(second.paths.record);
    rmSync(second.paths.record);
    expect(fixture.store.listRuns().damaged).toHaveLength(1);
  });

  it('does not believe a record that was put under another id', async () => {
    await using fixture = await StoreFixture.create();
    using first = await fixture.open();
    using second = await fixture.open();
    writeFileSync(second.paths.record, readFileSync(first.paths.record));
    expect(fixture.store.listRuns().damaged.map(({ id }) => id)).toEqual([second.record.id]);
  });
});

describe('findLatestRun', () => {
  it('finds the newest of all, or of a directory or one above it', async () => {
    await using fixture = await StoreFixture.create();
    mkdirSync(fixture.join('other'));
    mkdirSync(join(fixture.directory, 'sub'));
    expect(fixture.store.findLatestRun()).toBeUndefined();
    using mine = await fixture.open();
    using other = await fixture.open(fixture.join('other'));
    expect(fixture.store.findLatestRun()?.id).toBe(other.record.id);
    expect(fixture.store.findLatestRun(join(fixture.directory, 'sub'))?.id).toBe(mine.record.id);
    expect(fixture.store.findLatestRun(fixture.join('state'))).toBeUndefined();
  });
});

describe('removeRun', () => {
  it('forgets a run, also a damaged one, but none that is in use', async () => {
    await using fixture = await StoreFixture.create();
    const run = await fixture.open();
    await expect(fixture.store.removeRun(run.record.id)).rejects.toMatchObject({ code: 'busy' });
    run[Symbol.dispose]();
    writeFileSync(run.paths.record, 'rubbish');
    await fixture.store.removeRun(run.record.id);
    expect(readdirSync(fixture.store.directory)).toEqual([]);
    await expect(fixture.store.removeRun(run.record.id)).rejects.toMatchObject({ code: 'not_found' });
  });
});
