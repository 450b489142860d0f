import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities, Limits, SandboxSpec } from '../../contract.ts';
import { PROFILES } from './profiles.ts';
import { resolveSpec } from './resolve-spec.ts';

const EVERYTHING: Capabilities = {
  backend: 'namespace',
  users: 'range',
  memory: 'cgroup',
  cpus: 'cgroup',
  pids: 'cgroup',
  fileBytes: 'rlimit',
  openFiles: 'rlimit',
  diskBytes: 'polled',
  pause: 'cgroup',
  killTree: 'cgroup',
  landlock: 7,
  cgroupVersion: 'hybrid',
};
const NOTHING: Capabilities = { ...EVERYTHING, memory: 'none', cpus: 'none', pids: 'none', killTree: 'subreaper', cgroupVersion: 'none' };
const LIMITS = Object.keys(PROFILES.moderate.limits) as (keyof Limits)[]; // Object.keys forgets them.

const REFUSED: readonly unknown[] = [
  undefined,
  null,
  1,
  'moderate',
  [],
  () => {},
  { unknown: 1 },
  { Profile: 'moderate' },
  JSON.parse('{"__proto__": {}}'),
  { constructor: 1 },
  { profile: 'extreme' },
  { profile: '__proto__' },
  { profile: 'constructor' },
  { profile: '' },
  { profile: 1n },
  { profile: ['moderate'] },
  { profile: Symbol('moderate') },
  { limits: 1 },
  { limits: 'none' },
  { limits: [] },
  { limits: { memory: 1 } },
  { limits: JSON.parse('{"__proto__": 5}') },
  { limits: { toString: 5 } },
  { workspace: null },
  { workspace: '/tmp' },
  { workspace: {} },
  { workspace: { kind: 'writable' } },
  { workspace: { kind: 'writable', directory: 1 } },
  { workspace: { kind: 'writable', directory: '' } },
  { workspace: { kind: 'writable', directory: '/tmp\0/x' } },
  { workspace: { kind: 'writable', directory: '/\ud800' } },
  { workspace: { kind: 'writable', directory: `/${'x/'.repeat(3_000)}` } },
  { workspace: { kind: 'writable', directory: `/${'x'.repeat(300)}` } },
  { workspace: { kind: 'other', directory: '/tmp' } },
  { workspace: { kind: 'toString', directory: '/tmp' } },
  { workspace: { kind: 1n, directory: '/tmp' } },
  { workspace: { kind: 'writable', directory: '/tmp', layer: '/tmp' } },
  { workspace: { kind: 'overlay', directory: '/tmp' } },
  { workspace: { kind: 'overlay', directory: '/tmp', layer: '/tmp' } },
  { workspace: { kind: 'overlay', directory: '/', layer: '/tmp' } },
  { mounts: {} },
  { mounts: '/tmp' },
  { mounts: null, limits: { cpus: 0 } },
  { mounts: [null] },
  { mounts: ['/tmp'] },
  { mounts: [{ source: '/tmp', target: '/data', mode: 'rw' }] },
  { mounts: [{ source: '/tmp', target: '/data', writable: 'yes' }] },
  { mounts: [{ source: '/tmp', target: '/data', writable: 1 }] },
  { mounts: [{ source: '/tmp' }] },
  { mounts: [{ target: '/data' }] },
  { mounts: [{ source: '', target: '/data' }] },
  { mounts: Array.from({ length: 65 }, (_, index) => ({ source: '/tmp', target: `/data/${index}` })) },
  { env: 'A=B' },
  { env: 5 },
  { env: ['A=B'] },
  { env: { '': 'x' } },
  { env: { 'A=B': 'x' } },
  { env: { 'A\0B': 'x' } },
  { env: { A: 'x\0y' } },
  { env: { A: '\ud800' } },
  { env: { '\udc00': 'x' } },
  { env: { A: undefined } },
  { env: { A: null } },
  { env: { A: 5 } },
  { env: { A: ['x'] } },
  { env: Object.fromEntries(Array.from({ length: 513 }, (_, index) => [`A${index}`, ''])) },
  { hostname: '' },
  { hostname: 1n },
  { hostname: {} },
  { hostname: '-a' },
  { hostname: 'a-' },
  { hostname: 'a.b' },
  { hostname: 'a b' },
  { hostname: 'a\nb' },
  { hostname: 'a\0b' },
  { hostname: 'a/../b' },
  { hostname: 'ä' },
  { hostname: 'x'.repeat(64) },
  { hostname: '--root' },
];

let temporary: TemporaryDirectory;
beforeAll(async () => {
  temporary = await TemporaryDirectory.create();
  for (const name of ['workspace', 'workspace/below', 'layer']) mkdirSync(temporary.join(name));
  writeFileSync(temporary.join('file'), '');
  symlinkSync(temporary.join('workspace'), temporary.join('link'));
  symlinkSync('loop', temporary.join('loop'));
});
afterAll(() => temporary[Symbol.asyncDispose]());

const resolve = (given: unknown, capabilities = EVERYTHING, environment: NodeJS.ProcessEnv = {}) =>
  resolveSpec(given as SandboxSpec, capabilities, environment); // Also what no caller's types would allow.

function codeOf(given: unknown, capabilities = EVERYTHING): string {
  try {
    resolve(given, capabilities);
    return 'accepted';
  } catch (error) {
    return isFault(error) ? error.code : `not a fault: ${String(error)}`;
  }
}

describe('resolveSpec', () => {
  it('fills in the moderate profile', () => {
    expect(resolve({}).spec).toEqual({
      profile: 'moderate',
      limits: PROFILES.moderate.limits,
      workspace: undefined,
      mounts: [],
      env: {},
      hostname: 'warren',
      network: 'loopback',
      seccomp: 'default',
    });
  });

  it.each(Object.keys(PROFILES))('takes everything from the profile %s that the spec leaves open', (profile) => {
    const { spec, profile: chosen } = resolve({ profile });
    expect(chosen).toBe(PROFILES[profile as keyof typeof PROFILES]);
    expect([spec.limits, spec.seccomp]).toEqual([chosen.limits, chosen.seccomp]);
  });

  it.each(REFUSED.map((given) => [inspect(given).slice(0, 60), given]))('refuses %s', (_, given) => {
    expect(codeOf(given)).toBe('invalid_argument');
  });

  it('names the field it refuses', () => {
    const message = (given: unknown): string => {
      try {
        return `accepted ${JSON.stringify(resolve(given))}`;
      } catch (error) {
        return (error as Error).message; // Everything it throws is one.
      }
    };
    expect(message({ limits: { memoryBytes: Number.NaN } })).toBe(
      'Cannot start a sandbox: limits.memoryBytes is NaN, it must be an integer from 1048576 to 70368744177664, or null for none',
    );
    expect(message({ limits: { cpus: 5n } })).toContain('limits.cpus is 5, it must be a number from 0.01');
    expect(message({ mounts: [{ source: '/tmp', target: 'data' }] })).toContain('mounts[0].target is "data"');
    expect(message({ hostname: 'a b' })).toContain('hostname is "a b"');
    expect(message({ env: { 'A=': 'x' } })).toContain('"A="');
  });

  it('knows loopback and egress, which needs sockets', () => {
    expect(codeOf({ network: 'loopback' })).toBe('accepted');
    expect(codeOf({ network: { kind: 'egress', rules: [] } })).toBe('accepted');
    expect(codeOf({ network: { kind: 'egress', rules: [] }, profile: 'restrictive' })).toBe('invalid_argument');
    expect(codeOf({ network: { kind: 'egress', rules: [], host: 'x' } })).toBe('invalid_argument');
    expect(codeOf({ network: { kind: 'host' } })).toBe('unsupported');
    for (const network of ['host', 'none', '', 1, 1n, null]) expect(codeOf({ network })).toBe('unsupported');
  });

  it('passes the environment of its caller on only where the profile says so, and what the spec says wins', () => {
    const environment = { PATH: '/x', LANG: 'de', SECRET: 'y', TERM: 'vt100' };
    expect(resolve({ env: { TERM: 'dumb' } }, EVERYTHING, environment).spec.env).toEqual({ TERM: 'dumb' });
    expect(resolve({ profile: 'permissive', env: { TERM: 'dumb' } }, EVERYTHING, environment).spec.env).toEqual({
      PATH: '/x',
      LANG: 'de',
      TERM: 'dumb',
    });
  });

  it('takes any name into the environment as a name, also __proto__', () => {
    const { env } = resolve({ env: JSON.parse('{"__proto__": "polluted", "constructor": "c"}') }).spec;
    expect(Object.entries(env)).toEqual([
      ['__proto__', 'polluted'],
      ['constructor', 'c'],
    ]);
    expect(Object.getPrototypeOf(env)).toBe(Object.prototype);
  });
});

describe('limits', () => {
  const absurd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0, 0, 2 ** 54, '5', true, {}, [5], 5n, Symbol('5')];

  it.each(LIMITS)('%s refuses what is no positive number of a sensible size', (name) => {
    for (const value of absurd) expect([value, codeOf({ limits: { [name]: value } })]).toEqual([value, 'invalid_argument']);
    if (name !== 'cpus') expect(codeOf({ limits: { [name]: 1_000_000.5 } })).toBe('invalid_argument');
  });

  it("are the ones asked for, and the profile's where nothing is asked", () => {
    const asked = fc.record(
      { memoryBytes: limit(1_048_576), cpus: limit(1, 4_096), pids: limit(2), openFiles: limit(8), wallMs: limit(1) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(asked, fc.constantFrom(...Object.keys(PROFILES)), (limits, profile) => {
        const expected = { ...PROFILES[profile as keyof typeof PROFILES].limits };
        for (const [name, value] of Object.entries(limits)) if (value !== undefined) Object.assign(expected, { [name]: value });
        expect(resolve({ profile, limits }).spec.limits).toEqual(expected);
      }),
    );
  });

  it.each(LIMITS)('%s is taken off by null, also where it could not be enforced', (name) => {
    for (const capabilities of [EVERYTHING, NOTHING]) {
      expect(resolve({ profile: 'restrictive', limits: { [name]: null } }, capabilities).spec.limits[name]).toBe(null);
    }
  });

  it('that nothing enforces are refused when they are asked for, and left out of a profile', () => {
    const without = (part: Partial<Capabilities>): Capabilities => ({ ...EVERYTHING, ...part });
    const cases = [
      ['memoryBytes', { memory: 'none' }],
      ['cpus', { cpus: 'none' }],
      ['pids', { pids: 'none' }],
    ] as const;
    for (const [name, missing] of cases) {
      const value = PROFILES.moderate.limits[name];
      expect(codeOf({ limits: { [name]: value } }, without(missing))).toBe('limit_unavailable');
      expect(codeOf({ limits: { [name]: -1 } }, without(missing))).toBe('invalid_argument');
      expect(resolve({}, without(missing)).spec.limits).toEqual({ ...PROFILES.moderate.limits, [name]: null });
    }
    expect(codeOf({ limits: { pids: 5 } }, without({ pids: 'rlimit' }))).toBe('accepted');
    expect(codeOf({ limits: { openFiles: 64, fileBytes: 1, diskBytes: 1, scratchBytes: 1_048_576, wallMs: 1 } }, NOTHING)).toBe('accepted');
  });

  function limit(min: number, max = min + 100_000): fc.Arbitrary<number | null | undefined> {
    return fc.option(fc.option(fc.integer({ min, max }), { nil: null }), { nil: undefined });
  }
});

describe('directories', () => {
  it('are canonical: what was checked is what is mounted', () => {
    const { spec } = resolve({
      workspace: { kind: 'writable', directory: temporary.join('link', '.', 'below', '..') },
      mounts: [{ source: temporary.join('link'), target: '/data//', writable: true }],
    });
    expect(spec.workspace).toEqual({ kind: 'writable', directory: temporary.join('workspace') });
    expect(spec.mounts).toEqual([{ source: temporary.join('workspace'), target: '/data', writable: true }]);
  });

  it('say what is wrong with them', () => {
    const workspace = (name: string): string => codeOf({ workspace: { kind: 'read_only', directory: temporary.join(name) } });
    expect([workspace('none'), workspace('file'), workspace('file/x'), workspace('loop')]).toEqual([
      'not_found',
      'invalid_argument',
      'invalid_argument',
      'invalid_argument',
    ]);
    expect(codeOf({ mounts: [{ source: temporary.join('none'), target: '/data' }] })).toBe('not_found');
    expect(codeOf({ mounts: [{ source: temporary.join('loop'), target: '/data' }] })).toBe('invalid_argument');
    expect(codeOf({ workspace: { kind: 'overlay', directory: temporary.join('workspace'), layer: temporary.join('file') } })).toBe(
      'invalid_argument',
    );
    expect(codeOf({ workspace: { kind: 'overlay', directory: temporary.join('workspace'), layer: temporary.join('none') } })).toBe(
      'not_found',
    );
  });

  it('of a layer lie outside of its workspace, however they are spelled', () => {
    const layer = (path: string): string =>
      codeOf({ workspace: { kind: 'overlay', directory: temporary.join('workspace'), layer: temporary.join(path) } });
    expect([layer('workspace'), layer('workspace/below'), layer('link/below'), layer('layer/../workspace/below')]).toEqual(
      Array.from({ length: 4 }, () => 'invalid_argument'),
    );
    expect(layer('layer')).toBe('accepted');
  });
});

describe('targets of mounts', () => {
  const target = (path: unknown): string => codeOf({ mounts: [{ source: '/tmp', target: path }] });

  it.each(['/data', '/data/', '/data/a b/ü', '/usr/local/data', '/etc/data', '/opt', '/home/agent/x', '/...', '/a..b'])(
    'accept %j',
    (path) => {
      expect(target(path)).toBe('accepted');
    },
  );

  it.each([
    ...['', 'data', './data', '../data', '/data/..', '/data/../x', '/./data', '/data//x', '//', '/data/.', `/${'x'.repeat(256)}`],
    ...[`/${'ü'.repeat(128)}`, `/${'日本/'.repeat(700)}`, '/a\0b', '/\ud800', 5, null, undefined],
    ...['/', '///', '/proc', '/proc/1', '/dev', '/dev/shm', '/sys', '/sys/fs/cgroup', '/etc', '/usr', '/bin', '/bin/x', '/lib', '/lib64/x'],
    ...[
      '/sbin',
      '/lib32',
      '/libx32',
      '/workspace',
      '/workspace/',
      '/workspace/../etc',
      '/.empty',
      '/.old',
      '/.lower',
      '/.layer/x',
      '/.overlay',
    ],
  ])('refuse %j', (path) => {
    expect(target(path)).toBe('invalid_argument');
  });

  it('may be parts of a workspace that is not there itself, and the same place of one that is', () => {
    mkdirSync(temporary.join('parted/in/deep'), { recursive: true });
    const inside = (source: string, path: string): unknown =>
      resolve({
        workspace: { kind: 'read_only', directory: temporary.join('parted') },
        mounts: [{ source, target: path, writable: true }],
      });
    expect(target('/workspace/below')).toBe('accepted');
    expect(target('/workspace/below/more')).toBe('accepted');
    expect(() => inside(temporary.join('parted/in'), '/workspace/in')).not.toThrow();
    expect(() => inside(temporary.join('parted/in/deep'), '/workspace/in/deep')).not.toThrow();
    for (const [source, path] of [
      ['parted/in', '/workspace/new'],
      ['parted/in', '/workspace/in/deep'],
      ['parted', '/workspace/in'],
    ] as const)
      expect(() => inside(temporary.join(source), path)).toThrow(/inside the workspace/);
  });

  it('never hold a part that leads elsewhere', () => {
    const parts = fc.array(fc.constantFrom('', '.', '..', 'a', 'usr', 'proc', 'workspace', '…'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(parts, (names) => {
        const path = `/${names.join('/')}`;
        if (target(path) !== 'accepted') return;
        const [mount] = resolve({ mounts: [{ source: '/tmp', target: path }] }).spec.mounts;
        expect(mount?.target).toMatch(/^(\/(?!\.{1,2}(\/|$))[^/]+)+$/);
        expect(mount?.target).not.toMatch(/^\/(proc|usr|workspace)$|^\/proc\//);
      }),
    );
  });
});
