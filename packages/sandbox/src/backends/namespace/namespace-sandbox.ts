/** One sandbox of the namespace backend: the guest inside, and what only the host knows of it: limits, cgroups, the end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, type SandboxId } from '@warren/protocol';
import type {
  Completed,
  Entry,
  ExecOptions,
  Execution,
  FileOptions,
  Gone,
  ReadOptions,
  ResolvedSpec,
  RunOptions,
  Sandbox,
  SandboxStats,
  SignalName,
  WriteOptions,
} from '../../contract.ts';
import type { WayOut } from '../../egress/proxy/relayed-network.ts';
import type { Stop } from '../../guest/exit-of.ts';
import type { Guest } from '../../guest/guest.ts';
import { SIGNALS } from '../../signals.ts';
import { type CgroupCounters, readStats } from './cgroup-plan.ts';
import { watchDisk } from './disk-watch.ts';

/** What a started sandbox is made of. */
export type SandboxParts = {
  readonly id: SandboxId;
  readonly spec: ResolvedSpec;
  readonly guest: Guest;
  readonly counters: CgroupCounters;
  /** With egress. It ends with the connection to the guest. */
  readonly proxy: WayOut | undefined;
  /** Settles when the launcher has said that nothing of it is left. */
  readonly gone: Promise<{ readonly usage: Gone['usage'] }>;
  /** Asks the launcher to end it. */
  readonly destroy: () => void;
};

type Ending = Gone['reason'];

const FREEZE_POLLS_MAX = 500;

export class NamespaceSandbox implements Sandbox {
  readonly id: SandboxId;
  readonly spec: ResolvedSpec;
  readonly gone: Promise<Gone>;
  readonly #parts: SandboxParts;
  readonly #timers: Disposable[] = [];
  #ending: Ending | undefined;
  #isPaused = false;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.spec = parts.spec;
    this.gone = parts.gone.then(({ usage }) => {
      for (const timer of this.#timers) timer[Symbol.dispose]();
      return { reason: this.#ending ?? 'lost', usage };
    });
    this.#startTimers();
  }

  exec(argv: readonly string[], options?: ExecOptions): Execution {
    return this.#parts.guest.exec(argv, options);
  }

  run(argv: readonly string[], options?: RunOptions): Promise<Completed> {
    return this.#parts.guest.run(argv, options);
  }

  readFile(path: string, options?: ReadOptions): AsyncIterable<Uint8Array> {
    return this.#parts.guest.readFile(path, options);
  }

  writeFile(path: string, content: Uint8Array | string | AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<void> {
    return this.#parts.guest.writeFile(path, content, options);
  }

  list(path: string, options?: FileOptions): Promise<readonly Entry[]> {
    return this.#parts.guest.list(path, options);
  }

  stat(path: string, options?: FileOptions & { readonly follow?: boolean }): Promise<Entry> {
    return this.#parts.guest.stat(path, options);
  }

  remove(path: string, options?: FileOptions & { readonly recursive?: boolean }): Promise<void> {
    return this.#parts.guest.remove(path, options);
  }

  mkdir(path: string, options?: FileOptions & { readonly parents?: boolean; readonly mode?: number }): Promise<void> {
    return this.#parts.guest.mkdir(path, options);
  }

  async stats(): Promise<SandboxStats> {
    const { counters, proxy } = this.#parts;
    return { ...readStats(counters), ...(proxy?.traffic !== undefined && { egress: proxy.traffic }) };
  }

  async pause(): Promise<void> {
    await this.#freeze(true);
  }

  async resume(): Promise<void> {
    await this.#freeze(false);
  }

  signal(signal: SignalName): void {
    this.#parts.guest.signal(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end('destroyed', { by: 'destroyed', detail: 'the sandbox was destroyed' });
    await this.gone;
  }

  /** Ends it for this reason; the first one counts. */
  #end(reason: Ending, stop: Stop): void {
    if (this.#ending !== undefined) return;
    this.#ending = reason;
    this.#parts.guest.end(stop);
    this.#parts.destroy();
  }

  #startTimers(): void {
    const { wallMs, diskBytes } = this.spec.limits;
    const { workspace } = this.spec;
    if (wallMs !== null) {
      const timer = setTimeout(
        () => this.#end('deadline', { by: 'deadline', detail: `the sandbox lived longer than its ${wallMs} ms` }),
        wallMs,
      );
      timer.unref(); // The launcher's connection keeps the process alive as long as there is a sandbox.
      this.#timers.push({ [Symbol.dispose]: () => clearTimeout(timer) });
    }
    if (diskBytes !== null && workspace?.kind === 'overlay') {
      const exceed = (bytes: number): void =>
        this.#end('disk', { by: 'disk', detail: `the workspace's layer grew to ${bytes} bytes, the limit is ${diskBytes}` });
      this.#timers.push(watchDisk(`${workspace.layer}/upper`, diskBytes, exceed));
    }
  }

  /** Resolves when the kernel says so. */
  async #freeze(isPaused: boolean): Promise<void> {
    const { freezer } = this.#parts.counters;
    if (this.#ending !== undefined) throw new Fault('sandbox_gone', `Cannot ${isPaused ? 'pause' : 'resume'} the sandbox: it is gone`);
    if (this.#isPaused === isPaused) return;
    if (freezer === undefined) {
      // Without cgroups: pid 1 keeps running, every command stops. A command that starts later is not stopped.
      this.#parts.guest.client.signalEverything(isPaused ? SIGNALS.SIGSTOP : SIGNALS.SIGCONT);
      this.#isPaused = isPaused;
      return;
    }
    const expected = freezer.file.endsWith('freezer.state') ? (isPaused ? 'FROZEN' : 'THAWED') : `frozen ${isPaused ? 1 : 0}`;
    try {
      writeFileSync(freezer.file, isPaused ? freezer.frozen : freezer.thawed);
      this.#isPaused = isPaused;
      for (let poll = 0; poll < FREEZE_POLLS_MAX; poll++) {
        if (readFileSync(freezer.state, 'utf8').includes(expected)) return;
        await sleep(2);
      }
    } catch (cause) {
      // Its cgroup goes away with it, before `gone` may have said so.
      throw new Fault('sandbox_gone', `Cannot ${isPaused ? 'pause' : 'resume'} the sandbox: it is gone`, { cause });
    }
    throw new Fault(
      'internal',
      `Cannot ${isPaused ? 'pause' : 'resume'} the sandbox: the kernel has not confirmed it within ${FREEZE_POLLS_MAX * 2} ms`,
    );
  }
}
