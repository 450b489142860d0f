import { type FaultCode, isFault } from '@warren/protocol';
import { describe, expect, it, vi } from 'vitest';
import type { LimitName } from '../contract.ts';
import { encodeFrame } from './frame.ts';
import { FRAME, HEADER_BYTES } from './frame-types.ts';
import { parseFakeRequest } from './test-support/fake-request.ts';
import { RawGuest, settle, u32 } from './test-support/raw-guest.ts';

const SIGKILL = 9;
const SIGTERM = 15;
const SIGXCPU = 24;
const SIGXFSZ = 25;
const TREE = 2;

async function codeOf(promise: Promise<unknown>): Promise<FaultCode | 'none'> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (isFault(error)) return error.code;
    throw error;
  }
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString();
  return text;
}

async function signals(raw: RawGuest): Promise<readonly number[][]> {
  return (await raw.takeType(FRAME.SIGNAL)).map(({ payload }) => [...payload]);
}

describe('exec', () => {
  it('asks for what the backend gives by default and the caller replaces', async () => {
    const raw = new RawGuest({ cwd: '/w', env: { A: '1', B: '2' }, user: { uid: 5, gid: 6 }, umask: 0o77 });
    raw.guest.exec(['x', 'y'], {
      env: { B: undefined, C: '3' },
      limits: { cpuSeconds: 2, fileBytes: 10, openFiles: 20, addressBytes: 30 },
      stdin: 'pipe',
      pty: { rows: 2, columns: 3 },
    });
    raw.guest.exec(['x'], { cwd: '/c', user: { uid: 7, gid: 8 } });
    const [first, second] = (await raw.take()).map(({ payload }) => parseFakeRequest(FRAME.EXEC, payload));
    const flags = (name: string) => first?.flags.get(name);
    expect(first?.argv).toEqual(['x', 'y']);
    expect([flags('--cwd'), flags('--env'), flags('--uid'), flags('--gid'), flags('--umask')]).toEqual([
      [['/w']],
      [['A=1'], ['C=3']],
      [['5']],
      [['6']],
      [['77']],
    ]);
    expect([flags('--stdin'), flags('--pty')]).toEqual([[[]], [['2', '3']]]);
    expect(flags('--rlimit')).toEqual([
      ['cpu', '2', '3'],
      ['fsize', '10', '10'],
      ['nofile', '20', '20'],
      ['as', '30', '30'],
    ]);
    expect([second?.flags.get('--cwd'), second?.flags.get('--uid'), second?.flags.get('--stdin')]).toEqual([[['/c']], [['7']], undefined]);
  });

  it('sends a request and a short stdin in one write', async () => {
    const raw = new RawGuest();
    const chunks: number[] = [];
    raw.connection.on('data', (chunk: Buffer) => chunks.push(chunk.length));
    raw.guest.exec(['x'], { stdin: 'hello' });
    const frames = await raw.take();
    expect(frames.map(({ type, payload }) => [type, payload.length])).toEqual([
      [FRAME.EXEC, expect.any(Number)],
      [FRAME.STDIN, 5],
      [FRAME.STDIN, 0],
    ]);
    expect(chunks.reduce((sum, length) => sum + length)).toBe(frames.reduce((sum, { payload }) => sum + payload.length + HEADER_BYTES, 0));
  });

  it.each<[string, object]>([
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['timeoutMs', { timeoutMs: 2 ** 31 }],
    ['killGraceMs', { killGraceMs: -1 }],
    ['outputBytesMax', { outputBytesMax: 1.5 }],
    ['outputBytesMax', { outputBytesMax: -1 }],
    ['limits.cpuSeconds', { limits: { cpuSeconds: 0 } }],
    ['limits.cpuSeconds', { limits: { cpuSeconds: 0.5 } }],
    ['limits.fileBytes', { limits: { fileBytes: 101 } }],
    ['limits.openFiles', { limits: { openFiles: 11 } }],
    ['limits.addressBytes', { limits: { addressBytes: Number.POSITIVE_INFINITY } }],
  ])('refuses a %s that makes no sense, or is above the sandbox: %j', (name, options) => {
    const raw = new RawGuest({ limits: { fileBytes: 100, openFiles: 10 } });
    expect(() => raw.guest.exec(['x'], options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(name) }),
    );
    expect(raw.client.channelsOpen).toBe(0);
  });

  it('gives the output to a reader as it comes, and grants what has been read', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x']);
    raw.started(1, 99);
    expect(await execution.pid).toBe(99);
    const output = execution.stdout[Symbol.asyncIterator]();
    const next = output.next();
    raw.send(FRAME.STDOUT, 1, 'one');
    expect(Buffer.from((await next).value ?? []).toString()).toBe('one');
    const three = [output.next(), output.next(), output.next()];
    raw.send(FRAME.STDOUT, 1, 'two');
    raw.send(FRAME.STDOUT, 1, 'three');
    raw.ends(1);
    expect((await Promise.all(three)).map(({ done, value }) => [done, value?.length])).toEqual([
      [false, 3],
      [false, 5],
      [true, undefined],
    ]);
    expect((await output.next()).done).toBe(true);
    raw.exit(1, { kind: 'exited', code: 4 }, [2_000_000, 3_000, 4_096]);
    expect(await execution.exit).toEqual({
      kind: 'exited',
      code: 4,
      usage: { userCpuMs: 2_000, systemCpuMs: 3, wallMs: expect.any(Number), memoryBytesMax: 4_096 },
      limitsHit: [],
    });
  });

  it('holds no more than the window when nobody reads', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x']);
    raw.started(1);
    for (let count = 0; count < 4; count++) raw.send(FRAME.STDOUT, 1, Buffer.alloc(65_536));
    expect(await raw.takeType(FRAME.WINDOW)).toEqual([]);
    let bytes = 0;
    const grants: number[] = [];
    for await (const chunk of execution.stdout) {
      bytes += chunk.length;
      for (const { payload } of await raw.takeType(FRAME.WINDOW)) grants.push(payload.readUInt32LE(4));
      if (bytes === 262_144) raw.ends(1);
    }
    expect(grants).toEqual([131_072, 131_072]);
  });

  it('throws away what comes after the reader has stopped, and grants it', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x']);
    raw.started(1);
    for (let count = 0; count < 4; count++) raw.send(FRAME.STDOUT, 1, Buffer.alloc(65_536));
    for await (const _ of execution.stdout) break;
    const granted = (await raw.takeType(FRAME.WINDOW)).map(({ payload }) => payload.readUInt32LE(4));
    expect(granted.reduce((sum, bytes) => sum + bytes)).toBe(262_144);
    raw.send(FRAME.STDOUT, 1, Buffer.alloc(65_536));
    raw.send(FRAME.STDOUT, 1, Buffer.alloc(65_536));
    expect(await raw.takeType(FRAME.WINDOW)).toHaveLength(1);
    raw.exit(1);
    raw.ends(1);
    expect((await execution.exit).kind).toBe('exited');
    expect(() => execution.stdout[Symbol.asyncIterator]()).toThrow(/read/);
  });

  it('says why a command did not start', async () => {
    const raw = new RawGuest();
    const cases = [
      ['exec', 2, 127, 'ENOENT'],
      ['exec', 13, 126, 'EACCES'],
      ['exec', 8, 126, 'ENOEXEC'],
      ['cwd', 2, 125, 'ENOENT'],
    ] as const;
    for (const [stage, errno, code, name] of cases) {
      const execution = raw.guest.exec(['x']);
      raw.exit(1, { kind: 'failed', stage, call: 'execve', path: '/x', errno });
      raw.ends(1);
      expect(await execution.exit).toEqual({ kind: 'not_started', code, stage, call: 'execve', path: '/x', errno: name });
      expect(await codeOf(execution.pid)).toBe('not_found');
      await settle();
    }
  });

  it('names every signal, and says real-time ones as a shell does', async () => {
    const raw = new RawGuest();
    const kinds: unknown[] = [];
    for (const signal of [1, 11, 31, 34, 64]) {
      const execution = raw.guest.exec(['x']);
      raw.started(1);
      raw.exit(1, { kind: 'signalled', signal });
      raw.ends(1);
      const exit = await execution.exit;
      kinds.push(exit.kind === 'signalled' ? exit.signal : exit.kind === 'exited' ? exit.code : exit);
      await settle();
    }
    expect(kinds).toEqual(['SIGHUP', 'SIGSEGV', 'SIGSYS', 162, 192]);
  });

  it('sends signals, sizes and input, and checks them', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x'], { stdin: 'pipe', pty: { rows: 1, columns: 1 } });
    await raw.take();
    execution.kill('SIGINT');
    execution.kill('SIGHUP', 'group');
    execution.kill('SIGSTOP', 'tree');
    execution.resize({ rows: 50, columns: 300 });
    await execution.write(Buffer.from('x'));
    execution.closeStdin();
    const sent = (await raw.take()).map(({ type, payload }) => [type, ...payload]);
    expect(sent).toEqual([
      [FRAME.SIGNAL, 2, 0],
      [FRAME.SIGNAL, 1, 1],
      [FRAME.SIGNAL, 19, 2],
      [FRAME.RESIZE, 50, 0, 44, 1],
      [FRAME.STDIN, 120],
      [FRAME.STDIN],
    ]);
    expect(() => execution.kill('SIGINT', 'tree')).toThrow(/SIGINT to the whole tree/);
    expect(() => execution.kill('SIGNOPE' as 'SIGINT')).toThrow(/SIGNOPE/);
    expect(() => execution.kill('SIGINT', 'all' as 'tree')).toThrow(/all/);
    expect(() => execution.resize({ rows: 0, columns: 1 })).toThrow(/0 rows/);
    expect(await codeOf(execution.write('text' as unknown as Uint8Array))).toBe('invalid_argument');
    expect(await codeOf(raw.guest.exec(['x']).write(Buffer.from('x')))).toBe('invalid_argument');
  });
});

describe('The end of a command', () => {
  it('at its deadline is asked for, and after the grace made sure of', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const raw = new RawGuest();
      const execution = raw.guest.exec(['x'], { timeoutMs: 1_000, killGraceMs: 500 });
      raw.started(1);
      vi.advanceTimersByTime(999);
      expect(await signals(raw)).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(await signals(raw)).toEqual([[SIGTERM, TREE]]);
      vi.advanceTimersByTime(499);
      expect(await signals(raw)).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(await signals(raw)).toEqual([[SIGKILL, TREE]]);
      raw.exit(1, { kind: 'signalled', signal: SIGKILL });
      raw.ends(1);
      expect(await execution.exit).toMatchObject({
        kind: 'stopped',
        by: 'deadline',
        limitsHit: ['deadline'],
        detail: expect.stringContaining('1000 ms'),
      });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('at its deadline is made sure of once, if the caller aborts during the grace', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const raw = new RawGuest();
      const abort = new AbortController();
      const execution = raw.guest.exec(['x'], { timeoutMs: 1_000, killGraceMs: 500, signal: abort.signal });
      raw.started(1);
      vi.advanceTimersByTime(1_000);
      abort.abort();
      vi.advanceTimersByTime(1_000);
      expect(await signals(raw)).toEqual([
        [SIGTERM, TREE],
        [SIGKILL, TREE],
      ]);
      raw.exit(1, { kind: 'signalled', signal: SIGKILL });
      expect(await execution.exit).toMatchObject({ kind: 'stopped', by: 'deadline' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('at its deadline counts as that, however it ends then', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x'], { timeoutMs: 5 });
    raw.started(1);
    await vi.waitFor(async () => expect(await signals(raw)).toEqual([[SIGTERM, TREE]]));
    raw.exit(1, { kind: 'exited', code: 0 });
    raw.ends(1);
    expect(await execution.exit).toMatchObject({ kind: 'stopped', by: 'deadline' });
  });

  it('by an abort is at once, and its first reason stays', async () => {
    const raw = new RawGuest();
    const abort = new AbortController();
    const execution = raw.guest.exec(['x'], { signal: abort.signal, timeoutMs: 60_000, outputBytesMax: 3 });
    raw.started(1);
    await raw.take();
    abort.abort();
    expect(await signals(raw)).toEqual([[SIGKILL, TREE]]);
    raw.send(FRAME.STDOUT, 1, 'too much');
    raw.exit(1, { kind: 'signalled', signal: SIGKILL });
    raw.ends(1);
    expect(await execution.exit).toMatchObject({ kind: 'stopped', by: 'caller', limitsHit: [] });
    expect(await all(execution.stdout)).toBe('too');
  });

  it('before it has begun starts nothing', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x'], { signal: AbortSignal.abort(), stdin: 'pipe' });
    expect(await execution.exit).toMatchObject({ kind: 'stopped', by: 'caller' });
    expect(await all(execution.stdout)).toBe('');
    expect(await codeOf(execution.pid)).toBe('aborted');
    expect(await codeOf(execution.write(Buffer.from('x')))).toBe('conflict');
    execution.kill('SIGKILL');
    execution.resize({ rows: 1, columns: 1 });
    expect(await raw.take()).toEqual([]);
    expect((await raw.guest.run(['x'], { signal: AbortSignal.abort() })).exit.kind).toBe('stopped');
    expect(() => raw.guest.exec(['x\0'], { signal: AbortSignal.abort() })).toThrow(/argv/);
  });

  it('leaves nothing with the abort signal', async () => {
    const raw = new RawGuest();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'removeEventListener');
    const add = vi.spyOn(signal, 'addEventListener');
    const execution = raw.guest.exec(['x'], { signal });
    raw.started(1);
    raw.exit(1);
    await execution.exit;
    expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 1]);
  });

  it('by its output cuts both streams exactly, and discards and grants the rest', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x'], { outputBytesMax: 100 });
    raw.started(1);
    raw.send(FRAME.STDOUT, 1, 'o'.repeat(60));
    raw.send(FRAME.STDERR, 1, 'e'.repeat(40));
    expect(await signals(raw)).toEqual([]);
    raw.send(FRAME.STDERR, 1, 'f');
    expect(await signals(raw)).toEqual([[SIGKILL, TREE]]);
    expect(await all(execution.stdout)).toBe('o'.repeat(60));
    expect(await all(execution.stderr)).toBe('e'.repeat(40));
    for (let count = 0; count < 3; count++) raw.send(FRAME.STDOUT, 1, Buffer.alloc(65_536));
    expect((await raw.takeType(FRAME.WINDOW)).length).toBe(1);
    raw.exit(1, { kind: 'signalled', signal: SIGKILL });
    raw.ends(1);
    expect(await execution.exit).toMatchObject({
      kind: 'stopped',
      by: 'output',
      limitsHit: ['output'],
      detail: expect.stringContaining('100'),
    });
  });

  it('with no output allowed stops at the first byte', async () => {
    const raw = new RawGuest();
    const running = raw.guest.run(['x'], { outputBytesMax: 0 });
    raw.started(1);
    raw.send(FRAME.STDOUT, 1, 'x');
    raw.exit(1, { kind: 'signalled', signal: SIGKILL });
    raw.ends(1);
    expect(await running).toMatchObject({ exit: { kind: 'stopped', by: 'output' }, stdout: new Uint8Array(0) });
  });

  const LIMITS = { memoryBytes: 1_000, fileBytes: 2_000 };
  it.each<[string, number, object, number, object]>([
    ['SIGXCPU with a limit of time', SIGXCPU, { limits: { cpuSeconds: 1 } }, 0, { kind: 'stopped', by: 'cpu', limitsHit: ['cpu'] }],
    ['SIGXCPU without one', SIGXCPU, {}, 0, { kind: 'signalled', signal: 'SIGXCPU' }],
    ['SIGKILL after all of its time', SIGKILL, { limits: { cpuSeconds: 1 } }, 1_000_000, { kind: 'stopped', by: 'cpu' }],
    ['SIGKILL before that', SIGKILL, { limits: { cpuSeconds: 1 } }, 900_000, { kind: 'signalled', signal: 'SIGKILL' }],
    [
      'SIGXFSZ with its own limit',
      SIGXFSZ,
      { limits: { fileBytes: 5 } },
      0,
      { kind: 'stopped', by: 'file_size', detail: expect.stringContaining('5 bytes') },
    ],
    [
      'SIGXFSZ with the limit of the sandbox',
      SIGXFSZ,
      {},
      0,
      { kind: 'stopped', by: 'file_size', detail: expect.stringContaining('2000 bytes') },
    ],
    ['SIGTERM', SIGTERM, { limits: { cpuSeconds: 1 } }, 5_000_000, { kind: 'signalled', signal: 'SIGTERM' }],
  ])('by %s', async (_, signal, options, micros, expected) => {
    const raw = new RawGuest({ limits: LIMITS });
    const execution = raw.guest.exec(['x'], options);
    raw.started(1);
    raw.exit(1, { kind: 'signalled', signal }, [micros, 0, 0]);
    expect(await execution.exit).toMatchObject(expected);
  });

  describe('by a limit of the whole sandbox', () => {
    type Counts = Partial<Record<LimitName, number>>;
    async function run(before: Counts | Error, after: Counts | Error, act: (raw: RawGuest) => void, isLater: boolean) {
      const answers = [before, after];
      const readLimitCounts = (): Counts | Promise<Counts> => {
        const answer = answers.shift() ?? {};
        if (isLater) return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
        if (answer instanceof Error) throw answer;
        return answer;
      };
      const raw = new RawGuest({ limits: LIMITS, readLimitCounts });
      const execution = raw.guest.exec(['x']);
      raw.started(1);
      if (act === killed) execution.kill('SIGKILL', 'tree');
      act(raw);
      return await execution.exit;
    }
    const byKernel = (raw: RawGuest): void => raw.exit(1, { kind: 'signalled', signal: SIGKILL });
    const killed = (raw: RawGuest): void => raw.exit(1, { kind: 'signalled', signal: SIGKILL });
    const exits = (raw: RawGuest): void => raw.exit(1, { kind: 'exited', code: 137 });

    describe.each([false, true])('(counters that answer later: %s)', (isLater) => {
      it('blames memory for a SIGKILL when the kernel killed for memory meanwhile', async () => {
        const exit = await run({ memory: 3 }, { memory: 4, pids: 0 }, byKernel, isLater);
        expect(exit).toMatchObject({ kind: 'stopped', by: 'memory', limitsHit: ['memory'], detail: expect.stringContaining('1000 bytes') });
      });
      it('does not when it killed before', async () => {
        expect(await run({ memory: 4 }, { memory: 4 }, byKernel, isLater)).toMatchObject({ kind: 'signalled', limitsHit: [] });
      });
      it('does not when the caller killed it', async () => {
        expect(await run({}, { memory: 1 }, killed, isLater)).toMatchObject({ kind: 'signalled', limitsHit: ['memory'] });
      });
      it('says which limits were hit by something else in the sandbox', async () => {
        const exit = await run({ memory: 0, pids: 1 }, { memory: 1, pids: 9, disk: 0 }, exits, isLater);
        expect(exit).toMatchObject({ kind: 'exited', code: 137, limitsHit: ['memory', 'pids'] });
      });
      it('says nothing when the counters cannot be read', async () => {
        expect(await run(new Error('gone'), { memory: 1 }, byKernel, isLater)).toMatchObject({ kind: 'signalled', limitsHit: [] });
        expect(await run({ memory: 0 }, new Error('gone'), byKernel, isLater)).toMatchObject({ kind: 'signalled', limitsHit: [] });
      });
    });
  });
});

describe('Stdin of a command', () => {
  it('comes from a source no faster than there is credit', async () => {
    const raw = new RawGuest();
    let given = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; given < 100; given++) yield Buffer.alloc(10_000);
    }
    raw.guest.exec(['x'], { stdin: source() });
    await settle();
    expect(given).toBe(6); // The seventh is not taken whole.
    raw.send(FRAME.CREDIT, 1, u32(20_000));
    await settle();
    expect(given).toBe(8);
  });

  it('releases a source that nobody reads any more, also one that waits', async () => {
    const raw = new RawGuest();
    const returned = vi.fn(() => Promise.resolve({ done: true as const, value: undefined }));
    const source = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: returned }) };
    const execution = raw.guest.exec(['x'], { stdin: source });
    raw.started(1);
    raw.exit(1);
    expect((await execution.exit).kind).toBe('exited');
    expect(returned).toHaveBeenCalledTimes(1);
  });

  it.each<[string, () => AsyncIterable<Uint8Array>, unknown]>([
    ['throws at once', () => ({ [Symbol.asyncIterator]: () => fail() }), new Error('broken')],
    ['throws later', () => later(), new Error('broken')],
    [
      'gives something that is not bytes',
      () => later('text' as unknown as Uint8Array),
      expect.objectContaining({ code: 'invalid_argument' }),
    ],
  ])('kills the tree and rejects when its source %s', async (_, source, expected) => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x'], { stdin: source() });
    raw.started(1);
    expect(await signals(raw)).toEqual([[SIGKILL, TREE]]);
    raw.exit(1, { kind: 'signalled', signal: SIGKILL });
    await expect(execution.exit).rejects.toEqual(expected);
  });

  function fail(): never {
    throw new Error('broken');
  }
  async function* later(value: Uint8Array = Buffer.from('x')): AsyncGenerator<Uint8Array> {
    yield value;
    fail();
  }
});

describe('A sandbox that ends while commands run', () => {
  it('by its owner stops them and cuts their output', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x']);
    const running = raw.guest.run(['y']);
    for (const channel of [1, 2]) {
      raw.started(channel);
      raw.send(FRAME.STDOUT, channel, 'said');
    }
    await settle();
    raw.guest.end({ by: 'deadline', detail: 'the sandbox lived too long' });
    expect(await execution.exit).toMatchObject({
      kind: 'stopped',
      by: 'deadline',
      detail: 'the sandbox lived too long',
      limitsHit: ['deadline'],
    });
    expect(await all(execution.stdout)).toBe('said');
    const completed = await running;
    expect([completed.exit.kind, Buffer.from(completed.stdout).toString()]).toEqual(['stopped', 'said']);
    expect(() => raw.guest.exec(['z'])).toThrow(expect.objectContaining({ code: 'sandbox_gone' }));
    expect(await codeOf(raw.guest.run(['z']))).toBe('sandbox_gone');
  });

  it('by itself rejects their exits and fails their streams, after what was said', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x'], { stdin: 'pipe' });
    const running = raw.guest.run(['y']);
    raw.started(1);
    raw.send(FRAME.STDOUT, 1, 'said');
    const waiting = all(execution.stderr);
    await settle();
    raw.connection.end();
    expect(await codeOf(execution.exit)).toBe('sandbox_gone');
    expect(await codeOf(running)).toBe('sandbox_gone');
    expect(await codeOf(waiting)).toBe('sandbox_gone');
    const output = execution.stdout[Symbol.asyncIterator]();
    expect((await output.next()).value).toHaveLength(4);
    expect(await codeOf(output.next())).toBe('sandbox_gone');
    expect((await output.next()).done).toBe(true);
    expect(await codeOf(execution.write(Buffer.from('x')))).toBe('sandbox_gone');
    execution.kill('SIGKILL');
  });

  it('keeps the exit of a command that has one', async () => {
    const raw = new RawGuest();
    const execution = raw.guest.exec(['x']);
    const running = raw.guest.run(['y']);
    for (const channel of [1, 2]) {
      raw.started(channel);
      raw.exit(channel, { kind: 'exited', code: 5 });
    }
    await settle();
    raw.connection.end();
    expect(await execution.exit).toMatchObject({ kind: 'exited', code: 5 });
    expect(await codeOf(all(execution.stdout))).toBe('sandbox_gone');
    expect(await codeOf(running)).toBe('sandbox_gone');
  });

  it('is no unhandled rejection for a caller that does not look', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const raw = new RawGuest();
      const execution = raw.guest.exec(['x'], { stdin: 'pipe' });
      void execution.write(Buffer.alloc(100_000));
      raw.guest.exec(['y'], { stdin: later() });
      await settle();
      raw.connection.write(encodeFrame(FRAME.EXIT, 77, Buffer.alloc(32)));
      await settle();
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(raw.client.isClosed).toBe(true);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    async function* later(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000);
      throw new Error('never seen');
    }
  });
});

describe('run', () => {
  it('collects both outputs, and takes 16 MiB of them by default', async () => {
    const raw = new RawGuest();
    const running = raw.guest.run(['x']);
    raw.started(1);
    const piece = Buffer.alloc(65_536, 'x');
    for (let sent = 0; sent < 16_777_216; sent += piece.length) {
      raw.send((sent / piece.length) % 2 === 0 ? FRAME.STDOUT : FRAME.STDERR, 1, piece);
      if ((sent / piece.length) % 4 === 3) await settle();
    }
    expect(await signals(raw)).toEqual([]);
    raw.send(FRAME.STDERR, 1, 'x');
    expect(await signals(raw)).toEqual([[SIGKILL, TREE]]);
    raw.exit(1, { kind: 'signalled', signal: SIGKILL });
    raw.ends(1);
    const { exit, stdout, stderr } = await running;
    expect(exit).toMatchObject({ kind: 'stopped', by: 'output' });
    expect([stdout.length, stderr.length]).toEqual([8_388_608, 8_388_608]);
  });

  it('waits for the output that comes after the exit', async () => {
    const raw = new RawGuest();
    const running = raw.guest.run(['x']);
    raw.started(1);
    raw.exit(1);
    await settle();
    raw.send(FRAME.STDOUT, 1, 'late');
    raw.ends(1);
    expect(Buffer.from((await running).stdout).toString()).toBe('late');
  });
});
