/** Test support: processes of the fake guest: scripted ones, and real ones of the host through a `spawn` that the test hands in. */
import { PassThrough, Readable, type Writable } from 'node:stream';
import { type FakeRequest, flagValue } from './fake-request.ts';

export type FakeEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly leftovers?: number }
  | { readonly kind: 'signalled'; readonly signal: number; readonly leftovers?: number }
  | { readonly kind: 'failed'; readonly stage: string; readonly call: string; readonly path: string; readonly errno: number };

export interface FakeProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Undefined: it did not start, and `end` says why. */
  readonly pid: Promise<number | undefined>;
  readonly end: Promise<FakeEnd>;
  kill(signal: number, scope: number): void;
}

/** As much of `child_process.spawn` as is needed: this folder starts no processes itself. */
export type Spawn = (
  command: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string>; detached: boolean; stdio: ['pipe', 'pipe', 'pipe'] },
) => Spawned;
export interface Spawned {
  readonly pid?: number | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  on(event: 'spawn', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error & { errno?: number }) => void): unknown;
  on(event: 'exit', listener: (code: number | null, signal: string | null) => void): unknown;
}

const ENOENT = 2;
const PRLIMIT: Readonly<Record<string, string>> = { cpu: '--cpu', fsize: '--fsize', nofile: '--nofile', as: '--as' };

/** Runs a command as a process of the host, without walls: only for commands a test knows to be harmless. */
export function hostProcess(spawn: Spawn, signals: Readonly<Record<string, number>>, request: FakeRequest): FakeProcess {
  const cwd = flagValue(request, '--cwd') ?? '/';
  const limits = (request.flags.get('--rlimit') ?? []).map(([name = '', soft, hard]) => `${PRLIMIT[name]}=${soft}:${hard}`);
  const [command = '', ...args] = limits.length > 0 ? ['prlimit', ...limits, ...request.argv] : request.argv;
  const env: Record<string, string> = {};
  for (const [entry = ''] of request.flags.get('--env') ?? [])
    env[entry.slice(0, entry.indexOf('='))] = entry.slice(entry.indexOf('=') + 1);
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const pid = Promise.withResolvers<number | undefined>();
  const end = Promise.withResolvers<FakeEnd>();
  child.stdin.on('error', () => {}); // It has stopped reading, which is its right.
  child.on('spawn', () => pid.resolve(child.pid));
  child.on('error', (error) => {
    pid.resolve(undefined);
    end.resolve({ kind: 'failed', stage: 'exec', call: 'execve', path: command, errno: -(error.errno ?? -ENOENT) });
  });
  child.on('exit', (code, signal) => {
    end.resolve(signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'signalled', signal: signals[signal] ?? 0 });
  });
  const kill = (signal: number, scope: number): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(scope === 0 ? child.pid : -child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, pid: pid.promise, end: end.promise, kill };
}

/** A process that says what it is told to, reads nothing, and ends when it has said it, or at a deadly signal. */
export function scriptedProcess(stdout: Iterable<Buffer> | AsyncIterable<Buffer>, end: FakeEnd = { kind: 'exited', code: 0 }): FakeProcess {
  const output = Readable.from(stdout, { objectMode: false, highWaterMark: 65_536 });
  const settled = Promise.withResolvers<FakeEnd>();
  output.on('end', () => settled.resolve(end));
  const kill = (signal: number): void => {
    output.destroy();
    settled.resolve({ kind: 'signalled', signal });
  };
  return {
    stdin: new PassThrough().resume(),
    stdout: output,
    stderr: Readable.from([]),
    pid: Promise.resolve(4_242),
    end: settled.promise,
    kill,
  };
}

export function failedProcess(end: FakeEnd): FakeProcess {
  const nothing = (): Readable => Readable.from([]);
  return {
    stdin: new PassThrough().resume(),
    stdout: nothing(),
    stderr: nothing(),
    pid: Promise.resolve(undefined),
    end: Promise.resolve(end),
    kill: () => {},
  };
}
