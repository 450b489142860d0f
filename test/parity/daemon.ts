/** The real daemon in this process: a kernel on a real store in a directory of its own, served on a unix socket and a port. The tests own its time. */
import { join } from 'node:path';
import { type Served, type ServeOptions, serve } from '@warren/gateway';
import { type Kernel, type KernelOptions, openKernel } from '@warren/kernel';
import { createClock } from '@warren/kernel/testing';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll } from 'vitest';
import { Client } from './client.ts';

/** When every daemon of these tests starts: seconds since 1970. */
export const START = 1_800_000_000;
export const VERSION = '1.2.3';

export type DaemonOptions = Partial<KernelOptions> & { readonly limits?: ServeOptions['limits'] };

export class Daemon implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  #options: DaemonOptions;
  #running: { readonly kernel: Kernel; readonly served: Served } | undefined;
  #ms = START * 1_000;
  #workspaces = 0;

  private constructor(directory: TemporaryDirectory, options: DaemonOptions) {
    this.directory = directory;
    this.#options = options;
  }

  static async start(options: DaemonOptions = {}): Promise<Daemon> {
    const daemon = new Daemon(await TemporaryDirectory.create(), options);
    await daemon.#open();
    return daemon;
  }

  get kernel(): Kernel {
    return this.#started.kernel;
  }

  get socketPath(): string {
    return this.directory.join('run', 'warren.sock');
  }

  get port(): number {
    return Number(/:(\d+)$/.exec(this.#started.served.addresses.at(-1) ?? '')?.[1]);
  }

  /** Seconds since 1970. */
  get now(): number {
    return this.#ms / 1_000;
  }

  /** Lets time pass, and what it asks for happen. */
  async pass(seconds: number): Promise<void> {
    this.#ms += seconds * 1_000;
    await this.kernel.scheduler.tick();
  }

  /** The default workspace, which is all that clients of an earlier system know. */
  get client(): Client {
    return new Client(this.socketPath, DEFAULT_WORKSPACE);
  }

  /** A new workspace: a store of its own as far as a client can see. */
  async workspace(): Promise<Client> {
    this.#workspaces++;
    const workspace = `w${this.#workspaces}`;
    await this.client.call('workspace.create', { workspace });
    return new Client(this.socketPath, workspace);
  }

  /** As after a crash or an update: what was on disk is all there is. */
  async restart(options: DaemonOptions = {}): Promise<void> {
    await this.#close();
    this.#options = { ...this.#options, ...options };
    await this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.directory[Symbol.asyncDispose]();
  }

  get #started(): { readonly kernel: Kernel; readonly served: Served } {
    if (this.#running === undefined) throw new Error('The daemon does not run');
    return this.#running;
  }

  async #open(): Promise<void> {
    const { limits, ...options } = this.#options;
    const clock = createClock({ wall: () => this.#ms, monotonic: () => this.#ms });
    const kernel = await openKernel({ directory: join(this.directory.path, 'state'), clock, ...options });
    const served = await serve({
      kernel,
      version: VERSION,
      limits,
      listen: [
        { kind: 'unix', path: this.socketPath },
        { kind: 'tcp', host: '127.0.0.1', port: 0 },
      ],
    });
    this.#running = { kernel, served };
  }

  async #close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.served.close();
    await running?.kernel.close();
  }
}

/** One for all tests of a file; each takes a workspace of its own. */
export function shareDaemon(
  options: DaemonOptions = {},
): Pick<Daemon, 'workspace' | 'pass' | 'kernel' | 'now' | 'port' | 'socketPath' | 'directory'> {
  let daemon: Daemon | undefined;
  beforeAll(async () => {
    daemon = await Daemon.start(options);
  });
  afterAll(() => daemon?.[Symbol.asyncDispose]());
  const running = (): Daemon => {
    if (daemon === undefined) throw new Error('The daemon does not run yet');
    return daemon;
  };
  return {
    workspace: () => running().workspace(),
    pass: (seconds) => running().pass(seconds),
    get kernel() {
      return running().kernel;
    },
    get now() {
      return running().now;
    },
    get port() {
      return running().port;
    },
    get socketPath() {
      return running().socketPath;
    },
    get directory() {
      return running().directory;
    },
  };
}
