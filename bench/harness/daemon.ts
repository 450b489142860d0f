/** The shipped daemon as a process of its own, on a state directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RpcConnection } from './rpc-connection.ts';

const WARREN = resolve(import.meta.dirname, '../../packages/cli/bin/warren.cjs');
const START_MS_MAX = 30_000;
/** Of the kernel's clock in /proc. */
const TICKS_PER_SECOND = 100;

export class Daemon implements AsyncDisposable {
  readonly pid: number;
  readonly rpc: RpcConnection;
  /** From spawn to the first answer over the unix socket. */
  readonly startMs: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, rpc: RpcConnection, startMs: number) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    this.rpc = rpc;
    this.startMs = startMs;
  }

  static async start(state: string): Promise<Daemon> {
    const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, NODE_COMPILE_CACHE: ___, ...env } = process.env;
    const startedAt = performance.now();
    const child = spawn(process.execPath, [WARREN, 'serve', '--listen', 'tcp:127.0.0.1:0', '--state', state], { stdio: 'ignore', env });
    try {
      const rpc = await untilItAnswers(join(state, 'warren.sock'), () => child.exitCode !== null);
      return new Daemon(child, rpc, performance.now() - startedAt);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async port(): Promise<number> {
    const { addresses } = (await this.rpc.call('daemon.status', {})) as { readonly addresses: readonly string[] }; // By its contract.
    return Number(/^tcp:.*:(\d+)$/.exec(addresses.find((address) => address.startsWith('tcp:')) ?? '')?.[1]);
  }

  /** Of all its threads until now, in milliseconds. */
  processorMs(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND; // utime and stime, see proc_pid_stat(5).
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.rpc.close();
    this.#process.kill('SIGTERM');
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }
}

/** A connection to a daemon once it listens; throws when it ended or takes too long. */
export async function untilItAnswers(socketPath: string, hasEnded: () => boolean = () => false): Promise<RpcConnection> {
  for (const until = performance.now() + START_MS_MAX; ; ) {
    const connection = new RpcConnection(socketPath);
    try {
      await connection.call('kernel.info', {});
      return connection;
    } catch (error) {
      connection.close();
      if (performance.now() > until || hasEnded()) throw error;
      await sleep(2); // There is nothing to wait on before it listens.
    }
  }
}
