/**
 * `kill -9` at any moment: of the host, of its launcher, of both at once, of a pid 1, while sandboxes start, run and end. Nothing stays on the machine, and
 * who lives goes on. `WARREN_CRASH_SEED` repeats a run, `WARREN_CRASH_ROUNDS` makes it longer.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { descendants, footprint, leftBehind, markOfHost } from '../../packages/sandbox/src/backends/namespace/test-support/footprint.ts';
import { randomFrom } from './random.ts';

const SEED = Number(process.env['WARREN_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const ROUNDS = Number(process.env['WARREN_CRASH_ROUNDS'] ?? 40);
const AT_ONCE = 3;
const MOMENT_MS = 80;
const VICTIMS = ['host', 'launcher', 'host and launcher', 'launcher and host', 'pid 1', 'several pids 1'] as const;

/** A host under load, in a directory of its own. */
class Host implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly mark: string;
  readonly #directory: TemporaryDirectory;
  readonly #before: readonly string[];

  private constructor(directory: TemporaryDirectory, seed: number, args: readonly string[]) {
    this.#directory = directory;
    this.mark = `crash-${process.pid}-${seed}`;
    this.process = fork(join(import.meta.dirname, 'host.ts'), [directory.path, this.mark, `${seed}`, ...args], {
      execArgv: ['--conditions=warren-source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#before = footprint([markOfHost(this.pid)]); // It has only just begun to load.
  }

  static async start(seed: number, ...args: readonly string[]): Promise<Host> {
    const host = new Host(await TemporaryDirectory.create(), seed, args);
    expect(await host.#answer()).toBe('ready');
    return host;
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Pids of its descendants with this name. */
  find(name: string): readonly number[] {
    return descendants(this.pid).flatMap((line) => (line.split(' ')[1] === name ? [Number(line.split(' ')[0])] : []));
  }

  get launcher(): number {
    const found = this.find('warren-launcher').find((pid) => parentOf(pid) === this.pid);
    if (found === undefined) throw new Error('The host has no launcher');
    return found;
  }

  /** Resolves when commands run in several of its sandboxes. */
  async isBusy(): Promise<void> {
    while (this.find('sleep').length < 3) await sleep(1);
  }

  async ask(question: 'probe' | 'stop'): Promise<void> {
    this.process.send(question);
    expect(await this.#answer()).toBe(`${question}: done`);
  }

  /** Everything of it that is still on the machine, when it has had time to go away. */
  async left(launcher: number): Promise<readonly string[]> {
    const files = readdirSync(this.#directory.path, { recursive: true, encoding: 'utf8' }).filter((path) => /(^|\/)\.warren/.test(path));
    return [
      ...(await leftBehind([markOfHost(this.pid), this.mark, `@warren-launcher-${launcher}-`, this.#directory.path], this.#before)),
      ...files,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const exited = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await exited;
    }
    await this.#directory[Symbol.asyncDispose]();
  }

  async #answer(): Promise<unknown> {
    const ended = new AbortController();
    const onEnd = (): void => ended.abort(new Error(`The host ended: ${this.process.signalCode ?? this.process.exitCode}`));
    this.process.once('disconnect', onEnd); // Its last word may be read after its exit, and before this.
    try {
      const [message] = (await once(this.process, 'message', { signal: ended.signal })) as [unknown];
      return message;
    } catch (error) {
      throw ended.signal.aborted ? ended.signal.reason : error;
    } finally {
      this.process.removeListener('disconnect', onEnd);
    }
  }
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined; // It has gone meanwhile.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was just ending by itself.
  }
}

async function round(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const victim = VICTIMS[random(VICTIMS.length)];
  await using host = await Host.start(seed);
  const { launcher } = host;
  await sleep(random(MOMENT_MS)); // Any moment will do.
  const exited = once(host.process, 'exit');
  const first = host.find('warren-init');
  expect(footprint([markOfHost(host.pid)]).length).toBeGreaterThan(3); // What is not to be found later can be found now.
  if (victim === 'host') kill(host.pid);
  if (victim === 'launcher') kill(launcher);
  if (victim === 'host and launcher') for (const pid of [host.pid, launcher]) kill(pid);
  if (victim === 'launcher and host') for (const pid of [launcher, host.pid]) kill(pid);
  if (victim === 'pid 1') for (const pid of first.slice(0, 1)) kill(pid);
  if (victim === 'several pids 1') for (const pid of first) kill(pid);
  if (victim?.includes('host') !== true) {
    await host.ask('probe');
    await host.ask('stop');
  }
  await exited;
  expect([seed, victim, await host.left(launcher)]).toEqual([seed, victim, []]);
}

describe('a kill at any moment', () => {
  it(`leaves nothing, ${ROUNDS} times (seed ${SEED})`, { timeout: 300_000 }, async () => {
    for (let first = 0; first < ROUNDS; first += AT_ONCE) {
      const rounds = Array.from({ length: Math.min(AT_ONCE, ROUNDS - first) }, (_, index) => round(SEED + first + index));
      for (const result of await Promise.allSettled(rounds)) if (result.status === 'rejected') throw result.reason;
    }
  });

  it('of the launcher, again and again, is survived by the host', { timeout: 120_000 }, async () => {
    await using host = await Host.start(SEED);
    const killed: number[] = [];
    for (let time = 0; time < 5; time++) {
      await host.isBusy();
      const { launcher } = host;
      killed.push(launcher);
      kill(launcher);
      await host.ask('probe');
    }
    expect(new Set(killed).size).toBe(5);
    const exited = once(host.process, 'exit');
    await host.ask('stop');
    expect(await exited).toEqual([0, null]);
    for (const launcher of killed) expect(await host.left(launcher)).toEqual([]);
  });
});

describe('a host that is stopped', () => {
  it('goes on where it was when it is continued, and keeps nobody else waiting', { timeout: 120_000 }, async () => {
    await using host = await Host.start(SEED);
    await using other = await Host.start(SEED + 1);
    for (let time = 0; time < 3; time++) {
      await host.isBusy();
      process.kill(host.pid, 'SIGSTOP');
      await other.ask('probe');
      await other.ask('probe');
      process.kill(host.pid, 'SIGCONT');
      await host.ask('probe');
    }
    for (const one of [host, other]) {
      const { launcher } = one;
      const exited = once(one.process, 'exit');
      await one.ask('stop');
      expect(await exited).toEqual([0, null]);
      expect(await one.left(launcher)).toEqual([]);
    }
  });

  it('cannot keep the sandboxes of a dead launcher alive, with no cgroups to end them by either', { timeout: 120_000 }, async () => {
    await using host = await Host.start(SEED, 'none');
    const { launcher } = host;
    await host.isBusy();
    process.kill(host.pid, 'SIGSTOP'); // It holds its end of every connection.
    const itself = footprint([host.mark]).filter((line) => line.startsWith(`process ${host.pid} `));
    expect(footprint([host.mark]).length).toBeGreaterThan(itself.length);
    kill(launcher);
    expect(await leftBehind([host.mark], itself)).toEqual([]);
    expect(descendants(host.pid).filter((line) => !line.startsWith(`${launcher} `))).toEqual([]);
    process.kill(host.pid, 'SIGCONT');
    await host.ask('probe');
  });

  it('leaves nothing when it is killed instead', { timeout: 120_000 }, async () => {
    await using host = await Host.start(SEED);
    const { launcher } = host;
    await host.isBusy();
    process.kill(host.pid, 'SIGSTOP');
    process.kill(launcher, 'SIGSTOP');
    const exited = once(host.process, 'exit');
    kill(host.pid);
    await exited;
    process.kill(launcher, 'SIGCONT');
    expect(await host.left(launcher)).toEqual([]);
  });
});
