/**
 * Threads for work on hostile text: regular expressions, comparisons and parsers run where they can be ended, so none of them holds up the daemon. A thread that was
 * ended for its time, its memory or a caller who gave up is not used again.
 */
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Fault } from '@warren/protocol';
import { CapabilityError } from '../../capability/handler.ts';
import { assetDirectory } from '../../internal/asset-directory.ts';
import type { WorkerAnswer, WorkerTaskName, WorkerTasks } from './worker-task.ts';

export const WORKER_LIMITS = {
  /** Threads at once. */
  threadsMax: 2,
  /** Questions that wait for a thread; one more is refused as `busy`. */
  waitingMax: 256,
  /** For one question, unless it says less. */
  deadlineMs: 10_000,
  heapMegabytesMax: 512,
} as const;
export type WorkerLimits = { readonly [Key in keyof typeof WORKER_LIMITS]: number };

export type AskOptions = { readonly signal: AbortSignal; readonly deadlineMs?: number | undefined };

export class Workers implements AsyncDisposable {
  readonly #limits: WorkerLimits;
  readonly #file: URL;
  readonly #idle: Worker[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #all = new Set<Worker>();
  #busy = 0;
  #isClosed = false;

  /** `file` is the program of a thread. */
  constructor(options: { readonly limits?: Partial<WorkerLimits> | undefined; readonly file?: URL | undefined } = {}) {
    this.#limits = { ...WORKER_LIMITS, ...options.limits };
    this.#file = options.file ?? findProgram();
  }

  /** Throws what the task refuses, `Timeout`, `ResourceExhausted`, the fault `busy`, and what `signal` was fired with. */
  async ask<Name extends WorkerTaskName>(
    task: Name,
    input: WorkerTasks[Name]['input'],
    { signal, deadlineMs }: AskOptions,
  ): Promise<WorkerTasks[Name]['output']> {
    await this.#takeTurn(signal);
    const worker = this.#idle.pop() ?? this.#open();
    try {
      const answer = await this.#exchange(
        worker,
        { task, input },
        signal,
        Math.min(deadlineMs ?? this.#limits.deadlineMs, this.#limits.deadlineMs),
      );
      if (this.#isClosed) await this.#end(worker);
      else this.#idle.push(worker);
      if (answer.kind === 'refused') throw new CapabilityError(answer.type, answer.message);
      if (answer.kind === 'failed') throw new Error(`the task ${task} failed in its thread: ${answer.message}`);
      return answer.output as WorkerTasks[Name]['output']; // The thread's table answers by name.
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#all].map((worker) => this.#end(worker)));
  }

  async #takeTurn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.length >= this.#limits.waitingMax) {
      throw new Fault(
        'busy',
        `Cannot start the work: ${this.#waiting.length} calls wait for a thread, the limit is ${this.#limits.waitingMax}`,
      );
    }
    while (this.#busy >= this.#limits.threadsMax) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(resolve);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal.reason);
      };
      this.#waiting.push(resolve);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    }
    if (this.#isClosed) throw new Fault('unavailable', 'Cannot start the work: the platform closes');
    this.#busy++;
  }

  async #exchange(worker: Worker, question: unknown, signal: AbortSignal, deadlineMs: number): Promise<WorkerAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WorkerAnswer>();
    const onAbort = (): void => reject(signal.reason);
    const onExit = (): void => reject(new Fault('unavailable', 'Cannot finish the work: its thread was ended'));
    const onError = (error: Error & { code?: unknown }): void => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      reject(
        isMemory ? new CapabilityError('ResourceExhausted', 'Cannot finish the work: it needs more memory than there is for it') : error,
      );
    };
    const onTime = (): void => reject(new CapabilityError('Timeout', `Cannot finish the work within ${deadlineMs} ms`));
    const timer = setTimeout(onTime, deadlineMs);
    worker.once('message', resolve).once('error', onError).once('exit', onExit);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.ref();
    try {
      signal.throwIfAborted();
      worker.postMessage(question);
      return await promise;
    } catch (error) {
      await this.#end(worker);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      worker.off('message', resolve).off('error', onError).off('exit', onExit);
      worker.unref();
    }
  }

  #open(): Worker {
    const worker = new Worker(this.#file, {
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMegabytesMax },
      stdin: false,
      env: {},
    });
    this.#all.add(worker);
    worker.on('error', () => {}); // Whoever asked is told; without a listener it would end the daemon.
    worker.once('exit', () => this.#forget(worker));
    return worker;
  }

  async #end(worker: Worker): Promise<void> {
    this.#forget(worker);
    await worker.terminate();
  }

  #forget(worker: Worker): void {
    this.#all.delete(worker);
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}

/** Beside this file in the package; in a bundle, whose files have other names, among what ships with it. */
function findProgram(): URL {
  const beside = new URL(`./worker-main${extname(import.meta.url)}`, import.meta.url);
  return existsSync(beside) ? beside : pathToFileURL(join(assetDirectory('threads'), 'worker-main.cjs'));
}
