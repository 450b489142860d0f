/** Test support: the file operations of the fake guest, on files of the host. */

import type { Stats } from 'node:fs';
import { createReadStream } from 'node:fs';
import { appendFile, chmod, link, lstat, mkdir, open, readdir, readlink, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FRAME } from '../frame-types.ts';
import type { FakeEnd, FakeProcess } from './fake-process.ts';
import { type FakeRequest, flagValue } from './fake-request.ts';
import { encodeStatRecord } from './fake-stat-record.ts';

/** Does one file operation. It has no pid. */
export function fileProcess(type: number, request: FakeRequest): FakeProcess {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const abort = new AbortController();
  const end = Promise.withResolvers<FakeEnd>();
  const work = async (): Promise<void> => {
    try {
      await operate(type, request, stdin, stdout, abort.signal);
      end.resolve({ kind: 'exited', code: 0 });
    } catch (error) {
      const { errno, syscall } = error as { errno?: number; syscall?: string }; // Read with care below.
      if (abort.signal.aborted) end.resolve({ kind: 'signalled', signal: 15 });
      else
        end.resolve({
          kind: 'failed',
          stage: 'file',
          call: syscall ?? 'read',
          path: flagValue(request, '--path') ?? '',
          errno: -(errno ?? -5),
        });
    }
    stdin.resume();
    stdout.end();
  };
  void work();
  const kill = (): void => {
    abort.abort();
    stdout.destroy();
  };
  return { stdin, stdout, stderr: Readable.from([]), pid: Promise.resolve(undefined), end: end.promise, kill };
}

async function operate(type: number, request: FakeRequest, stdin: Readable, stdout: Writable, signal: AbortSignal): Promise<void> {
  const path = flagValue(request, '--path') ?? '';
  const has = (flag: string): boolean => request.flags.has(flag);
  const mode = Number.parseInt(flagValue(request, '--mode') ?? '644', 8);
  switch (type) {
    case FRAME.READ: {
      const offset = Number(flagValue(request, '--offset') ?? 0);
      const length = flagValue(request, '--length');
      const status = await stat(path);
      if (!status.isFile()) throw Object.assign(new Error('not a file'), { errno: status.isDirectory() ? -21 : -22, syscall: 'open' });
      if (length === '0') return;
      const end = length === undefined ? Number.POSITIVE_INFINITY : offset + Number(length) - 1;
      await pipeline(createReadStream(path, { start: offset, end }), stdout, { signal, end: false });
      return;
    }
    case FRAME.WRITE:
      return await write(path, mode, { append: has('--append'), exclusive: has('--exclusive') }, stdin, signal);
    case FRAME.LIST:
      for (const name of await readdir(path)) {
        const status = await lstat(join(path, name));
        if (!stdout.write(encodeStatRecord(name, status, await target(join(path, name), status)))) await drained(stdout);
      }
      return;
    case FRAME.STAT: {
      const status = has('--follow') ? await stat(path) : await lstat(path);
      stdout.write(encodeStatRecord(path.slice(path.lastIndexOf('/') + 1) || '.', status, await target(path, status)));
      return;
    }
    case FRAME.REMOVE: {
      const status = await lstat(path);
      if (!status.isDirectory()) await unlink(path);
      else if (has('--recursive')) await rm(path, { recursive: true });
      else await rmdir(path);
      return;
    }
    default:
      await mkdir(path, { recursive: has('--parents') });
      await chmod(path, mode);
  }
}

async function write(
  path: string,
  mode: number,
  how: { append: boolean; exclusive: boolean },
  stdin: Readable,
  signal: AbortSignal,
): Promise<void> {
  if (how.append) {
    for await (const chunk of stdin) await appendFile(path, chunk as Buffer, { mode, flag: 'a' });
    return;
  }
  const temporary = join(dirname(path), `.fake-${process.pid}-${Math.random()}`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await pipeline(stdin, file.createWriteStream(), { signal });
    await chmod(temporary, mode);
    if (how.exclusive) await link(temporary, path);
    else await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function target(path: string, status: Stats): Promise<string> {
  return status.isSymbolicLink() ? await readlink(path) : '';
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => stream.once('drain', resolve).once('close', resolve));
}
