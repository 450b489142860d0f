/** A daemon of a test's own, ended by its number when the test ends, however it ends. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finish, type Options, type Result, type User } from './warren.ts';

export type ServeDocument = {
  readonly pid: number;
  readonly version: string;
  readonly state: string;
  readonly addresses: readonly string[];
};

export class TestDaemon implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly document: ServeDocument;
  /** How it ended. */
  readonly ended: Promise<Result>;

  private constructor(child: ChildProcessWithoutNullStreams, document: ServeDocument, ended: Promise<Result>) {
    this.child = child;
    this.document = document;
    this.ended = ended;
  }

  /** Starts it on any free port and waits until it says where it listens. */
  static async start(user: User, args: readonly string[] = ['--listen', 'tcp:127.0.0.1:0'], options: Options = {}): Promise<TestDaemon> {
    const child = user.start(['serve', '--json', ...args], options);
    const said = Promise.withResolvers<ServeDocument>();
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('}\n')) said.resolve(JSON.parse(text) as ServeDocument);
    });
    const ended = finish(child);
    void ended.then(({ code, stdout, stderr }) => said.reject(new Error(`serve ended with ${code}: ${stdout}${stderr}`)));
    try {
      return new TestDaemon(child, await said.promise, ended);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get url(): string {
    const tcp = this.document.addresses.find((address) => address.startsWith('tcp:'));
    return `http://${tcp?.slice('tcp:'.length)}`;
  }

  async kill(signal: NodeJS.Signals): Promise<Result> {
    process.kill(this.document.pid, signal);
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Ends a daemon in the background that a test left behind: only if it is the one of this state directory. */
export function leaveNoDaemon({ state }: User): Disposable {
  return {
    [Symbol.dispose]() {
      const file = join(state, 'daemon.json');
      if (!existsSync(file)) return;
      const { pid } = JSON.parse(readFileSync(file, 'utf8')) as ServeDocument; // Written by the program under test.
      if (runs(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(state)) process.kill(pid, 'SIGKILL');
    },
  };
}

/** For a process that is not our child: whether it still runs. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // Gone.
  }
}
