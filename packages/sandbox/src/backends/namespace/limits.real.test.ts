/** Each limit, reached by a real command: what ends, what goes on, and that the exit says which limit it was, with its number. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Exit, Sandboxes } from '../../contract.ts';
import { openSandboxes, openTestSandboxes } from './open-sandboxes.ts';
import { buildProgram, PROGRAMS } from './test-support/programs.ts';
import { endOf, faultOf, said, shell, text } from './test-support/words.ts';
import { TestWorkspace } from './test-support/workspace.ts';

const isRoot = process.getuid?.() === 0;
const NEEDS_ROOT = 'a user has no cgroup controllers unless a manager delegates some; the tests of a user show what holds then';
const MIB = 1_048_576;
/** Writes memory until there is none left: it waits for the end of a line that never comes. */
const GREEDY = ['tail', '/dev/zero'];

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(() => sandboxes[Symbol.asyncDispose]());

function detailOf(exit: Exit): string {
  return exit.kind === 'stopped' ? exit.detail : endOf(exit);
}

describe('memory', () => {
  it('ends the command that wants more, says so, and leaves the sandbox alive', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    await using sandbox = await sandboxes.start({ limits: { memoryBytes: 32 * MIB } });
    const { exit } = await sandbox.run(GREEDY);
    expect(endOf(exit)).toBe('stopped by memory');
    expect(detailOf(exit)).toContain(`${32 * MIB}`);
    expect(exit).toMatchObject({ limitsHit: ['memory'] });
    expect(await shell(sandbox, 'echo alive')).toBe('alive\n');
    const stats = await sandbox.stats();
    expect(stats.oomKills).toBeGreaterThan(0);
    expect(stats.memoryBytesMax).toBeLessThanOrEqual(32 * MIB);
  });

  it('is told also when only a child was killed, and the next command is not blamed', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    await using sandbox = await sandboxes.start({ limits: { memoryBytes: 32 * MIB } });
    const parent = await sandbox.run(['sh', '-c', 'tail /dev/zero; exit 3']);
    expect([endOf(parent.exit), parent.exit]).toMatchObject(['exited 3', { limitsHit: ['memory'] }]);
    const innocent = await sandbox.run(['sh', '-c', 'kill -KILL $$']);
    expect([endOf(innocent.exit), innocent.exit]).toMatchObject(['signalled SIGKILL', { limitsHit: [] }]);
  });

  it('counts what lies in scratch files, and comes back when they are removed', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    await using sandbox = await sandboxes.start({ limits: { memoryBytes: 32 * MIB, scratchBytes: 256 * MIB } });
    const { exit } = await sandbox.run(['sh', '-c', 'for f in /tmp/a /dev/shm/b ~/c; do head -c 30000000 /dev/zero > $f || exit; done']);
    expect([endOf(exit), exit]).toMatchObject([expect.stringMatching(/^stopped by memory$|^exited/), { limitsHit: ['memory'] }]);
    // File operations and commands need a little, too: as long as there is none, they are what is killed, never pid 1.
    for (const path of ['/tmp/a', '/dev/shm/b', '/home/agent/c']) await sandbox.remove(path).catch(() => {});
    for (let tries = 0; tries < 20; tries++)
      if ((await sandbox.run(['rm', '-f', '/tmp/a', '/dev/shm/b', '/home/agent/c'])).exit.kind === 'exited') break;
    expect(await shell(sandbox, 'echo alive')).toBe('alive\n');
  });

  it('is refused where nothing enforces it', async () => {
    await using poor = await openTestSandboxes({ cgroups: 'none' });
    expect(await faultOf(poor.start({ limits: { memoryBytes: 64 * MIB } }))).toBe('limit_unavailable');
    await using sandbox = await poor.start({});
    expect(sandbox.spec.limits.memoryBytes).toBe(null);
  });
});

describe('processor time', () => {
  it('is shared out: a busy command is held back to its share', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    await using sandbox = await sandboxes.start({ limits: { cpus: 0.1 } });
    await shell(sandbox, 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done');
    const stats = await sandbox.stats();
    expect(stats.cpuThrottledMs).toBeGreaterThan(0);
    expect(stats.cpuMs).toBeGreaterThan(0);
  });

  it('of one command ends it, and the exit says so', async () => {
    await using sandbox = await sandboxes.start({});
    const { exit } = await sandbox.run(['sh', '-c', "trap '' XCPU; while :; do :; done"], { limits: { cpuSeconds: 1 } });
    expect([endOf(exit), detailOf(exit)]).toEqual(['stopped by cpu', 'it used its 1 s of processor time']);
  });
});

describe('processes', () => {
  const BREED = 'i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done; echo all of them';

  it('are refused beyond the limit, the exit says so, and the sandbox answers', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    await using sandbox = await sandboxes.start({ limits: { pids: 20 } });
    const bred = await sandbox.run(['sh', '-c', BREED]);
    expect([text(bred.stdout), bred.exit]).toMatchObject(['', { kind: 'exited', limitsHit: ['pids'] }]);
    const stats = await sandbox.stats();
    expect(stats.pids).toBeLessThanOrEqual(21);
    expect(stats.pidsDenied).toBeGreaterThan(0);
    // The shell has made room for one. With that taken there is none, and that is said, too.
    await sandbox.exec(['sleep', '1000']).pid;
    const late = await sandbox.run(['true']);
    expect(late.exit).toMatchObject({ kind: 'not_started', code: 125, errno: 'EAGAIN' });
  });

  it.each(['every cgroup', 'v1', 'none'] as const)(
    'of a fork bomb end with its command (with %s)',
    { timeout: 120_000 },
    async (cgroups) => {
      buildProgram('fork-bomb');
      await using own = await openTestSandboxes(cgroups === 'every cgroup' ? {} : { cgroups });
      await using sandbox = await own.start({ limits: { pids: 64 }, mounts: [{ source: PROGRAMS, target: '/programs' }] });
      const bomb = sandbox.exec(['/programs/fork-bomb']);
      await bomb.pid;
      // Until it has taken all the room there is.
      while (endOf((await sandbox.run(['true'])).exit) === 'exited 0') await sandbox.stats();
      bomb.kill('SIGKILL', 'tree');
      expect(endOf(await bomb.exit)).toBe('signalled SIGKILL');
      const count = 'n=0; for f in /proc/[0-9]*/comm; do read -r name < $f && [ "$name" = fork-bomb ] && n=$((n+1)); done; echo $n';
      let left = '';
      for (let tries = 0; tries < 500 && left !== '0\n'; tries++) left = text((await sandbox.run(['sh', '-c', count])).stdout);
      expect(left).toBe('0\n');
    },
  );

  it('are limited without cgroups as well', async () => {
    await using poor = await openTestSandboxes({ cgroups: 'none' });
    await using sandbox = await poor.start({ limits: { pids: 20 } });
    const bred = await sandbox.run(['sh', '-c', BREED]);
    expect([text(bred.stdout), endOf(bred.exit)]).toEqual(['', 'exited 2']);
  });
});

describe('files', () => {
  it('may grow to the limit of the sandbox, and the exit says when one wants more', async () => {
    await using sandbox = await sandboxes.start({ limits: { fileBytes: 10_000 } });
    const { exit } = await sandbox.run(['sh', '-c', 'exec head -c 20000 /dev/zero > /tmp/big']);
    expect([endOf(exit), detailOf(exit)]).toEqual(['stopped by file_size', 'it wrote past 10000 bytes, the largest file allowed']);
    expect((await sandbox.stat('/tmp/big')).size).toBe(10_000);
    expect(await faultOf(sandbox.run(['true'], { limits: { fileBytes: 10_001 } }))).toBe('invalid_argument');
  });

  it('may be open up to the limit of the sandbox, each command by itself', async () => {
    await using sandbox = await sandboxes.start({ limits: { openFiles: 8 } });
    expect(await shell(sandbox, 'ulimit -Sn; ulimit -Hn')).toBe('8\n8\n');
    expect(await shell(sandbox, 'ulimit -Sn; ulimit -Hn', { limits: { openFiles: 5 } })).toBe('5\n5\n');
    expect(endOf((await sandbox.run(['tee', '1', '2', '3', '4', '5'])).exit)).toBe('exited 0');
    expect(said(await sandbox.run(['tee', '1', '2', '3', '4', '5', '6']))).toMatch(/^exited 1 .*6: Too many open files/);
    // pid 1, which has a few for each command, is not bound by it.
    const many = await Promise.all(Array.from({ length: 50 }, (_, index) => sandbox.run(['cat'], { stdin: `${index}` })));
    expect(many.map(({ stdout }) => text(stdout))).toEqual(many.map((_, index) => `${index}`));
    expect(await faultOf(sandbox.run(['true'], { limits: { openFiles: 9 } }))).toBe('invalid_argument');
  });

  it('in scratch places share one size', async () => {
    await using sandbox = await sandboxes.start({ limits: { scratchBytes: 4 * MIB } });
    const script =
      'head -c 3000000 /dev/zero > /tmp/a && head -c 3000000 /dev/zero > ~/b; echo $?; rm /tmp/a; head -c 3000000 /dev/zero > ~/b; echo $?';
    const { stdout, stderr } = await sandbox.run(['sh', '-c', script]);
    expect([text(stdout), text(stderr)]).toEqual(['1\n0\n', expect.stringContaining('No space left on device')]);
  });

  it('fit into the smallest scratch place there can be', async () => {
    await using sandbox = await sandboxes.start({ limits: { scratchBytes: 65_536 } });
    expect(await shell(sandbox, 'echo x > /tmp/x; cat /tmp/x')).toBe('x\n');
    expect(await faultOf(sandboxes.start({ limits: { scratchBytes: 65_535 } }))).toBe('invalid_argument');
  });
});

describe('the disk', () => {
  it('is watched: a layer that grows too large ends its sandbox, and exits say so', async () => {
    await using workspace = await TestWorkspace.create();
    await using sandbox = await sandboxes.start({ workspace: workspace.mount('overlay'), limits: { diskBytes: MIB } });
    const writer = sandbox.exec(['sh', '-c', 'i=0; while :; do head -c 500000 /dev/zero > $i; i=$((i+1)); sleep 0.01; done']);
    const exit = await writer.exit;
    expect(endOf(exit)).toBe('stopped by disk');
    expect(detailOf(exit)).toMatch(/grew to \d+ bytes, the limit is 1048576/);
    expect(exit).toMatchObject({ limitsHit: ['disk'] });
    expect((await sandbox.gone).reason).toBe('disk');
    expect(await faultOf(sandbox.stat('/'))).toBe('sandbox_gone');
  });
});

describe('a lifetime', () => {
  it('ends the sandbox when it is over, and exits say so', async () => {
    await using sandbox = await sandboxes.start({ limits: { wallMs: 100 } });
    const exit = await sandbox.exec(['sleep', '1000']).exit;
    expect([endOf(exit), detailOf(exit)]).toEqual(['stopped by deadline', 'the sandbox lived longer than its 100 ms']);
    const { reason, usage } = await sandbox.gone;
    expect(reason).toBe('deadline');
    expect(usage?.wallMs).toBeGreaterThanOrEqual(100);
  });

  it('of a command ends only that', async () => {
    await using sandbox = await sandboxes.start({});
    const { exit } = await sandbox.run(['sleep', '1000'], { timeoutMs: 50 });
    expect([endOf(exit), detailOf(exit)]).toEqual(['stopped by deadline', 'it ran longer than its 50 ms']);
    expect(await shell(sandbox, 'echo alive')).toBe('alive\n');
  });
});

describe('output', () => {
  it('beyond the limit ends the command, and the exit says so', async () => {
    await using sandbox = await sandboxes.start({});
    const { exit, stdout } = await sandbox.run(['cat', '/dev/zero'], { outputBytesMax: 70_000 });
    expect([endOf(exit), detailOf(exit), stdout.length]).toEqual(['stopped by output', 'its output exceeded 70000 bytes', 70_000]);
  });
});
