import { describe, expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { doctor, type PolicyReport, type VaultReport, type WallReport } from './doctor.ts';

const STANDING: WallReport = { wall: 'user namespace', state: 'enforced', detail: 'range of 65536 ids' };
const DEGRADED: WallReport = { wall: 'Landlock', state: 'degraded', detail: 'ABI 1', reason: 'an old kernel' };
const MISSING: WallReport = {
  wall: 'memory',
  state: 'missing',
  detail: 'no cgroup',
  reason: 'it is not delegated',
  fix: 'systemctl …\u001b[2J',
};

const NO_POLICIES: PolicyReport = { directory: '/state/policies', files: [], problems: [], contradictions: [] };
const POLICIES: PolicyReport = {
  directory: '/state/policies',
  files: [
    { layer: 'organization', file: 'organization.yaml', rules: 3, isForAll: true, default: { tier: 'notify', line: 2 } },
    { layer: 'workspace', file: 'workspace.yaml', rules: 1, isForAll: false, default: undefined },
  ],
  problems: [{ file: 'notes.txt', line: undefined, severity: 'warning', message: 'is not read' }],
  contradictions: [{ file: 'workspace.yaml', line: 4, severity: 'warning', message: 'says autonomous\u001b[2J' }],
};
const WRONG: PolicyReport = {
  ...NO_POLICIES,
  problems: [{ file: 'system.yaml', line: 7, severity: 'error', message: 'tier: is unknown' }],
};

function partsOf(walls: readonly WallReport[], policies = NO_POLICIES, vault: VaultReport = { kind: 'absent' }) {
  return { diagnose: async () => walls, examinePolicies: async () => policies, examineVault: async () => vault };
}

describe('doctor', () => {
  it('exits 0 when every wall stands, also one that could be better', async () => {
    const host = new FakeHost();
    expect(await doctor({}, host, partsOf([STANDING, DEGRADED]))).toBe(0);
    expect(host.stdout.text).toContain(
      '✓ user namespace  enforced  range of 65536 ids\n! Landlock        degraded  ABI 1\n    why: an old kernel\n',
    );
  });

  it('exits 1 when a wall is missing and says why and what to do, safely', async () => {
    const host = new FakeHost();
    expect(await doctor({}, host, partsOf([STANDING, MISSING]))).toBe(1);
    expect(host.stdout.text).toContain('    why: it is not delegated\n    fix: systemctl …^[[2J\n');
    expect(host.stdout.text).toContain('1 of 2 walls cannot be built: memory.');
  });

  it('prints one document with --json', async () => {
    const host = new FakeHost();
    expect(await doctor({ json: true }, host, partsOf([MISSING]))).toBe(1);
    expect(JSON.parse(host.stdout.text)).toEqual({
      ok: false,
      walls: [MISSING],
      policies: { directory: '/state/policies', is_usable: true, files: [], problems: [], contradictions: [] },
      vault: { state: 'absent' },
    });
  });

  it('says how secrets are locked, and how that could be better', async () => {
    const say = async (vault: VaultReport) => {
      const host = new FakeHost();
      return [await doctor({}, host, partsOf([STANDING], NO_POLICIES, vault)), host.stdout.text] as const;
    };
    expect(await say({ kind: 'locked', key: 'systemd', isKeyBeside: false })).toEqual([
      0,
      expect.stringContaining('✓ vault  locked    with a systemd'),
    ]);
    expect(await say({ kind: 'locked', key: 'file', isKeyBeside: true })).toEqual([
      0,
      expect.stringMatching(/! vault {2}weak .*\n {4}fix: warren vault passphrase/),
    ]);
    expect(await say({ kind: 'unusable', reason: 'it is damaged' })).toEqual([
      1,
      expect.stringContaining('✗ vault  unusable  it is damaged'),
    ]);
  });

  it('tells which policies there are, what holds where they say nothing, and what in them is probably not meant', async () => {
    const host = new FakeHost();
    expect(await doctor({}, host, partsOf([STANDING], POLICIES))).toBe(0);
    for (const line of [
      /^✓ policies +usable +2 files with 4 rules in \/state\/policies$/m,
      /^✓ organization\.yaml +read +layer organization, 3 rules$/m,
      /^✓ default +notify +where no rule matches, everywhere: organization\.yaml:2$/m,
      /^! notes\.txt +warning +is not read$/m,
      /^! workspace\.yaml:4 +warning +says autonomous\^\[\[2J$/m,
      /^The policies can be used\.$/m,
    ])
      expect(host.stdout.text).toMatch(line);
    const json = new FakeHost();
    expect(await doctor({ json: true }, json, partsOf([STANDING], POLICIES))).toBe(0);
    expect(JSON.parse(json.stdout.text)).toMatchObject({
      ok: true,
      policies: { is_usable: true, files: [{ file: 'organization.yaml', default: 'notify', default_line: 2 }, { default: null }] },
    });
  });

  it('exits 1 when the policies cannot be used, with file and line', async () => {
    const host = new FakeHost();
    expect(await doctor({}, host, partsOf([STANDING], WRONG))).toBe(1);
    expect(host.stdout.text).toMatch(
      /^✗ policies +unusable +system\.yaml:7: tier: is unknown in \/state\/policies\n {4}fix: warren policy check$/m,
    );
    expect(host.stdout.text).not.toContain('the tier of each capability'); // Nothing holds.
    expect(host.stdout.text).toMatch(/^✗ system\.yaml:7 +error +tier: is unknown$/m);
    const json = new FakeHost();
    expect(await doctor({ json: true }, json, partsOf([STANDING], WRONG))).toBe(1);
    expect(JSON.parse(json.stdout.text)).toMatchObject({ ok: false, policies: { is_usable: false, problems: [{ line: 7 }] } });
  });
});
