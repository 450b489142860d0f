/**
 * Starts this program again as a process of its own session, which outlives the terminal. The only place of the tool that starts a process:
 * nothing else than itself, and not in a sandbox, because it is what makes them.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { Fault } from '@warren/protocol';

/** Set for the process that is started: the descriptor on which it says, in one line, that it is ready. */
export const READY_VARIABLE = 'WARREN_READY_DESCRIPTOR';
const READY_DESCRIPTOR = 3;
/** What was said longer ago goes to `<log>.1`, and what was there is gone. */
const LOG_BYTES_MAX = 16 * 2 ** 20;
const READY_BYTES_MAX = 65_536;
/** Of the end of the log, for who asks why it did not start. */
const LAST_WORDS_BYTES_MAX = 8_192;

export type DetachOptions = {
  /** What this program is started with. */
  readonly words: readonly string[];
  /** Where its output goes. */
  readonly logPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export type Detached =
  | { readonly kind: 'ready'; readonly pid: number; readonly line: string }
  | { readonly kind: 'ended'; readonly code: number; readonly lastWords: string };

/** Resolves when the new process says that it is ready, or has ended. When `signal` fires first it is told to end, and this rejects. */
export async function startDetached({ words, logPath, env }: DetachOptions, signal: AbortSignal): Promise<Detached> {
  signal.throwIfAborted();
  const log = openLog(logPath);
  const logStart = fstatSync(log).size;
  try {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], {
      cwd: '/',
      detached: true,
      env: { ...env, [READY_VARIABLE]: `${READY_DESCRIPTOR}` },
      stdio: ['ignore', log, log, 'pipe'],
    });
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
    ended.catch(() => {}); // Whoever waits for it hears of it.
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    try {
      const line = await firstLine(child.stdio[READY_DESCRIPTOR] as Readable); // It is a pipe, so it can be read.
      if (line !== undefined && child.pid !== undefined) return { kind: 'ready', pid: child.pid, line };
      const code = await ended;
      signal.throwIfAborted();
      return { kind: 'ended', code, lastWords: readFrom(log, logStart) };
    } finally {
      signal.removeEventListener('abort', stop);
      child.unref();
    }
  } finally {
    closeSync(log);
  }
}

/** Says so, once; everybody else's environment is without the variable. */
export function tellReady(env: Readonly<Record<string, string | undefined>>, line: string): void {
  const descriptor = Number(env[READY_VARIABLE]);
  if (descriptor !== READY_DESCRIPTOR) return;
  delete process.env[READY_VARIABLE];
  new Socket({ fd: descriptor }).on('error', () => {}).end(`${line}\n`); // Who asked may have gone meanwhile.
}

function openLog(path: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
    return openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (cause) {
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new Fault('store_failed', `Cannot write the log ${path}: ${errno}`, { cause, details: { path, errno } });
  }
}

/** Undefined when it ends before there is one. */
async function firstLine(stream: Readable): Promise<string | undefined> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    text += String(chunk);
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
    if (text.length > READY_BYTES_MAX) return undefined;
  }
  return undefined;
}

function readFrom(file: number, start: number): string {
  const size = fstatSync(file).size;
  const from = Math.max(start, size - LAST_WORDS_BYTES_MAX);
  const bytes = Buffer.alloc(Math.max(0, size - from));
  return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, from));
}
