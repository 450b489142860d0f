import { TemporaryDirectory } from '@warren/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResolvedSpec, WorkspaceMount } from '../../contract.ts';
import { type CgroupLayout, readCgroupLayout } from './cgroup-layout.ts';
import { planCgroups, rootsOf } from './cgroup-plan.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { type PlanInput, planWalls, REMOVABLE_WALLS, type RemovableWall } from './plan.ts';
import { PROFILES, type Profile } from './profiles.ts';
import { CgroupHost, HYBRID, V1, V2 } from './test-support/cgroup-hosts.ts';
import { Harness } from './test-support/harness.ts';

const CGROUPS: Readonly<Record<string, CgroupLayout>> = {
  none: { controllers: {}, unified: undefined },
  v1: readCgroupLayout(new CgroupHost(V1)),
  v2: readCgroupLayout(new CgroupHost(V2)),
  hybrid: readCgroupLayout(new CgroupHost(HYBRID)),
};
const RANGE = { first: 100_000, count: 65_536 };
const IDENTITIES = {
  root: { uid: 0, gid: 0, subordinate: undefined },
  user: { uid: 1_001, gid: 1_002, subordinate: undefined },
  'user with a range': { uid: 1_001, gid: 1_002, subordinate: { uids: RANGE, gids: RANGE } },
} as const;

let directory: TemporaryDirectory;
let harness: Harness;
beforeAll(async () => {
  directory = await TemporaryDirectory.create();
  harness = Harness.build();
}, 120_000);
afterAll(() => directory[Symbol.asyncDispose]());

type Host = { readonly identity: keyof typeof IDENTITIES; readonly cgroups: string };
const REFERENCE: Host = { identity: 'root', cgroups: 'hybrid' };

function factsOf({ identity, cgroups }: Host): HostFacts {
  const layout = CGROUPS[cgroups] as CgroupLayout; // One of the above.
  // As many of each as there can be.
  const systemFiles = Array.from({ length: 15 }, (_, index) => ({ name: `file${index}`, source: '/etc/services' }));
  const maskedProcFiles = Array.from({ length: 20 }, (_, index) => `file${index}`);
  return { ...readHostFacts(layout, 7), ...IDENTITIES[identity], home: directory.path, systemFiles, maskedProcFiles };
}

function inputOf(profile: Profile, spec: Partial<ResolvedSpec> = {}, host = REFERENCE, without?: readonly RemovableWall[]): PlanInput {
  const facts = factsOf(host);
  const resolved: ResolvedSpec = {
    profile: 'moderate',
    limits: profile.limits,
    workspace: undefined,
    mounts: [],
    env: {},
    hostname: 'warren',
    network: 'loopback',
    seccomp: profile.seccomp,
    ...spec,
  };
  const cgroups = planCgroups(rootsOf(facts.cgroups, 'token'), resolved.limits, true);
  return { spec: resolved, profile, facts, cgroups, without: without === undefined ? undefined : new Set(without) };
}

const plan = (...args: Parameters<typeof inputOf>): readonly string[] => planWalls(inputOf(...args));

describe('planWalls', () => {
  it('plans nothing that the launcher does not understand', () => {
    const path = fc.constantFrom('/tmp', '/', '/usr/share', directory.path);
    const workspace: fc.Arbitrary<WorkspaceMount | undefined> = fc.oneof(
      fc.constant(undefined),
      fc.record({ kind: fc.constant('overlay' as const), directory: path, layer: fc.constant(directory.path) }),
      fc.record({ kind: fc.constantFrom('writable' as const, 'read_only' as const), directory: path }),
    );
    const target = fc.array(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((name) => `d${name.replaceAll(/[\0/]/g, '')}`),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    const mount = fc.record({ source: path, target: target.map((parts) => `/${parts.join('/')}`), writable: fc.boolean() });
    const limit = fc.option(fc.integer({ min: 8, max: 2 ** 31 - 1 }), { nil: null });
    const input = fc.record({
      profile: fc.constantFrom(...Object.values(PROFILES)),
      host: fc.record({ identity: fc.constantFrom(...typedKeys(IDENTITIES)), cgroups: fc.constantFrom(...Object.keys(CGROUPS)) }),
      spec: fc.record({
        workspace,
        mounts: fc.array(mount, { maxLength: 64 }),
        hostname: fc.stringMatching(/^[a-z0-9]{1,63}$/),
        limits: fc.record({
          memoryBytes: limit,
          cpus: fc.option(fc.double({ min: 0.01, max: 4_096, noNaN: true }), { nil: null }),
          pids: limit,
          fileBytes: limit,
          openFiles: limit,
          diskBytes: limit,
          scratchBytes: limit,
          wallMs: limit,
        }),
      }),
    });
    const specs = fc.sample(input, { numRuns: 150, seed: 7 }).map(({ profile, host, spec }) => plan(profile, spec, host));
    const answers = harness.parse(specs);
    expect(answers).toHaveLength(specs.length);
    expect(answers.filter((answer) => !answer.startsWith('ok '))).toEqual([]);
  });

  it('fits into the launcher with everything a spec may ask for at once', () => {
    const mounts = Array.from({ length: 64 }, (_, index) => ({ source: '/tmp', target: `/data/${index}`, writable: true }));
    const workspace: WorkspaceMount = { kind: 'overlay', directory: '/tmp', layer: directory.path };
    const specs = typedKeys(IDENTITIES).map((identity) => plan(PROFILES.permissive, { mounts, workspace }, { identity, cgroups: 'v1' }));
    expect(harness.parse(specs).map((answer) => answer.slice(0, 3))).toEqual(['ok ', 'ok ', 'ok ']);
  });

  it('holds itself to the same walls on every host', () => {
    for (const identity of typedKeys(IDENTITIES))
      for (const cgroups of Object.keys(CGROUPS)) {
        const flags = plan(PROFILES.moderate, {}, { identity, cgroups });
        expect(flags).toContain('--read-only-root');
        expect(flags).toContain('--landlock');
        expect(flags).not.toContain('--without');
        for (const name of ['core', 'nofile', 'fsize', 'nproc'])
          expect(valuesOf(flags, '--rlimit', 3).map(([kind]) => kind)).toContain(name);
      }
  });

  it('maps ids as the caller may', () => {
    const maps = (identity: keyof typeof IDENTITIES): readonly (readonly string[])[] =>
      valuesOf(plan(PROFILES.moderate, {}, { identity, cgroups: 'none' }), '--uid-map', 3);
    expect(maps('root')).toEqual([['0', '0', '65536']]);
    expect(maps('user')).toEqual([['1000', '1001', '1']]);
    // Everybody from 0 to 65535 once, the agent being the caller.
    expect(maps('user with a range')).toEqual([
      ['0', '100000', '1000'],
      ['1000', '1001', '1'],
      ['1001', '101000', '64535'],
    ]);
    expect(plan(PROFILES.moderate, {}, { identity: 'user', cgroups: 'none' })).not.toContain('--switch-users');
    expect(plan(PROFILES.moderate, {}, { identity: 'user', cgroups: 'none' })).not.toContain('--lease');
  });

  it('asks for no limit that was taken off, and for each that was not', () => {
    const none = Object.fromEntries(Object.keys(PROFILES.moderate.limits).map((name) => [name, null])) as ResolvedSpec['limits']; // The same keys.
    const flags = plan(PROFILES.moderate, { limits: none });
    expect(flags).not.toContain('--cgroup-set');
    expect(valuesOf(flags, '--rlimit', 3).map(([name]) => name)).toEqual(['core', 'memlock', 'msgqueue']);
    expect(valuesOf(flags, '--root', 1)).toEqual([['size=0,nr_inodes=0,mode=0755']]);
    const small = valuesOf(plan(PROFILES.moderate, { limits: { ...none, openFiles: 64, fileBytes: 5, pids: 9 } }), '--rlimit', 3);
    expect(small.slice(3)).toEqual([
      ['nofile', '64', '64'],
      ['fsize', '5', '5'],
      ['nproc', '10', '10'],
    ]);
  });

  it('opens directories of the host read-only unless they are asked for writable', () => {
    const mounts = [
      { source: '/srv/a', target: '/a', writable: false },
      { source: directory.path, target: '/b', writable: true },
    ];
    const binds = valuesOf(plan(PROFILES.moderate, { mounts }), '--bind', 3);
    expect(binds.find(([source]) => source === '/srv/a')).toEqual(['/srv/a', 'a', 'ro,nosuid,nodev,outside']);
    expect(binds.find(([source]) => source === directory.path)).toEqual([directory.path, 'b', 'nosuid,nodev,idmap']);
    for (const [source, , options] of binds) if (!source?.startsWith('/dev/') && source !== directory.path) expect(options).toMatch(/^ro,/);
  });

  it('maps the owner of a part of the workspace to the agent, also where it may only read', () => {
    const mounts = [{ source: directory.path, target: '/workspace/part', writable: false }];
    const flags = plan(PROFILES.moderate, { mounts });
    expect(valuesOf(flags, '--bind', 3).find(([source]) => source === directory.path)).toEqual([
      directory.path,
      'workspace/part',
      'ro,nosuid,nodev,idmap',
    ]);
    expect(flags).toContain('--idmap');
    expect(valuesOf(flags, '--landlock', 2)).not.toContainEqual(['/workspace/part', 'write']);
  });

  it('shows no home to a caller who has none', () => {
    const input = inputOf(PROFILES.permissive);
    expect(planWalls(input)).toContain('home/user');
    expect(planWalls({ ...input, facts: { ...input.facts, home: undefined } })).not.toContain('home/user');
  });
});

describe('the base of a plan', () => {
  const base = (flags: readonly string[]): readonly string[] => flags.slice(0, flags.indexOf('--base-end'));

  it('holds everything but the directories of a caller, so that a sandbox built ahead lacks no wall', () => {
    for (const profile of Object.values(PROFILES)) {
      const flags = plan(profile, {
        workspace: { kind: 'writable', directory: '/tmp' },
        mounts: [{ source: '/tmp', target: '/d', writable: true }],
      });
      const rest = flags.slice(flags.indexOf('--base-end') + 1);
      expect(
        new Set(rest.filter((flag) => flag.startsWith('--'))).difference(
          new Set(['--idmap', '--bind', '--overlay', '--mask', '--landlock']),
        ),
      ).toEqual(new Set());
    }
  });

  it('is the same whoever asks', () => {
    const anonymous = plan(PROFILES.moderate);
    const named = plan(PROFILES.moderate, { workspace: { kind: 'writable', directory: directory.path } });
    expect(base(named)).toEqual(base(anonymous));
    expect(base(named).join('\0')).not.toContain(directory.path);
  });

  it('differs where limits differ', () => {
    const smaller = plan(PROFILES.moderate, { limits: { ...PROFILES.moderate.limits, memoryBytes: 64 << 20 } });
    expect(base(smaller)).not.toEqual(base(plan(PROFILES.moderate)));
  });
});

describe('a profile', () => {
  /** Where each key of a profile shows. What is not in the flags is tested where it is. */
  const EFFECTS: { readonly [Key in Exclude<keyof Profile, 'limits'> | `limits.${keyof Profile['limits']}`]: 'flags' | string } = {
    'limits.memoryBytes': 'flags',
    'limits.cpus': 'flags',
    'limits.pids': 'flags',
    'limits.fileBytes': 'flags',
    'limits.openFiles': 'flags',
    'limits.scratchBytes': 'flags',
    'limits.diskBytes': 'limits.real.test.ts, for the host watches the layer',
    'limits.wallMs': 'limits.real.test.ts, for the host has the timer',
    seccomp: 'seccomp.real.test.ts, for it chooses the filter',
    isScratchExecutable: 'flags',
    passesEnvironment: 'resolve-spec.test.ts',
    showsHome: 'flags',
    mountsWorkingDirectory: 'the tests of the command line, which it is for',
    isProcMinimal: 'flags',
  };

  it('has no key without a known effect', () => {
    const { limits, ...rest } = PROFILES.moderate;
    expect(new Set([...Object.keys(rest), ...Object.keys(limits).map((name) => `limits.${name}`)])).toEqual(new Set(Object.keys(EFFECTS)));
  });

  it.each(Object.entries(EFFECTS).filter(([, where]) => where === 'flags'))('changes the flags by %s', (key) => {
    const name = key.replace('limits.', '');
    const { moderate } = PROFILES;
    const other: Profile = key.startsWith('limits.')
      ? { ...moderate, limits: { ...moderate.limits, [name]: 12_345 } }
      : { ...moderate, [name]: !moderate[name as 'showsHome'] }; // A boolean, as all that are left.
    expect(plan(other)).not.toEqual(plan(moderate));
  });
});

describe('a removable wall', () => {
  const WITH_EVERYTHING: Partial<ResolvedSpec> = { workspace: { kind: 'writable', directory: '/tmp' } };

  it.each(REMOVABLE_WALLS)('is gone when %s is left out, and the launcher still understands', (wall) => {
    const flags = plan(PROFILES.moderate, WITH_EVERYTHING, REFERENCE, [wall]);
    expect(flags).not.toEqual(plan(PROFILES.moderate, WITH_EVERYTHING));
    expect(harness.parse([flags])[0]).toMatch(/^ok /);
  });

  it('is never left out by a spec', () => {
    const hostile = { hostname: '--without', mounts: [{ source: '/--without', target: '/--without/seccomp', writable: false }] };
    expect(harness.parse([plan(PROFILES.moderate, hostile)])[0]).toMatch(/without 0$/);
  });
});

function typedKeys<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[]; // Object.keys forgets them.
}

/** The values of each occurrence of a flag. */
function valuesOf(flags: readonly string[], flag: string, count: number): readonly (readonly string[])[] {
  return flags.flatMap((found, index) => (found === flag ? [flags.slice(index + 1, index + 1 + count)] : []));
}
