/** The shipped daemon as a process of its own, on a state directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processorMs } from './processes.ts';
import { RpcConnection } from './rpc-connection.ts';

const WARREN = resolve(import.meta.dirname, '../../packages/cli/bin/warren.cjs');
const START_MS_MAX = 30_000;

export type BenchAgent = { readonly pid: number; readonly token: string };

export class Daemon implements AsyncDisposable {
  readonly pid: number;
  readonly rpc: RpcConnection;
  /** From spawn to the first answer over the unix socket. */
  readonly startMs: number;
  /** Of all its threads until then. */
  readonly startProcessorMs: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, rpc: RpcConnection, startMs: number) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    this.rpc = rpc;
    this.startMs = startMs;
    this.startProcessorMs = this.processorMs();
  }

  static async start(state: string): Promise<Daemon> {
    const env = shippedEnvironment();
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

  /** An agent that may make as many calls as it likes: one process, and its token. */
  async startAgent(agent: string): Promise<BenchAgent> {
    const grants = { tool_grants: ['*'], fs_grants: [{ prefix: '/workspace', mode: 'rw' }], budgets: { tool_calls: 1_000_000_000 } };
    const { pid } = (await this.rpc.call('agent.start', { agent, ...grants })) as { readonly pid: number }; // By its contract.
    const { token } = (await this.rpc.call('token.create', { workspace: 'default', pid })) as { readonly token: string }; // As above.
    return { pid, token };
  }

  async port(): Promise<number> {
    const { addresses } = (await this.rpc.call('daemon.status', {})) as { readonly addresses: readonly string[] }; // By its contract.
    return Number(/^tcp:.*:(\d+)$/.exec(addresses.find((address) => address.startsWith('tcp:')) ?? '')?.[1]);
  }

  /** Of all its threads until now, in milliseconds. */
  processorMs(): number {
    return processorMs(this.pid);
  }

  /** Resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.rpc.close();
    this.#process.kill(signal);
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM');
  }
}

/** Without what alone costs each start 40 ms and more. */
export function shippedEnvironment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, NODE_COMPILE_CACHE: ___, ...env } = process.env;
  return env;
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
