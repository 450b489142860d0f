import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { RunLock } from './run-lock.ts';

const CHILD = join(import.meta.dirname, 'test-support', 'lock-child.ts');

describe('a lock', () => {
  it('is held by one, also within one process, and names the owner', async () => {
    await using directory = await TemporaryDirectory.create();
    const lock = RunLock.acquire(directory.path, 'x');
    expect(() => RunLock.acquire(directory.path, 'x')).toThrow(
      expect.objectContaining({ code: 'busy', details: { runId: 'x', pid: process.pid } }),
    );
    expect(RunLock.ownerPid(directory.path)).toBe(process.pid);
    lock[Symbol.dispose]();
    lock[Symbol.dispose]();
    expect(RunLock.ownerPid(directory.path)).toBeUndefined();
    RunLock.acquire(directory.path, 'x')[Symbol.dispose]();
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('of a killed process is taken over, again and again', async () => {
    await using directory = await TemporaryDirectory.create();
    for (let round = 0; round < 3; round += 1) {
      const child = await locked(directory.path);
      expect(RunLock.ownerPid(directory.path)).toBe(child.pid);
      expect(() => RunLock.acquire(directory.path, 'x')).toThrow(`process ${child.pid} is using it`);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(RunLock.ownerPid(directory.path)).toBeUndefined();
    }
    using _lock = RunLock.acquire(directory.path, 'x');
    expect(RunLock.ownerPid(directory.path)).toBe(process.pid);
  });

  it('of a killed process is taken over by exactly one of many', { timeout: 60_000 }, async () => {
    await using directory = await TemporaryDirectory.create();
    const dead = await locked(directory.path);
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const children = Array.from({ length: 6 }, () => start(directory.path));
    const words = await Promise.all(children.map(firstWord));
    for (const child of children) child.kill('SIGKILL');
    expect(words.toSorted()).toEqual(['busy', 'busy', 'busy', 'busy', 'busy', 'locked']);
  });

  it('is not believed of a process that only has the same pid, or of another boot', async () => {
    await using directory = await TemporaryDirectory.create();
    const base = { pid: process.pid, startTicks: '1', bootId: 'a', nonce: '0123456789abcdef' };
    writeFileSync(directory.join('lock'), JSON.stringify(base));
    expect(RunLock.ownerPid(directory.path)).toBeUndefined();
    using _lock = RunLock.acquire(directory.path, 'x');
  });

  it.each(['{}', '{"pid":-1}', 'null', `{"pid":1,"startTicks":"1","bootId":"a","nonce":"../../../etc"}`])(
    'that is damaged (%j) stops everybody with the file and what to do',
    async (content) => {
      await using directory = await TemporaryDirectory.create();
      writeFileSync(directory.join('lock'), content);
      const path = directory.join('lock');
      expect(() => RunLock.acquire(directory.path, 'x')).toThrow(
        expect.objectContaining({ code: 'internal', message: expect.stringContaining(`rm ${path}`) }),
      );
    },
  );

  it('that a power cut emptied is taken over', async () => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('lock'), '');
    using lock = RunLock.acquire(directory.path, 'x');
    expect(RunLock.ownerPid(directory.path)).toBe(process.pid);
    lock[Symbol.dispose]();
    expect(RunLock.ownerPid(directory.path)).toBeUndefined();
  });

  it('of a run that is gone says so', () => {
    expect(() => RunLock.acquire('/nonexistent/run', 'x')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

type Child = ReturnType<typeof start>;

function start(directory: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, ['--conditions=warren-source', CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function firstWord(child: Child): Promise<string> {
  const [bytes] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return bytes.toString().trim();
}

async function locked(directory: string): Promise<Child> {
  const child = start(directory);
  expect(await firstWord(child)).toBe('locked');
  return child;
}
