import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CgroupLayout } from './cgroup-layout.ts';
import { capabilitiesOf, readHostFacts, readRange } from './host-facts.ts';
import { hasRange } from './plan.ts';

const PASSWD = 'root:x:0:0::/root:/bin/sh\nanna:x:1001:1001::/home/anna:/bin/sh\n';

function rangeIn(subuid: string, uid = 1_001, passwd = PASSWD) {
  return readRange('/etc/subuid', uid, (path) => (path === '/etc/passwd' ? passwd : subuid));
}

describe('readRange', () => {
  it('finds the range of a user by name or by number', () => {
    expect(rangeIn('bert:100000:65536\nanna:165536:65536\n')).toEqual({ first: 165_536, count: 65_536 });
    expect(rangeIn('1001:231072:131072\n')).toEqual({ first: 231_072, count: 131_072 });
    expect(rangeIn('1001:231072:65536\n', 1_001, '')).toEqual({ first: 231_072, count: 65_536 });
  });

  it('takes the first that is large enough', () => {
    expect(rangeIn('anna:100000:1000\nanna:200000:65536\nanna:300000:65536\n')).toEqual({ first: 200_000, count: 65_536 });
  });

  it('finds none where there is none', () => {
    for (const text of ['', '\n\n', '# anna:1:65536', 'anna', 'anna:', 'anna::65536', 'anna:0:65536', 'anna:x:65536', 'anna:-1:65536'])
      expect([text, rangeIn(text)]).toEqual([text, undefined]);
    for (const text of [
      'anna:100000:',
      'anna:100000:65535',
      'anna:100000:1e9',
      'anna: 100000:65536',
      'annab:100000:65536',
      ':100000:65536',
    ])
      expect([text, rangeIn(text)]).toEqual([text, undefined]);
    expect(rangeIn('100000:65536:1001\n')).toBeUndefined();
  });

  it('finds none when the file is not there', () => {
    expect(
      readRange('/etc/subuid', 1_001, () => {
        throw new Error('ENOENT');
      }),
    ).toBeUndefined();
  });

  it('never gives a range that begins with root, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('anna', '1001', ':', '0', '65536', '9', '-', ' ', '\n') })), (parts) => {
        const range = rangeIn(parts.join('\n'));
        if (range !== undefined) expect(range.first > 0 && Number.isSafeInteger(range.first) && range.count >= 65_536).toBe(true);
      }),
    );
  });
});

describe('capabilitiesOf', () => {
  const facts = readHostFacts({ controllers: {}, unified: undefined }, 3);
  const on = (cgroups: CgroupLayout) => capabilitiesOf({ ...facts, cgroups });
  const v1 = { version: 1, path: '/v1' } as const;
  const v2 = { version: 2, path: '/v2' } as const;

  it('says what there is without cgroups', () => {
    expect(on({ controllers: {}, unified: undefined })).toMatchObject({
      memory: 'none',
      cpus: 'none',
      pids: 'rlimit',
      pause: 'signals',
      killTree: 'subreaper',
      cgroupVersion: 'none',
      landlock: 3,
    });
  });

  it('says which cgroups there are', () => {
    expect(on({ controllers: { memory: v1, freezer: v1 }, unified: undefined })).toMatchObject({
      memory: 'cgroup',
      cpus: 'none',
      pause: 'cgroup',
      killTree: 'subreaper',
      cgroupVersion: 1,
    });
    expect(on({ controllers: { cpu: v2, pids: v2 }, unified: '/v2' })).toMatchObject({ cpus: 'cgroup', pids: 'cgroup', cgroupVersion: 2 });
    expect(on({ controllers: { memory: v1 }, unified: '/v2' })).toMatchObject({ killTree: 'cgroup', cgroupVersion: 'hybrid' });
    expect(on({ controllers: {}, unified: '/v2' })).toMatchObject({ memory: 'none', pause: 'cgroup', cgroupVersion: 2 });
  });

  it('says that commands can be several users for root, and for a user with a range', () => {
    const subordinate = { uids: { first: 100_000, count: 65_536 }, gids: { first: 100_000, count: 65_536 } };
    for (const [uid, range, expected] of [
      [0, undefined, 'range'],
      [1_001, undefined, 'single'],
      [1_001, subordinate, 'range'],
    ] as const) {
      const host = { ...facts, uid, subordinate: range };
      expect(capabilitiesOf(host).users).toBe(expected);
      expect(hasRange(host)).toBe(expected === 'range');
    }
  });
});
