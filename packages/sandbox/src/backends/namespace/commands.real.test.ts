/** Commands in real sandboxes, where it is about much, many, or malice. What every guest does is in the conformance cases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox, Sandboxes } from '../../contract.ts';
import { openSandboxes, openTestSandboxes } from './open-sandboxes.ts';
import { buildProgram, PROGRAMS } from './test-support/programs.ts';
import { endOf, faultOf, said, shell, text } from './test-support/words.ts';

const isRoot = process.getuid?.() === 0;
const MIB = 1_048_576;

let sandboxes: Sandboxes;
let poor: Sandboxes; // As on a host without cgroups.
beforeAll(async () => {
  sandboxes = await openSandboxes();
  poor = await openTestSandboxes({ cgroups: 'none' });
});
afterAll(async () => {
  await sandboxes[Symbol.asyncDispose]();
  await poor[Symbol.asyncDispose]();
});

describe('much', () => {
  it('output streams through without filling the memory of the host', { timeout: 120_000 }, async () => {
    await using sandbox = await sandboxes.start({ limits: { cpus: null } });
    const execution = sandbox.exec(['head', '-c', `${1_024 * MIB}`, '/dev/zero']);
    const before = process.memoryUsage().rss;
    let bytes = 0;
    let most = 0;
    for await (const chunk of execution.stdout) {
      bytes += chunk.length;
      most = Math.max(most, process.memoryUsage().rss);
    }
    expect([bytes, endOf(await execution.exit)]).toEqual([1_024 * MIB, 'exited 0']);
    expect(most - before).toBeLessThan(200 * MIB);
  });

  it('output that nobody reads makes the command wait, and costs no more than its window', async () => {
    await using sandbox = await sandboxes.start({});
    const silent = sandbox.exec(['sh', '-c', 'head -c 10000000 /dev/zero; echo done > /tmp/done']);
    await silent.pid;
    for (let round = 0; round < 20; round++) await sandbox.run(['true']);
    expect(await faultOf(sandbox.stat('/tmp/done'))).toBe('not_found');
    let bytes = 0;
    for await (const chunk of silent.stdout) bytes += chunk.length;
    expect(bytes).toBe(10_000_000);
    expect((await sandbox.stat('/tmp/done')).kind).toBe('file');
  });

  it('argument text is refused: by the protocol as a whole, by the kernel in one piece', async () => {
    await using sandbox = await sandboxes.start({});
    expect(await faultOf(sandbox.run(['true', 'x'.repeat(2 * MIB)]))).toBe('too_large');
    expect(await faultOf(sandbox.run(['true', ...Array.from({ length: 2_000 }, () => 'x'.repeat(1_000))]))).toBe('too_large');
    expect(await faultOf(sandbox.run(['true'], { env: { BIG: 'x'.repeat(2 * MIB) } }))).toBe('too_large');
    expect(await faultOf(sandbox.run(['true', ...Array.from({ length: 40_000 }, () => '')]))).toBe('too_large');
    // Linux takes 128 KiB in one argument (MAX_ARG_STRLEN).
    expect(said(await sandbox.run(['true', 'x'.repeat(200_000)]))).toMatch(/^not started: exec E2BIG/);
    const most = await sandbox.run(['sh', '-c', 'echo $#', 'sh', ...Array.from({ length: 9 }, () => 'x'.repeat(100_000))]);
    expect(text(most.stdout)).toBe('9\n');
  });

  it.each(['cgroup', 'subreaper'] as const)(
    'at once: 300 commands, each with its own streams (trees held by %s)',
    async (killTree) => {
      const backend = killTree === 'cgroup' ? sandboxes : poor;
      if (isRoot) expect(backend.capabilities.killTree).toBe(killTree);
      await using sandbox = await backend.start({ limits: { pids: 2_000 } });
      const numbers = Array.from({ length: 300 }, (_, index) => index);
      const results = await Promise.all(
        numbers.map((number) => sandbox.run(['sh', '-c', `cat; echo err ${number} >&2; exit ${number % 200}`], { stdin: `in ${number}` })),
      );
      expect(results.map(({ stdout, stderr, exit }) => [text(stdout), text(stderr), endOf(exit)])).toEqual(
        numbers.map((number) => [`in ${number}`, `err ${number}\n`, `exited ${number % 200}`]),
      );
    },
    60_000,
  );

  it('more at once than there are channels is refused, and nothing is lost', async () => {
    await using sandbox = await sandboxes.start({ limits: { pids: 4_000, openFiles: 16 } });
    const waiting = Array.from({ length: 1_024 }, () => sandbox.exec(['cat'], { stdin: 'pipe' }));
    expect(() => sandbox.exec(['true'])).toThrow(expect.objectContaining({ code: 'busy' }));
    for (const execution of waiting) execution.closeStdin();
    for (const { exit } of waiting) expect(endOf(await exit)).toBe('exited 0');
    expect(await shell(sandbox, 'echo room')).toBe('room\n');
  }, 60_000);
});

describe.each(['cgroup', 'subreaper'] as const)('a tree held by a %s', (killTree) => {
  const start = () => (killTree === 'cgroup' ? sandboxes : poor).start({});

  it('is ended however early the order comes', async () => {
    await using sandbox = await start();
    for (let round = 0; round < 50; round++) {
      const execution = sandbox.exec(['sleep', '1000']);
      if (round % 2 === 1) await execution.pid;
      execution.kill('SIGKILL', (['tree', 'process', 'group'] as const)[round % 3]);
      expect(endOf(await execution.exit)).toBe('signalled SIGKILL');
    }
  });

  it('is ended with all that left its session, its parent and its name', async () => {
    await using sandbox = await start();
    const script = `
      for i in 1 2 3; do (setsid sh -c 'trap "" TERM HUP INT; (setsid sh -c "exec -a hidden sleep 1000 || exec sleep 1000" &); exec sleep 1000' &); done
      echo ready; exec sleep 1000`;
    const execution = sandbox.exec(['sh', '-c', script]);
    await execution.stdout[Symbol.asyncIterator]().next();
    execution.kill('SIGKILL', 'tree');
    expect(endOf(await execution.exit)).toBe('signalled SIGKILL');
    let left = '';
    for (let tries = 0; tries < 200 && left !== '0\n'; tries++)
      left = await shell(sandbox, 'grep -lw sleep /proc/[0-9]*/comm 2>/dev/null | wc -l');
    expect(left).toBe('0\n');
  });

  it('of one command is not that of another', async () => {
    await using sandbox = await start();
    const one = sandbox.exec(['sh', '-c', 'sleep 1000 & sleep 1000']);
    const other = sandbox.exec(['sh', '-c', 'echo ready; read -r line; echo $line'], { stdin: 'pipe' });
    const output = other.stdout[Symbol.asyncIterator]();
    await output.next();
    await one.pid;
    one.kill('SIGKILL', 'tree');
    expect(endOf(await one.exit)).toBe('signalled SIGKILL');
    await other.write(Buffer.from('still here\n'));
    expect(text((await output.next()).value ?? new Uint8Array())).toBe('still here\n');
    expect(endOf(await other.exit)).toBe('exited 0');
  });

  it('may stay behind when its command ends by itself, without holding up its output', async () => {
    await using sandbox = await start();
    // Four that begin to flood when the shell is gone.
    const flood = 'while kill -0 $$ 2>/dev/null; do :; done; exec cat /dev/zero';
    const { exit, stdout } = await sandbox.run(['sh', '-c', `for i in 1 2 3 4; do (${flood}) & done; echo said; exit 4`]);
    expect(endOf(exit)).toBe('exited 4');
    // What the shell said, and at most what was in the pipe when that was noticed; the flood goes nowhere.
    expect(text(stdout)).toMatch(/^said\n\0*$/);
    expect(stdout.length).toBeLessThanOrEqual('said\n'.length + 65_536);
    await shell(sandbox, 'until [ "$(grep -lw cat /proc/[0-9]*/comm | wc -l)" = 4 ]; do :; done');
  });

  it('ends with its command when it was asked to: what forked twice and left its session, its parent and its descriptors', async () => {
    await using sandbox = await start();
    const daemon = `import os
if os.fork() == 0:
  os.setsid()
  if os.fork() == 0:
    for fd in range(3, 64):
      try: os.close(fd)
      except OSError: pass
    os.dup2(os.open("/dev/null", os.O_RDWR), 0); os.dup2(0, 1); os.dup2(0, 2)
    open("/tmp/up", "w").close()
    os.execvp("sleep", ["sleep", "1000"])
  os._exit(0)`;
    const { exit } = await sandbox.run(['sh', '-c', `python3 -c '${daemon}'; until [ -e /tmp/up ]; do :; done; exit 3`], {
      endsTree: true,
    });
    expect(exit).toMatchObject({ kind: 'exited', code: 3, leftoversEnded: 1 });
    expect(await countOf(sandbox, 'sleep', '0')).toBe('0');
  });

  it('that ends with its command does not hold up its output, though it has it open and floods it', async () => {
    await using sandbox = await start();
    const { exit, stdout } = await sandbox.run(
      ['sh', '-c', 'sleep 1000 & cat /dev/zero & (trap "" TERM HUP; exec setsid sleep 1000) & echo said; exit 4'],
      { endsTree: true, outputBytesMax: 1_073_741_824 },
    );
    expect(exit).toMatchObject({ kind: 'exited', code: 4, leftoversEnded: 3 });
    expect(text(stdout)).toContain('said\n');
    expect(await countOf(sandbox, 'sleep', '0')).toBe('0');
  });

  it('that ends with its command leaves the other commands alone', async () => {
    await using sandbox = await start();
    const other = sandbox.exec(['sh', '-c', 'sleep 1000 & echo up; wait']);
    await other.stdout[Symbol.asyncIterator]().next();
    const { exit } = await sandbox.run(['sh', '-c', 'sleep 1000 & sleep 1000 & exit 0'], { endsTree: true });
    expect(exit).toMatchObject({ kind: 'exited', code: 0, leftoversEnded: 2 });
    expect(await countOf(sandbox, 'sleep', '1')).toBe('1');
  });

  it('ends with a command that is ended at its deadline, or by a signal', async () => {
    await using sandbox = await start();
    const late = await sandbox.run(['sh', '-c', 'setsid sleep 1000 & sleep 1000'], { endsTree: true, timeoutMs: 50 });
    expect(endOf(late.exit)).toBe('stopped by deadline');
    const dead = await sandbox.run(['sh', '-c', 'setsid sleep 1000 & kill -SEGV $$'], { endsTree: true });
    expect(dead.exit).toMatchObject({ kind: 'signalled', signal: 'SIGSEGV', leftoversEnded: 1 });
    expect(await countOf(sandbox, 'sleep', '0')).toBe('0');
  });

  it('ends with a command that was a fork bomb and has gone first', { timeout: 120_000 }, async () => {
    buildProgram('fork-bomb');
    const backend = killTree === 'cgroup' ? sandboxes : poor;
    await using sandbox = await backend.start({ limits: { pids: 64 }, mounts: [{ source: PROGRAMS, target: '/programs' }] });
    const bomb = sandbox.exec(['sh', '-c', '/programs/fork-bomb & read -r line; exit 6'], { stdin: 'pipe', endsTree: true });
    await bomb.pid;
    while (endOf((await sandbox.run(['true'])).exit) === 'exited 0') await sandbox.stats(); // Until there is no room left.
    bomb.closeStdin();
    const exit = await bomb.exit;
    expect(endOf(exit)).toBe('exited 6');
    expect(exit.kind === 'exited' && (exit.leftoversEnded ?? 0) > 10).toBe(true);
    expect(await countOf(sandbox, 'fork-bomb', '0')).toBe('0');
  });

  it('keeps the real exit code of many short commands', async () => {
    await using sandbox = await start();
    const codes = Array.from({ length: 200 }, (_, index) => index % 256);
    const exits = await Promise.all(codes.map((code) => sandbox.run(['sh', '-c', `(true &); exit ${code}`])));
    expect(exits.map(({ exit }) => endOf(exit))).toEqual(codes.map((code) => `exited ${code}`));
  });
});

/** As the same user as its keeper, which is how everything runs where there is one id only. */
describe('a command that attacks what holds its tree together', () => {
  const AS_INIT = { user: { uid: 0, gid: 0 }, cwd: '/' };

  it('by stopping it is still ended by its deadline', async ({ skip }) => {
    skip(!isRoot, 'the tests of a user do the same with its single id');
    await using sandbox = await poor.start({});
    const { exit } = await sandbox.run(['sh', '-c', 'kill -STOP $PPID; exec sleep 1000'], { ...AS_INIT, timeoutMs: 50, killGraceMs: 10 });
    expect(endOf(exit)).toBe('stopped by deadline');
    expect(await shell(sandbox, 'echo alive')).toBe('alive\n');
  });

  it('by signals that can be ignored achieves nothing', async ({ skip }) => {
    skip(!isRoot, 'the tests of a user do the same with its single id');
    await using sandbox = await poor.start({});
    const script = 'for s in $(seq 1 64); do [ $s != 9 ] && [ $s != 19 ] && kill -$s $PPID; done; exit 5';
    expect(endOf((await sandbox.run(['sh', '-c', script], AS_INIT)).exit)).toBe('exited 5');
  });

  it('by killing it ends the whole sandbox, rather than to escape', async ({ skip }) => {
    skip(!isRoot, 'the tests of a user do the same with its single id');
    await using sandbox = await poor.start({});
    expect(await faultOf(sandbox.run(['sh', '-c', 'kill -KILL $PPID; exec sleep 1000'], AS_INIT))).toBe('sandbox_gone');
    expect((await sandbox.gone).reason).toBe('lost');
  });

  it('cannot do any of it as the agent', async ({ skip }) => {
    skip(!isRoot, 'needs two users inside');
    await using sandbox = await poor.start({});
    expect(said(await sandbox.run(['sh', '-c', 'kill -KILL $PPID; kill -KILL 1; kill -STOP $PPID; exit 6']))).toMatch(
      /^exited 6 .*not permitted/,
    );
  });
});

describe('a user inside', () => {
  it('can be anyone of the range, and holds nothing of anybody else', async ({ skip }) => {
    skip(!isRoot, 'a single id is one user');
    await using sandbox = await sandboxes.start({});
    for (const user of [
      { uid: 0, gid: 0 },
      { uid: 1_000, gid: 1_000 },
      { uid: 65_535, gid: 4_711 },
    ]) {
      const script = 'id -u; id -g; grep -E "^(Groups|CapEff|CapBnd|CapPrm)" /proc/self/status';
      const zeros = '0000000000000000';
      expect((await shell(sandbox, script, { user, cwd: '/' })).replaceAll(/[ \t]+/g, '')).toBe(
        `${user.uid}\n${user.gid}\nGroups:\nCapPrm:${zeros}\nCapEff:${zeros}\nCapBnd:${zeros}\n`,
      );
    }
    for (const uid of [65_536, 2 ** 32 - 2])
      expect(said(await sandbox.run(['true'], { user: { uid, gid: 0 }, cwd: '/' }))).toMatch(/^not started: identity EINVAL/);
    await shell(sandbox, 'echo x > /tmp/mine; chmod 600 /tmp/mine');
    expect(await faultOf(sandbox.writeFile('/tmp/mine', 'y', { user: { uid: 1_001, gid: 1_001 }, append: true }))).toBe(
      'permission_denied',
    );
  });
});

/** Processes of this name in the sandbox, once there are `expected` or after many looks: a process that was killed dies soon, not at once. */
async function countOf(sandbox: Sandbox, name: string, expected: string): Promise<string> {
  const count = `n=0; for f in /proc/[0-9]*/comm; do read -r name < $f && [ "$name" = ${name} ] && n=$((n+1)); done; echo $n`;
  let found = '';
  for (let tries = 0; tries < 500 && found !== expected; tries++) found = text((await sandbox.run(['sh', '-c', count])).stdout).trim();
  return found;
}
