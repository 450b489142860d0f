/** The shipped daemon, started and killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '@warren/client';

const WARREN = resolve(import.meta.dirname, '../../packages/cli/bin/warren.cjs');
const START_MS_MAX = 30_000;
const SAID_MAX = 4_000;

export class Daemon {
  readonly client: Client;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  /** The end of its log, for when it does not start. */
  #said = '';

  private constructor(child: ChildProcess, client: Client) {
    this.#process = child;
    this.client = client;
    this.#exit = once(child, 'exit');
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = `${this.#said}${chunk}`.slice(-SAID_MAX);
    });
  }

  /** Resolves when it answers. */
  static async start(state: string): Promise<Daemon> {
    const socketPath = join(state, 'warren.sock');
    const child = spawn(process.execPath, [WARREN, 'serve', '--state', state, '--listen', `unix:${socketPath}`, '--no-tcp', '--json'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const daemon = new Daemon(child, connect({ socketPath, attemptsMax: 1 }));
    try {
      await daemon.#answers();
      return daemon;
    } catch (error) {
      await daemon.kill();
      throw error;
    }
  }

  /** As the kernel's own out-of-memory killer would. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
    await this.client.close();
  }

  async #answers(): Promise<void> {
    const until = performance.now() + START_MS_MAX;
    for (;;) {
      if (this.#process.exitCode !== null)
        throw new Error(`The daemon ended with ${this.#process.exitCode} instead of listening: ${this.#said}`);
      try {
        await this.client.call('kernel.info', {});
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await sleep(10); // There is nothing to wait on before it listens.
      }
    }
  }
}
