/**
 * The parsers of the launcher under sanitizers: of specs, of requests, of the frames that reach pid 1 and of those that reach the listener. What they read
 * comes from our own host, but a defect there may not become one inside the walls. `WARREN_FUZZ_SEED` repeats a run, `WARREN_FUZZ_FACTOR` makes it longer.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeExec } from '../../guest/exec-request.ts';
import { encodeFrame } from '../../guest/frame.ts';
import { FRAME, HEADER_BYTES } from '../../guest/frame-types.ts';
import { type FuzzMode, Harness } from './test-support/harness.ts';

const SEED = Number(process.env['WARREN_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const FACTOR = Number(process.env['WARREN_FUZZ_FACTOR'] ?? 1);
/** Those that parse only are quick; those that read from a connection make system calls. */
const COUNTS: Readonly<Record<FuzzMode, number>> = { specs: 20_000, requests: 20_000, frames: 4_000, arrivals: 8_000 };

const words = (text: string): Buffer =>
  Buffer.from(
    text
      .trim()
      .split(/\s+/)
      .map((word) => `${word}\0`)
      .join(''),
  );

const SPEC = words(`
  --hostname warren --lease 1879048192 65536 4096 --uid-map 0 0 65536 --gid-map 0 0 65536 --init 0 0 --switch-users --map-helper
  --root size=1m,mode=0755 --bind /usr usr ro,nosuid,nodev,recursive --bind /etc/none etc/none optional --symlink usr/bin bin --file etc/passwd 644 root:x
  --scratch tmp 1777 0 0 nosuid,nodev --scratch home/agent 700 1000 1000 nosuid --proc proc subset=pid ro --devpts dev/pts --mask proc/kcore
  --cgroup 0 --cgroup2 3 --cgroup-set 0 memory.limit_in_bytes 1048576 --cgroup-report 0 memory.oom_control --rlimit nofile 64 128 --rlimit core 0 0
  --landlock / read --landlock /dev device --without seccomp --base-end
  --read-only-root --idmap 0 0 1000 1000 --overlay workspace /srv/a /srv/b nosuid,nodev,idmap --bind /srv/c c ro,outside --landlock /workspace write`);
const FILE_REQUEST = words(
  '--path /tmp/a --offset 5 --length 6 --mode 644 --uid 1 --gid 2 --window 100 --append --exclusive --follow --recursive --parents',
);
const EXEC = encodeExec({
  argv: ['sh', '-c', 'true', ''],
  env: { A: 'b', C: '' },
  cwd: '/',
  user: { uid: 5, gid: 6 },
  pty: { rows: 3, columns: 4 },
  rlimits: [{ name: 'cpu', soft: 1, hard: 2 }],
  hasStdin: true,
  windowBytes: 500,
  umask: 0o22,
}).subarray(HEADER_BYTES);

const SAMPLES: Readonly<Record<FuzzMode, readonly Uint8Array[]>> = {
  specs: [SPEC],
  requests: [EXEC, FILE_REQUEST],
  frames: [
    Buffer.concat([
      encodeFrame(FRAME.EXEC, 1, EXEC),
      encodeFrame(FRAME.STDIN, 1, Buffer.alloc(3_000)),
      encodeFrame(FRAME.WRITE, 2, FILE_REQUEST),
      encodeFrame(FRAME.STDIN, 2, Buffer.alloc(60_000)),
      encodeFrame(FRAME.WINDOW, 1, Buffer.from([1, 0, 0, 0, 0, 16, 0, 0])),
      encodeFrame(FRAME.RESIZE, 1, Buffer.from([3, 0, 4, 0])),
      encodeFrame(FRAME.PING, 0, Buffer.from('ping')),
      encodeFrame(FRAME.ACCEPT, 9, Buffer.from([56, 12, 0, 0, 0, 0, 4, 0])),
      encodeFrame(FRAME.ACCEPT, 10, Buffer.from([56, 12, 0, 0, 16, 0, 0, 0])),
      encodeFrame(FRAME.STDIN, 9, Buffer.alloc(40_000)),
      encodeFrame(FRAME.WINDOW, 9, Buffer.from([1, 0, 0, 0, 0, 4, 0, 0])),
      encodeFrame(FRAME.STDIN, 10, Buffer.alloc(0)),
      encodeFrame(FRAME.SIGNAL, 9, Buffer.from([9, 0])),
      encodeFrame(FRAME.EXEC, 1_024, words('--stdin -- cat')),
      encodeFrame(FRAME.STDIN, 1_024),
      encodeFrame(FRAME.STDIN, 2),
      encodeFrame(FRAME.SIGNAL, 1, Buffer.from([9, 2])),
      encodeFrame(FRAME.SIGNAL, 2, Buffer.from([15, 1])),
      encodeFrame(FRAME.SIGNAL, 0, Buffer.from([19, 0])),
    ]),
    Buffer.concat(Array.from({ length: 40 }, (_, index) => encodeFrame(FRAME.STAT, index + 1, FILE_REQUEST))),
  ],
  arrivals: [
    Buffer.concat([encodeFrame(FRAME.SPEC, 7, SPEC), encodeFrame(FRAME.FILTER, 7, Buffer.alloc(800)), encodeFrame(FRAME.EXEC, 1, EXEC)]),
    Buffer.concat([encodeFrame(FRAME.SPEC, 7), encodeFrame(FRAME.FILTER, 7)]),
  ],
};

let harness: Harness;
beforeAll(() => {
  harness = Harness.build();
}, 120_000);

describe.each(['specs', 'requests', 'frames', 'arrivals'] as const)("the launcher's reader of %s", (mode) => {
  const count = COUNTS[mode] * FACTOR;

  it(`survives ${count} mutations (seed ${SEED})`, { timeout: 120_000 * FACTOR }, () => {
    const accepted = harness.fuzz(mode, SEED, count, SAMPLES[mode]);
    // Both sides are exercised: what holds of the accepted ones was checked, and most that were hit hard were refused.
    expect(accepted).toBeGreaterThan(count / 100);
    expect(accepted).toBeLessThan(count * 0.99);
  });
});

describe("the launcher's reader of specs", () => {
  const answer = (text: string): string | undefined => harness.parse([text.trim().split(/\s+/)])[0];
  const REQUIRED = '--hostname w --root mode=0755 --uid-map 0 1 1 --gid-map 0 1 1';

  it('accepts the least there can be, and a spec with everything', () => {
    expect(answer(REQUIRED)).toBe('ok steps 0 base 0 cgroups 0 limits 0 rules 0 without 0');
    expect(harness.parse([SPEC.toString().split('\0').slice(0, -1)])[0]).toBe('ok steps 11 base 9 cgroups 2 limits 2 rules 3 without 64');
  });

  it.each([
    ['--root x --uid-map 0 1 1 --gid-map 0 1 1', '--hostname'],
    ['--hostname w --uid-map 0 1 1 --gid-map 0 1 1', '--root'],
    ['--hostname w --root x --uid-map 0 1 1', '--uid-map, --gid-map'],
    [`${REQUIRED} --unknown`, '--unknown'],
    [`${REQUIRED} stray`, 'stray'],
    [`${REQUIRED} --bind / ../x ro`, '--bind'],
    [`${REQUIRED} --bind / a/./b ro`, '--bind'],
    [`${REQUIRED} --bind / /a ro`, '--bind'],
    [`${REQUIRED} --bind a a ro`, '--bind'],
    [`${REQUIRED} --bind / a rw`, '--bind'],
    [`${REQUIRED} --bind / a`, '--bind'],
    [`${REQUIRED} --bind / a idmap`, '--idmap'],
    [`${REQUIRED} --scratch tmp 2777 0 0 ro`, '--scratch'],
    [`${REQUIRED} --scratch tmp 8 0 0 ro`, '--scratch'],
    [`${REQUIRED} --scratch tmp 777 -1 0 ro`, '--scratch'],
    [`${REQUIRED} --rlimit nofile 2 1`, '--rlimit'],
    [`${REQUIRED} --rlimit files 1 1`, '--rlimit'],
    [`${REQUIRED} --rlimit nofile 1 18446744073709551616`, '--rlimit'],
    [`${REQUIRED} --uid-map 0 0 0`, '--uid-map'],
    [`${REQUIRED} --uid-map 0 4294967295 1`, '--uid-map'],
    [`${REQUIRED} --lease 0 65536 4`, '--lease'],
    [`${REQUIRED} --lease 1879048192 65536 65537`, '--lease'],
    [`${REQUIRED} --lease 4294967294 65536 2`, '--lease'],
    [`${REQUIRED} --cgroup 8`, '--cgroup'],
    [`${REQUIRED} --cgroup /sys/fs/cgroup`, '--cgroup'],
    [`${REQUIRED} --cgroup-set 0 ../memory.max 1`, '--cgroup-set'],
    [`${REQUIRED} --cgroup-set 0 a/b 1`, '--cgroup-set'],
    [`${REQUIRED} --cgroup2 1 --cgroup2 2`, '--cgroup2'],
    [`${REQUIRED} --landlock / all`, '--landlock'],
    [`${REQUIRED} --without walls`, '--without'],
    // What is built ahead knows nothing of what follows.
    [`${REQUIRED} --base-end --cgroup 0`, '--cgroup'],
    [`${REQUIRED} --base-end --without seccomp`, '--without'],
    [`${REQUIRED} --base-end --uid-map 1 1 1`, '--uid-map'],
    [`${REQUIRED} --base-end --base-end`, '--base-end'],
    [`${REQUIRED} --bind / a outside --base-end`, '--base-end'],
  ])('refuses %s and names %s', (text, flag) => {
    expect(JSON.parse(answer(text) ?? '')).toEqual({ stage: 'spec', call: 'parse', path: flag, errno: 22, error: 'EINVAL' });
  });

  it('counts: one more of anything than there is room for refuses the spec', () => {
    const REPEATED = [
      ['--symlink x y', 256],
      ['--landlock / read', 96],
      ['--rlimit core 0 0', 16],
      ['--uid-map 0 1 1', 7], // There is one already.
      ['--cgroup 0', 8],
      ['--cgroup-set 0 a b', 32],
      ['--cgroup-report 0 a', 16],
    ] as const;
    for (const [text, most] of REPEATED) {
      const repeat = (count: number): string | undefined => answer(`${REQUIRED} ${`${text} `.repeat(count)}`);
      expect([text, repeat(most)?.slice(0, 3)]).toEqual([text, 'ok ']);
      expect([text, JSON.parse(repeat(most + 1) ?? '').path]).toEqual([text, text.split(' ')[0]]);
    }
  });

  it('says what it refuses in one line of ASCII, whatever that was', () => {
    const [said] = harness.parse([[...REQUIRED.split(' '), '--\x01"\\\n日本']]);
    expect(said).toMatch(/^[ -~]+$/);
    expect(Buffer.from(JSON.parse(said ?? '').path, 'latin1').toString()).toBe('--\x01"\\\n日本');
    expect(JSON.parse(harness.parse([[...REQUIRED.split(' '), 'x'.repeat(100_000)]])[0] ?? '').path).toMatch(/^x{1000,}$/);
  });
});
