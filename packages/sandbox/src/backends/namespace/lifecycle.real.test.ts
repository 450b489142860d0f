/** Real sandboxes from their start to their end, however that comes: asked for, aborted, refused, killed. Nothing of them stays. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox, Sandboxes } from '../../contract.ts';
import { openSandboxes, openTestSandboxes } from './open-sandboxes.ts';
import { descendants, footprint, leftBehind, markOfHost, openDescriptors } from './test-support/footprint.ts';
import { endOf, faultOf, shell } from './test-support/words.ts';
import { TestWorkspace } from './test-support/workspace.ts';

const isRoot = process.getuid?.() === 0;
const NEEDS_ROOT = 'it looks at what only root may see';
const MARK = [markOfHost()];
const BEFORE = footprint(MARK);

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(async () => {
  await sandboxes[Symbol.asyncDispose]();
  expect(await leftBehind(MARK, BEFORE)).toEqual([]);
  expect(descendants()).toEqual([]);
});

/** Host pids of the processes with this name that belong to our backends. */
function processesNamed(name: string): readonly number[] {
  return descendants().flatMap((line) => (line.split(' ')[1] === name ? [Number(line.split(' ')[0])] : []));
}

/** Those of them that this process started itself. */
function children(name: string): readonly number[] {
  return processesNamed(name).filter((pid) => readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${process.pid}\n`));
}

/** The host pid of pid 1 of a sandbox: the one whose network namespace it is, as seen from inside. */
async function initOf(sandbox: Sandbox): Promise<number> {
  const namespace = (await shell(sandbox, 'readlink /proc/self/ns/net')).trim();
  const found = processesNamed('warren-init').find((pid) => isFirst(pid) && readlinkSync(`/proc/${pid}/ns/net`) === namespace);
  if (found === undefined) throw new Error(`No process is pid 1 in ${namespace}`);
  return found;
}

function isFirst(pid: number): boolean {
  return /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

describe('a sandbox', () => {
  it('is new each time: nothing of an earlier one is in it', async () => {
    for (let round = 0; round < 5; round++) {
      await using sandbox = await sandboxes.start({});
      expect(await shell(sandbox, 'ls -A /tmp ~ /dev/shm /run; echo x > /tmp/x; echo y > ~/y; echo z > /dev/shm/z')).toBe(
        '/dev/shm:\n\n/home/agent:\n\n/run:\n\n/tmp:\n',
      );
    }
  });

  it('says what it was built from', async () => {
    await using sandbox = await sandboxes.start({ hostname: 'unit', env: { A: 'b' }, limits: { pids: 64 } });
    expect(sandbox.spec).toMatchObject({ hostname: 'unit', env: { A: 'b' }, limits: { pids: 64 }, profile: 'moderate' });
    expect(await shell(sandbox, 'hostname; echo $A; pwd')).toBe('unit\nb\n/home/agent\n');
  });

  it('ends when it is disposed, says so, and leaves nothing; twice is once', async () => {
    const sandbox = await sandboxes.start({});
    const running = sandbox.exec(['sleep', '1000']);
    await running.pid;
    await Promise.all([sandbox[Symbol.asyncDispose](), sandbox[Symbol.asyncDispose]()]);
    await sandbox[Symbol.asyncDispose]();
    expect(endOf(await running.exit)).toBe('stopped by destroyed');
    const { reason, usage } = await sandbox.gone;
    expect(reason).toBe('destroyed');
    expect(usage).toMatchObject({ userCpuMs: expect.any(Number), systemCpuMs: expect.any(Number) });
    expect(usage?.memoryBytesMax).toBeGreaterThanOrEqual(0); // The kernel counts small ones in batches.
    expect(processesNamed('sleep')).toEqual([]);
  });

  it('refuses everything once it is gone', async () => {
    const sandbox = await sandboxes.start({});
    await sandbox[Symbol.asyncDispose]();
    expect(() => sandbox.exec(['true'])).toThrow(expect.objectContaining({ code: 'sandbox_gone' }));
    const calls = [
      sandbox.run(['true']),
      sandbox.stat('/'),
      sandbox.list('/'),
      sandbox.writeFile('/tmp/x', 'x'),
      sandbox.mkdir('/tmp/d'),
      sandbox.remove('/tmp/x'),
      sandbox.pause(),
      sandbox.resume(),
    ];
    expect(await Promise.all(calls.map(faultOf))).toEqual(calls.map(() => 'sandbox_gone'));
    expect(await sandbox.stats()).toMatchObject({ memoryBytes: undefined, pids: undefined });
    sandbox.signal('SIGTERM'); // Nobody is there to get it.
  });

  it('is lost when its pid 1 is killed, and says so', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    const sandbox = await sandboxes.start({});
    const running = sandbox.exec(['sleep', '1000']);
    await running.pid;
    process.kill(await initOf(sandbox), 'SIGKILL');
    expect((await sandbox.gone).reason).toBe('lost');
    expect(await faultOf(running.exit)).toBe('sandbox_gone');
    expect(await faultOf(sandbox.pause())).toBe('sandbox_gone');
    await sandbox[Symbol.asyncDispose]();
  });

  it('tells what it uses', async ({ skip }) => {
    skip(!isRoot, 'a user has no counters');
    await using sandbox = await sandboxes.start({});
    const sleepers = Array.from({ length: 5 }, () => sandbox.exec(['sleep', '1000']));
    await Promise.all(sleepers.map(({ pid }) => pid));
    await shell(sandbox, 'head -c 5000000 /dev/zero > /tmp/x');
    const stats = await sandbox.stats();
    expect(stats.pids).toBe(6);
    expect(stats.memoryBytes).toBeGreaterThan(5_000_000);
    expect(stats.memoryBytesMax).toBeGreaterThanOrEqual(stats.memoryBytes ?? 0);
    expect(stats.cpuMs).toBeGreaterThan(0);
    expect(stats).toMatchObject({ oomKills: 0, pidsDenied: 0 });
  });

  it('does not tell where on the host it comes from', async () => {
    await using workspace = await TestWorkspace.create();
    await using sandbox = await sandboxes.start({ workspace: workspace.mount('overlay') });
    const told = await shell(sandbox, 'cat /proc/1/cmdline /proc/[0-9]*/cmdline /proc/1/comm; cat /proc/self/cgroup /proc/self/environ');
    expect(told).toContain('warren-init');
    for (const secret of ['warren-launcher', '/warren/', `${process.pid}-`, workspace.directory]) expect(told).not.toContain(secret);
  });

  it('shows a pid 1 that holds nothing but what it needs', async ({ skip }) => {
    skip(!isRoot, NEEDS_ROOT);
    await using sandbox = await sandboxes.start({});
    const pid = await initOf(sandbox);
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\d{3,}/, 'N')}`);
    expect(open.slice(0, 3)).toEqual(['0 /dev/null', '1 /dev/null', '2 /dev/null']);
    const others = open.slice(3).map((line) => line.slice(line.indexOf(' ') + 1));
    // The host's connection, its cgroup (with one kept ready for the next command), and what its loop waits with.
    for (const other of others) expect(other).toMatch(/^socket:\[N\]$|\/warren\/|^anon_inode:\[(signalfd|eventpoll)\]$/);
    expect(others.filter((other) => other.startsWith('socket'))).toHaveLength(1);
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toMatch(/^PATH=[^\0]*\0?$/);
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NoNewPrivs:\t1$/m);
  });
});

describe('many sandboxes', () => {
  it('live side by side: a hundred at once, with ids of their own, and nothing stays', async () => {
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const started = await Promise.all(numbers.map((number) => sandboxes.start({ hostname: `n${number}` })));
    const answers = await Promise.all(
      started.map((sandbox) => shell(sandbox, 'hostname; tr -s " " < /proc/self/uid_map; ls /proc | grep -c "^[0-9]"')),
    );
    expect(answers.map((answer) => answer.split('\n')[0])).toEqual(numbers.map((number) => `n${number}`));
    if (isRoot) expect(new Set(answers.map((answer) => answer.split('\n')[1])).size).toBe(100);
    expect(new Set(started.map(({ id }) => id)).size).toBe(100);
    await Promise.all(started.map((sandbox) => sandbox[Symbol.asyncDispose]()));
    expect((await Promise.all(started.map(({ gone }) => gone))).every(({ reason }) => reason === 'destroyed')).toBe(true);
  }, 60_000);

  it('started and ended again and again leak no descriptor', async () => {
    const cycle = async (): Promise<void> => {
      await using sandbox = await sandboxes.start({});
      await sandbox.run(['true']);
    };
    await cycle();
    const before = openDescriptors();
    for (let round = 0; round < 30; round++) await cycle();
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });
});

describe.each(['cgroup', 'v1 freezer', 'signals'] as const)('pausing by %s', (how) => {
  const open = (): Promise<Sandboxes> => openTestSandboxes(how === 'cgroup' ? {} : { cgroups: how === 'signals' ? 'none' : 'v1' });

  it('stops every command, and resuming lets them go on; twice is once', async ({ skip }) => {
    skip(!isRoot && how !== 'signals', 'a user has no cgroups unless a manager delegates some');
    await using own = await open();
    expect(own.capabilities.pause).toBe(how === 'signals' ? 'signals' : 'cgroup');
    await using sandbox = await own.start({});
    await using other = await own.start({});
    const counting = sandbox.exec(['sh', '-c', 'setsid sh -c "while :; do echo inner; done" & while :; do echo outer; done']);
    const output = counting.stdout[Symbol.asyncIterator]();
    await output.next();
    await sandbox.pause();
    await sandbox.pause();
    if (how === 'signals') {
      // pid 1 answers; the commands are stopped, whatever session they are in.
      await shell(sandbox, 'until [ $(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") T ") -ge 2 ]; do :; done');
    } else {
      // Nothing inside runs, so a request waits, however much else is done meanwhile.
      let isAnswered = false;
      const waiting = sandbox.run(['true']).then(() => {
        isAnswered = true;
      });
      for (let round = 0; round < 20; round++) await other.run(['true']);
      expect(isAnswered).toBe(false);
      await sandbox.resume();
      await waiting;
    }
    await sandbox.resume();
    await sandbox.resume();
    for (let chunks = 0; chunks < 20; chunks++) expect((await output.next()).done).toBe(false);
    counting.kill('SIGKILL', 'tree');
    expect(endOf(await counting.exit)).toBe('signalled SIGKILL');
  });

  it('keeps nobody from ending the sandbox', async ({ skip }) => {
    skip(!isRoot && how !== 'signals', 'a user has no cgroups unless a manager delegates some');
    await using own = await open();
    const sandbox = await own.start({});
    const running = sandbox.exec(['sleep', '1000']);
    await running.pid;
    await sandbox.pause();
    await sandbox[Symbol.asyncDispose]();
    expect(endOf(await running.exit)).toBe('stopped by destroyed');
    const paused = await own.start({});
    await paused.pause(); // The backend ends with this one in it.
  });
});

describe('aborting a start', () => {
  it('before it begins starts nothing', async () => {
    const reason = new Error('never mind');
    await expect(sandboxes.start({}, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('at any moment leaves either a sandbox or nothing', async () => {
    const before = processesNamed('warren-init').length;
    const outcomes = { started: 0, aborted: 0 };
    for (let turns = 0; turns < 60; turns++) {
      const abort = new AbortController();
      const reason = new Error(`after ${turns} turns`);
      const starting = sandboxes.start({}, abort.signal);
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      abort.abort(reason);
      try {
        await using sandbox = await starting;
        expect(endOf((await sandbox.run(['true'])).exit)).toBe('exited 0');
        outcomes.started += 1;
      } catch (error) {
        expect(error).toBe(reason);
        outcomes.aborted += 1;
      }
    }
    expect(outcomes.aborted).toBeGreaterThan(0);
    await using last = await sandboxes.start({});
    expect(endOf((await last.run(['true'])).exit)).toBe('exited 0');
    expect(processesNamed('warren-init').length).toBeLessThanOrEqual(before + 4); // This one, and blanks.
  });

  it('after it is done changes nothing', async () => {
    const abort = new AbortController();
    await using sandbox = await sandboxes.start({}, abort.signal);
    abort.abort();
    expect(await shell(sandbox, 'echo here')).toBe('here\n');
  });
});

describe('a start that fails', () => {
  it('without a launcher says so, whatever stands in its place', async () => {
    await using directory = await TemporaryDirectory.create();
    const file = (name: string, content: string, mode = 0o755): string => {
      writeFileSync(directory.join(name), content, { mode });
      return directory.join(name);
    };
    const places = {
      '/no/such/launcher': 'wall_unavailable',
      [directory.path]: 'wall_unavailable',
      [file('data', 'no program', 0o644)]: 'wall_unavailable',
      '/bin/true': 'sandbox_gone',
      '/bin/false': 'sandbox_gone',
      [file('garbage', '#!/bin/sh\necho garbage, not a frame >&3; exec sleep 1000\n')]: 'sandbox_gone',
      [file('words', '#!/bin/sh\necho I am not the launcher you seek >&2; exit 7\n')]: 'sandbox_gone',
      [file('json', '#!/bin/sh\necho \'{"stage":"cgroup","call":"mkdir","path":"/x","errno":13,"error":"EACCES"}\' >&2; exit 125\n')]:
        'wall_unavailable',
    };
    for (const [launcher, code] of Object.entries(places))
      expect([launcher, await faultOf(openSandboxes({ launcher }))]).toEqual([launcher, code]);
    await expect(openSandboxes({ launcher: directory.join('words') })).rejects.toThrow(/exit code 7: I am not the launcher/);
    await expect(openSandboxes({ launcher: directory.join('json') })).rejects.toMatchObject({
      details: { wall: 'cgroups', errno: 'EACCES' },
    });
    expect(processesNamed('sleep')).toEqual([]); // Also the one that went on was ended.
  });

  it('because a directory has gone meanwhile names the wall, the call and the path', async () => {
    for (const kind of ['writable', 'overlay'] as const) {
      await using workspace = await TestWorkspace.create();
      const starting = sandboxes.start({ workspace: workspace.mount(kind) }); // It has looked; the launcher has not.
      rmSync(workspace.directory, { recursive: true });
      const error = await starting.catch((caught: unknown) => caught);
      if (!isFault(error, 'wall_unavailable')) throw new Error(`Not a missing wall: ${String(error)}`);
      expect(error.details).toMatchObject({
        wall: 'file system',
        stage: 'mount',
        call: 'open_tree',
        path: workspace.directory,
        errno: 'ENOENT',
      });
      expect(error.details?.fix).toBeTruthy();
    }
  });

  it('because a hostile directory leads a mount elsewhere says so, and mounts nothing', async () => {
    await using hostile = await TestWorkspace.create();
    mkdirSync(hostile.join('real'));
    symlinkSync('/etc', hostile.join('absolute'));
    symlinkSync('../../../../../etc', hostile.join('up'));
    symlinkSync('real', hostile.join('beside'));
    symlinkSync('none', hostile.join('dangling'));
    symlinkSync('/proc/self/root', hostile.join('magic'));
    writeFileSync(hostile.join('file'), '');
    const first = { source: hostile.directory, target: '/data', writable: true };
    for (const name of [
      'absolute',
      'absolute/x',
      'up',
      'up/x',
      'beside',
      'beside/x',
      'dangling',
      'dangling/x',
      'magic',
      'magic/etc',
      'file/x',
    ]) {
      const second = { source: '/usr/share', target: `/data/${name}` };
      const error = await sandboxes.start({ mounts: [first, second] }).catch((caught: unknown) => caught);
      if (!isFault(error, 'wall_unavailable')) throw new Error(`${name}: not a missing wall: ${String(error)}`);
      expect([name, error.details]).toMatchObject([
        name,
        { wall: 'file system', stage: 'mount', errno: expect.stringMatching(/^ELOOP$|^ENOTDIR$/) },
      ]);
    }
    expect(readdirSync(hostile.directory).toSorted()).toEqual(['absolute', 'beside', 'dangling', 'file', 'magic', 'real', 'up']);
    await using sandbox = await sandboxes.start({ mounts: [first, { source: '/usr/share', target: '/data/real' }] });
    expect(await shell(sandbox, 'test -d /data/real/doc && readlink /data/up')).toBe('../../../../../etc\n');
  });

  it('leaves the backend as it was', async () => {
    expect(await faultOf(sandboxes.start({ hostname: '-' }))).toBe('invalid_argument');
    await using sandbox = await sandboxes.start({});
    expect(await shell(sandbox, 'echo fine')).toBe('fine\n');
  });
});

describe('a backend', () => {
  it('takes all its sandboxes along, also those on their way, and starts no more', async () => {
    const own = await openSandboxes();
    const running = await own.start({});
    const command = running.exec(['sleep', '1000']);
    await command.pid;
    const onTheirWay = Array.from({ length: 10 }, () => own.start({}));
    const fates = Promise.all(
      onTheirWay.map((start) =>
        start.then(
          async (sandbox) => (await sandbox.gone).reason,
          (error: unknown) => isFault(error) && error.code,
        ),
      ),
    );
    await Promise.all([own[Symbol.asyncDispose](), own[Symbol.asyncDispose]()]);
    for (const fate of await fates) expect(['lost', 'sandbox_gone']).toContain(fate);
    expect((await running.gone).reason).toBe('lost');
    expect(await faultOf(command.exit)).toBe('sandbox_gone');
    expect(await faultOf(own.start({}))).toBe('sandbox_gone');
    await running[Symbol.asyncDispose]();
  });

  it.for(['every cgroup', 'none'] as const)(
    'loses its sandboxes with its launcher, and the next start has a new one (with %s)',
    async (cgroups, { skip }) => {
      skip(!isRoot, NEEDS_ROOT);
      const others = children('warren-launcher');
      await using own = await openTestSandboxes(cgroups === 'none' ? { cgroups } : {});
      const [launcher] = children('warren-launcher').filter((pid) => !others.includes(pid));
      const old = await own.start({ env: { MARK: `lost-${process.pid}-${cgroups}` } });
      const command = old.exec(['sleep', '1000']);
      await command.pid;
      const init = await initOf(old);
      process.kill(launcher ?? 0, 'SIGKILL');
      expect((await old.gone).reason).toBe('lost');
      expect(await faultOf(command.exit)).toBe('sandbox_gone');
      // At once, while the cgroups of the old one are still going away; and several, of which one starts the launcher.
      const fresh = await Promise.all(Array.from({ length: 5 }, () => own.start({})));
      for (const sandbox of fresh) expect(await shell(sandbox, 'echo new')).toBe('new\n');
      // The kernel has ended the old one, cgroups or not.
      expect(await leftBehind([`lost-${process.pid}-${cgroups}`])).toEqual([]);
      expect(processesNamed('warren-init')).not.toContain(init);
      await Promise.all(fresh.map((sandbox) => sandbox[Symbol.asyncDispose]()));
      await old[Symbol.asyncDispose]();
    },
  );

  it('opens and closes beside others, without getting into their way', async () => {
    // The directory that launchers share comes and goes with the first and the last of them.
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let round = 0; round < 3; round++) {
          await using own = await openSandboxes({ spares: 0 });
          await using sandbox = await own.start({});
          expect(await shell(sandbox, 'echo here')).toBe('here\n');
        }
      }),
    );
  }, 60_000);

  it('refuses a number of spares that makes no sense', async () => {
    for (const spares of [-1, 65, 0.5, Number.NaN]) expect(await faultOf(openSandboxes({ spares }))).toBe('invalid_argument');
  });

  it('knows when there is nothing left of it', () => {
    expect(footprint(MARK).length).toBeGreaterThan(BEFORE.length); // The check at the end of this file sees something.
  });
});
