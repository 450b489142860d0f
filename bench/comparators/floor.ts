/** The bare clone3 floor: a small static C program that takes turns when told to, so that Node has no part in what is measured. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { TemporaryDirectory } from '@warren/testkit';
import { outputOf, runProgram } from '../harness/run-program.ts';
import { find, type Missing, missing } from './find-command.ts';

/** The compiled program. Its directory goes with it. */
export class FloorProgram implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  /** With musl where there is one, as the launcher is: the smaller the parent, the cheaper the clone. */
  static async compile(): Promise<FloorProgram | Missing> {
    const compiler = find('musl-gcc') ?? find('gcc') ?? find('cc');
    if (compiler === undefined) return missing('no C compiler: apt-get install -y gcc libc6-dev musl-tools');
    const directory = await TemporaryDirectory.create();
    try {
      // musl brings no kernel headers. The host's come last, so that only what musl lacks is taken from them.
      const headers = ['/usr/include', `/usr/include/${outputOf('gcc', ['-dumpmachine']) ?? ''}`].flatMap((path) => ['-idirafter', path]);
      const flags = ['-std=gnu11', '-Os', '-s', '-static', '-Wall', '-Wextra', ...(compiler.endsWith('musl-gcc') ? headers : [])];
      runProgram(compiler, [...flags, join(import.meta.dirname, '../floor.c'), '-o', directory.join('floor')]);
      return new FloorProgram(directory);
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      throw error;
    }
  }

  start(): Floor {
    return new Floor(this.#directory.join('floor'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** One running floor program: one turn at a time. */
export class Floor implements AsyncDisposable {
  readonly name = 'floor';
  readonly #process: ChildProcess;
  readonly #stdin: Writable;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;

  constructor(path: string) {
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process = child;
    this.#stdin = child.stdin;
    this.#stdin.on('error', () => {}); // It ended; the missing answer says so.
    this.#lines = createInterface({ input: child.stdout satisfies Readable })[Symbol.asyncIterator]();
    this.#ended = once(child, 'close');
    this.#ended.catch(() => {}); // A program that does not start gives no answer either.
  }

  /** Milliseconds of one namespace-clone, map, exec and wait, measured in C. */
  async turn(): Promise<number> {
    this.#stdin.write('\n');
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('floor ended early; what it said is above');
    return Number(value) / 1e6;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stdin.end();
    this.#process.kill();
    await this.#ended.catch(() => {}); // It never started: nothing to wait for.
  }
}
