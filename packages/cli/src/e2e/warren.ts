/** Starts the shipped command line as a user would: real processes, real walls. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';

const cli = resolve(import.meta.dirname, '../..');
const root = resolve(cli, '../..');

/** What is started: the sources, as developers do, or the bundle behind bin/warren.cjs, as users do. `WARREN_E2E=bundle` chooses. */
export const MODE: 'source' | 'bundle' = process.env['WARREN_E2E'] === 'bundle' ? 'bundle' : 'source';

const SOURCE: readonly string[] = [process.execPath, '--conditions=warren-source', join(cli, 'src/main.ts')];
const BUNDLE: readonly string[] = [process.execPath, join(cli, 'bin/warren.cjs')];

export const WARREN: readonly string[] = MODE === 'bundle' ? BUNDLE : SOURCE;

/** What is shipped, for tests that start it very often; `WARREN_E2E=source` starts the sources all the same. */
export const SHIPPED: readonly string[] = process.env['WARREN_E2E'] === 'source' ? SOURCE : BUNDLE;

/** For tests that start it many times: on a busy machine each start takes its second. */
export const PATIENCE_MS = 90_000;

export type Result = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
};

export type Options = {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another user, who only root can become. */
  readonly user?: { readonly uid: number; readonly gid: number };
};

/** A user of a machine of their own: a directory to work in and a state directory, both gone afterwards. */
export class User implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  /** Where they work. */
  readonly home: string;
  readonly state: string;
  readonly #program: readonly string[];

  private constructor(directory: TemporaryDirectory, program: readonly string[]) {
    this.#directory = directory;
    this.#program = program;
    this.home = directory.join('home');
    this.state = directory.join('state');
  }

  static async create(program: readonly string[] = WARREN): Promise<User> {
    const directory = await TemporaryDirectory.create();
    const { mkdir } = await import('node:fs/promises');
    await mkdir(directory.join('home'));
    return new User(directory, program);
  }

  env(): Record<string, string> {
    const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env;
    return { PATH, HOME, LANG, TERM: 'xterm', WARREN_STATE: this.state, NODE_COMPILE_CACHE: join(root, 'build/compile-cache') };
  }

  /** Starts and does not wait: for tests that talk to it. */
  start(args: readonly string[], options: Options = {}): ChildProcessWithoutNullStreams {
    const [node = '', ...rest] = this.#program;
    return spawn(node, [...rest, ...args], {
      cwd: options.cwd ?? this.home,
      env: { ...this.env(), ...options.env },
      stdio: 'pipe',
      ...options.user,
    });
  }

  /** Runs to the end. */
  async warren(args: readonly string[], options: Options = {}): Promise<Result> {
    const child = this.start(args, options);
    child.stdin.on('error', () => {}); // It may end before it has read everything.
    child.stdin.end(options.input ?? '');
    return await finish(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

export async function finish(child: ChildProcessWithoutNullStreams): Promise<Result> {
  const ended = new Promise<Pick<Result, 'code' | 'signal'>>((done) => child.on('close', (code, signal) => done({ code, signal })));
  const [bytes, stderr] = await Promise.all([collect(child.stdout), collect(child.stderr)]);
  return { ...(await ended), stdout: bytes.toString(), stderr: stderr.toString(), bytes };
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Resolves when the process has printed this; rejects when it ends before. Leaves the rest of the output alone. */
export function printed(child: ChildProcessWithoutNullStreams, text: string): Promise<void> {
  return new Promise((done, reject) => {
    let seen = '';
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString();
      if (!seen.includes(text)) return;
      child.stdout.off('data', onData);
      done();
    };
    child.stdout.on('data', onData);
    child.on('close', () => reject(new Error(`It ended and never printed "${text}": ${seen}`)));
  });
}
