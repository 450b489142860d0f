/** The launcher's binary by itself: what comes in, what goes out, and what is left. As root, for root may make any map. */

import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { TemporaryDirectory } from '@warren/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { findLauncher } from './open-sandboxes.ts';
import { footprint, leftBehind } from './test-support/footprint.ts';
import { NOBODY, PublicLauncher } from './test-support/nobody.ts';
import { inBatches, plannedSpec, runOneshot, startOneshot } from './test-support/oneshot.ts';

const isRoot = process.getuid?.() === 0;

beforeEach(({ skip }) => {
  skip(!isRoot, "these specs map ids as only root may; the tests of a user's sandbox run without");
});

/** In the environment of every launcher here, and so of everything it makes. */
const MARK = `launcher-run-${process.pid}`;
const launcherEnv = { MARK };

/** The least a sandbox can be made of: the system, and nothing else. */
const BARE = ['--hostname', 'bare', '--uid-map', '0', '0', '1', '--gid-map', '0', '0', '1', '--root', 'size=1m,mode=0755'];
const SYSTEM = ['--bind', '/usr', 'usr', 'ro', ...['bin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, name])];
const PROC = ['--proc', 'proc', '', ''];

describe('an exit code', () => {
  it("is the command's own, from 0 to 255", async () => {
    const codes = Array.from({ length: 256 }, (_, code) => code);
    const ends = await inBatches(codes, 8, (code) => runOneshot(['sh', '-c', `exit ${code}`], { spec: [...BARE, ...SYSTEM] }));
    expect(ends.map(({ code }) => code)).toEqual(codes);
    expect(ends.filter(({ stderr }) => stderr !== '')).toEqual([]);
  }, 60_000);

  it('is 128 and the number of the signal that ended the command', async () => {
    const harmless = new Set([constants.signals.SIGCHLD, constants.signals.SIGCONT, constants.signals.SIGURG, constants.signals.SIGWINCH]);
    const stopping = new Set([constants.signals.SIGSTOP, constants.signals.SIGTSTP, constants.signals.SIGTTIN, constants.signals.SIGTTOU]);
    const signals = Array.from({ length: 64 }, (_, index) => index + 1).filter(
      (signal) => !harmless.has(signal) && !stopping.has(signal) && signal !== 32 && signal !== 33, // These two are the C library's.
    );
    const ends = await inBatches(signals, 8, (signal) => runOneshot(['sh', '-c', `kill -${signal} $$`], { spec: [...BARE, ...SYSTEM] }));
    expect(ends.map(({ code }) => code)).toEqual(signals.map((signal) => 128 + signal));
  }, 30_000);

  it('is 127 for a program that does not exist, and 126 for one that cannot be executed, with the reason', async () => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('data'), 'no program', { mode: 0o644 });
    writeFileSync(directory.join('garbage'), '\x01\x02', { mode: 0o755 });
    writeFileSync(directory.join('script'), '#!/no/such/interpreter\n', { mode: 0o755 });
    const spec = [...BARE, ...SYSTEM, '--bind', directory.path, 'd', 'ro'];
    const cases = [
      ['none', 127, 'ENOENT'],
      ['/d/none', 127, 'ENOENT'],
      ['/d/script', 127, 'ENOENT'],
      ['/d/data/x', 126, 'ENOTDIR'],
      ['/d/data', 126, 'EACCES'],
      ['/d', 126, 'EACCES'],
      ['/d/garbage', 126, 'ENOEXEC'],
      ['', 127, 'ENOENT'],
    ] as const;
    for (const [program, code, error] of cases) {
      const end = await runOneshot([program], { spec });
      expect([program, end.code, JSON.parse(end.stderr)]).toEqual([
        program,
        code,
        { stage: 'exec', call: 'execve', path: program, errno: constants.errno[error], error },
      ]);
    }
  });

  it('is 125 for arguments that make no sense, with the usage', async () => {
    for (const args of [
      [],
      ['fly'],
      ['run'],
      ['serve'],
      ['serve', '--control-fd', '99'],
      ['run', '--spec-fd', 'x', '--', 'true'],
      ['version', 'x'],
    ]) {
      const end = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
        execFile(findLauncher(), args, (error, _, stderr) => resolve({ code: error?.code, stderr }));
      });
      expect([args, end.code, end.stderr.split(' ')[0]]).toEqual([args, 125, 'usage:']);
    }
  });
});

describe('a wall that cannot be built', () => {
  it.each([
    ['a source that is not there', ['--bind', '/no/such', 'x', 'ro'], 'mount', 'open_tree', '/no/such', 'ENOENT'],
    ['a source that is not there, from outside', ['--bind', '/no/such', 'x', 'outside'], 'mount', 'open_tree', '/no/such', 'ENOENT'],
    ['a target behind a link', ['--bind', '/tmp', 'bin/x', 'ro'], 'mount', 'openat2', 'bin/x', 'ELOOP'],
    ['a target that is a link', ['--bind', '/tmp', 'bin', 'ro'], 'mount', 'openat2', 'bin', 'ELOOP'],
    ['a target on a file', ['--file', 'f', '644', '', '--bind', '/tmp', 'f/x', 'ro'], 'mount', 'openat2', 'f/x', 'ENOTDIR'],
    ['a target of another kind', ['--file', 'f', '644', '', '--bind', '/tmp', 'f', 'ro'], 'mount', 'move_mount', 'f', 'EINVAL'],
    ['a target in what is read-only', ['--bind', '/tmp', 'usr/none', 'ro'], 'mount', 'mkdir', 'usr/none', 'EROFS'],
    ['a file that is there already', ['--file', 'f', '644', '', '--file', 'f', '644', ''], 'mount', 'write', 'f', 'EEXIST'],
    ['a link that is there already', ['--symlink', 'x', 'bin'], 'mount', 'symlink', 'bin', 'EEXIST'],
    ['a file larger than the root', ['--root', 'size=64k', '--file', 'f', '644', 'x'.repeat(100_000)], 'mount', 'write', 'f', 'ENOSPC'],
    ['an overlay without a layer', ['--overlay', 'w', '/tmp', '/no/such', ''], 'mount', 'open_tree', '/no/such', 'ENOENT'],
    ['an overlay whose layer is empty', ['--overlay', 'w', '/usr', '/usr/share', ''], 'mount', 'overlay', '/usr/share', 'ENOENT'],
    ['options that proc does not know', ['--proc', 'proc', 'colour=red', ''], 'mount', 'proc', 'proc', 'EINVAL'],
    ['a Landlock rule for nothing', ['--landlock', '/no/such', 'read'], 'landlock', 'open', '/no/such', 'ENOENT'],
    ['a cgroup in no hierarchy', ['--cgroup', '0'], 'cgroup', 'mkdir', '', 'ENOENT'],
    ['another user than those mapped', ['--init', '5', '5'], 'identity', 'setresgid', '', 'EINVAL'],
    ['a map that overlaps', ['--uid-map', '0', '7', '1'], 'identity', 'write', 'uid_map', 'EINVAL'],
  ] as const)('stops it: %s', async (_, flags, stage, call, path, error) => {
    const end = await runOneshot(['echo', 'ran'], { spec: [...BARE, ...SYSTEM, ...flags], launcherEnv });
    expect([end.code, end.stdout, JSON.parse(end.stderr)]).toEqual([125, '', { stage, call, path, errno: constants.errno[error], error }]);
    expect(await leftBehind([MARK])).toEqual([]);
  });

  it('stops it: options that tmpfs does not know', async () => {
    const end = await runOneshot(['echo', 'ran'], { spec: [...BARE.slice(0, -1), 'colour=red', ...SYSTEM] });
    expect([end.code, JSON.parse(end.stderr)]).toMatchObject([125, { stage: 'mount', call: 'fsconfig', path: 'colour', error: 'EINVAL' }]);
  });

  it('stops it: a filter that the kernel refuses, that is no filter, or that is not there', async () => {
    const spec = [...BARE, ...SYSTEM];
    const jumpsOut = Buffer.from([0x15, 0, 200, 200, 0, 0, 0, 0]);
    const cases = [
      [jumpsOut, { stage: 'seccomp', call: 'seccomp', error: 'EINVAL' }],
      [Buffer.alloc(7), { stage: 'spec', call: 'filter', error: 'EINVAL' }],
      [Buffer.alloc(0), { stage: 'spec', call: 'filter', error: 'EINVAL' }],
      [undefined, { stage: 'spec', call: 'filter', error: 'EINVAL' }],
      [Buffer.alloc(40_000), { stage: 'spec', call: 'filter', error: 'E2BIG' }],
    ] as const;
    for (const [filter, said] of cases) {
      const end = await runOneshot(['echo', 'ran'], { spec, filter });
      expect([end.code, end.stdout, JSON.parse(end.stderr)]).toMatchObject([125, '', said]);
    }
    const weakened = await runOneshot(['echo', 'ran'], { spec: [...spec, '--without', 'seccomp'], filter: undefined });
    expect(weakened).toMatchObject({ code: 0, stdout: 'ran\n' });
  });

  it('stops it: a spec that is not one', async () => {
    for (const spec of [[], ['--hostname'], [...BARE, '--unknown'], [...BARE, '--bind', 'a']]) {
      const end = await runOneshot(['echo', 'ran'], { spec });
      expect([end.code, JSON.parse(end.stderr)]).toMatchObject([125, { stage: 'spec', call: 'parse', error: 'EINVAL' }]);
    }
    const end = await runOneshot(['echo', 'ran'], { spec: [...BARE, 'x'.repeat(1_100_000)] });
    expect([end.code, JSON.parse(end.stderr)]).toMatchObject([125, { stage: 'spec', error: 'E2BIG' }]);
  });

  it('stops it: a directory for the command that is not there', async () => {
    const end = await runOneshot(['echo', 'ran'], { spec: [...BARE, ...SYSTEM], cwd: '/no/such' });
    expect([end.code, end.stdout, JSON.parse(end.stderr)]).toMatchObject([
      125,
      '',
      { stage: 'cwd', call: 'chdir', path: '/no/such', error: 'ENOENT' },
    ]);
  });

  it('stops it: a user who maps an id that is not the own', async () => {
    await using launcher = await PublicLauncher.create();
    const end = await runOneshot(['echo', 'ran'], { spec: [...BARE, ...SYSTEM], uid: NOBODY, launcher: launcher.path });
    expect([end.code, end.stdout, JSON.parse(end.stderr)]).toMatchObject([
      125,
      '',
      { stage: 'identity', call: 'write', path: 'uid_map', error: 'EPERM' },
    ]);
  });

  it('stops it: no range of ids is free', async () => {
    // The only slot there is, which the first one holds as long as it lives.
    const range = [
      '--hostname',
      'x',
      '--lease',
      '2000000000',
      '1',
      '1',
      '--uid-map',
      '0',
      '0',
      '1',
      '--gid-map',
      '0',
      '0',
      '1',
      '--root',
      'mode=0755',
      ...SYSTEM,
    ];
    const holder = startOneshot(['sh', '-c', 'echo holds; exec sleep 60'], { spec: range });
    await holder.said('holds');
    const end = await runOneshot(['echo', 'ran'], { spec: range });
    holder.process.kill('SIGTERM');
    await holder.ended;
    expect([end.code, JSON.parse(end.stderr)]).toMatchObject([125, { stage: 'identity', call: 'bind', error: 'EUSERS' }]);
    expect(await runOneshot(['echo', 'ran'], { spec: range })).toMatchObject({ code: 0, stdout: 'ran\n' });
  });
});

describe('a link inside of what is mounted', () => {
  it('is never followed, wherever in a target it stands', async () => {
    await using directory = await TemporaryDirectory.create();
    mkdirSync(directory.join('real'));
    symlinkSync('/etc', directory.join('absolute'));
    symlinkSync('../../../../etc', directory.join('up'));
    symlinkSync('real', directory.join('beside'));
    symlinkSync('/proc/self/root', directory.join('magic'));
    for (const name of ['absolute', 'up', 'beside', 'magic'])
      for (const target of [`w/${name}`, `w/${name}/x`]) {
        const spec = [...BARE, ...SYSTEM, ...PROC, '--bind', directory.path, 'w', '', '--bind', '/usr/share', target, 'ro'];
        const end = await runOneshot(['echo', 'ran'], { spec });
        expect([target, end.code, JSON.parse(end.stderr)]).toMatchObject([
          target,
          125,
          { stage: 'mount', call: 'openat2', path: target, error: 'ELOOP' },
        ]);
      }
  });
});

describe('a command', () => {
  it('has exactly the environment it was given', async () => {
    const end = await runOneshot(['env'], {
      env: { A: 'b=c', PATH: '/bin' },
      launcherEnv: { SECRET: 'x', PATH: '/sbin', LD_PRELOAD: '/none' },
    });
    expect(end.stdout.trim().split('\n').toSorted()).toEqual(['A=b=c', 'PATH=/bin']);
  });

  it('has no descriptor but its standard streams, whatever the launcher inherited', async () => {
    const inherited = [openSync('/etc/passwd', 'r'), openSync('/', 'r'), openSync('/dev/null', 'w')];
    const end = await runOneshot(['sh', '-c', 'for n in $(seq 0 20); do if (: <&$n) 2>/dev/null; then echo $n; fi; done; cd /proc/1/fd'], {
      inherited,
    });
    for (const fd of inherited) closeSync(fd);
    expect(end.stdout).toBe('0\n1\n2\n');
    expect(end.stderr).toContain("can't cd to /proc/1/fd");
  });

  it("has the caller's standard streams", async () => {
    const { process: child, ended } = startOneshot(['sh', '-c', 'cat; echo err >&2']);
    expect(await ended).toMatchObject({ code: 0, stdout: '', stderr: 'err\n' }); // The helper closes stdin at once.
    expect(child.exitCode).toBe(0);
  });

  it('belongs to no group of the caller and to a session of its own', async () => {
    const through = ['setpriv', '--groups', '4,24,27'];
    const end = await runOneshot(['sh', '-c', 'grep Groups /proc/self/status; cut -d" " -f5,6,7 /proc/self/stat'], { through });
    // Group, session and terminal: all are from in here, where pid 1 leads them.
    expect(end.stdout).toMatch(/^Groups:\s*\n1 1 0\n$/);
  });

  it('cannot end pid 1, nor stop it, whoever it is', async () => {
    // What the launcher hands on to the command would end that.
    const script = 'trap "" HUP INT QUIT USR1 USR2 TERM; for s in $(seq 1 64); do kill -$s 1; done; kill -9 1; exec cat /proc/1/stat';
    const end = await runOneshot(['sh', '-c', script]);
    expect(end.code).toBe(0);
    expect(end.stdout).toMatch(/^1 \(.*\) [SR] 0 1 1 /);
  });

  it('leaves its orphans to pid 1, which reaps them', async () => {
    const script = `
      i=0; while [ $i -lt 50 ]; do (true &) ; i=$((i+1)); done
      while grep -l ') Z ' /proc/[0-9]*/stat 2>/dev/null | grep -q .; do :; done
      echo /proc/[0-9]*`;
    const end = await runOneshot(['sh', '-c', script]);
    expect(end.code).toBe(0);
    expect(end.stdout.trim().split(' ').length).toBeLessThan(5);
  });

  it('takes everything it started along when it ends', async () => {
    const script = 'setsid sleep 1000 & (setsid sh -c "trap : TERM HUP INT; while :; do sleep 1000; done" &); sleep 1000 & exit 3';
    expect((await runOneshot(['sh', '-c', script], { launcherEnv, env: launcherEnv })).code).toBe(3);
    expect(await leftBehind([MARK])).toEqual([]);
  });

  it('may open as many files as its limit says', async () => {
    const spec = [...BARE, ...SYSTEM, '--rlimit', 'nofile', '20', '30', '--rlimit', 'fsize', '512', '512', '--rlimit', 'core', '0', '0'];
    const end = await runOneshot(['sh', '-c', 'ulimit -Sn; ulimit -Hn; ulimit -f; ulimit -c'], { spec });
    expect(end.stdout).toBe('20\n30\n1\n0\n');
  });
});

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const)(
    '%s is handed on to the command',
    async (signal) => {
      const short = signal.slice(3);
      const command = startOneshot(['sh', '-c', `trap 'echo caught; exit 7' ${short}; echo ready; while :; do sleep 0.01; done`]);
      await command.said('ready');
      command.process.kill(signal);
      expect(await command.ended).toMatchObject({ code: 7, signal: null, stdout: 'ready\ncaught\n' });
    },
  );

  it('that end the command end the launcher with their code', async () => {
    const command = startOneshot(['sh', '-c', 'echo ready; exec sleep 1000']);
    await command.said('ready');
    command.process.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: 143, signal: null });
  });

  it('that end the launcher end everything', async () => {
    const command = startOneshot(['sh', '-c', "trap '' TERM HUP INT; setsid sleep 1000 & echo ready; while :; do sleep 1000; done"], {
      launcherEnv,
      env: launcherEnv,
    });
    await command.said('ready');
    expect(footprint([MARK]).length).toBeGreaterThan(3);
    command.process.kill('SIGKILL');
    expect(await command.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await leftBehind([MARK])).toEqual([]);
  });
});

describe('the walls of a planned spec', () => {
  it('stand in one-shot mode as well', async () => {
    const script = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; id -u; hostname; readlink /proc/self/ns/user';
    const end = await runOneshot(['sh', '-c', script]);
    const lines = end.stdout.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('Cap')).every((line) => /:\t0+$/.test(line))).toBe(true);
    expect(lines.slice(-5, -1)).toEqual(['NoNewPrivs:\t1', 'Seccomp:\t2', '0', 'oneshot']);
    expect(plannedSpec()).not.toContain('--without');
  });
});
