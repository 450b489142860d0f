/** A comparator that serves, in a process of its own: it says its port on standard output, and ends with its input. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { processorMs } from './processes.ts';

export class ComparatorProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
  }

  /** `file`: in `comparators`. */
  static async start(file: string): Promise<ComparatorProcess> {
    const path = resolve(import.meta.dirname, '../comparators', file);
    const child = spawn(process.execPath, ['--conditions=warren-source', path], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [said] = (await Promise.race([once(child.stdout, 'data'), ended(child, file)])) as [Buffer]; // What a stream of bytes gives.
    return new ComparatorProcess(child, Number(said.toString()));
  }

  /** Of all its threads until now. */
  processorMs(): number {
    return processorMs(this.#process.pid ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM');
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }
}

async function ended(child: ChildProcess, file: string): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`The comparator ${file} ended with ${code} before it said its port`);
}
