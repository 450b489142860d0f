import { describe, expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { doctor, type WallReport } from './doctor.ts';

const STANDING: WallReport = { wall: 'user namespace', state: 'enforced', detail: 'range of 65536 ids' };
const DEGRADED: WallReport = { wall: 'Landlock', state: 'degraded', detail: 'ABI 1', reason: 'an old kernel' };
const MISSING: WallReport = {
  wall: 'memory',
  state: 'missing',
  detail: 'no cgroup',
  reason: 'it is not delegated',
  fix: 'systemctl …\u001b[2J',
};

describe('doctor', () => {
  it('exits 0 when every wall stands, also one that could be better', async () => {
    const host = new FakeHost();
    expect(await doctor({}, host, async () => [STANDING, DEGRADED])).toBe(0);
    expect(host.stdout.text).toContain(
      '✓ user namespace  enforced  range of 65536 ids\n! Landlock        degraded  ABI 1\n    why: an old kernel\n',
    );
  });

  it('exits 1 when a wall is missing and says why and what to do, safely', async () => {
    const host = new FakeHost();
    expect(await doctor({}, host, async () => [STANDING, MISSING])).toBe(1);
    expect(host.stdout.text).toContain('    why: it is not delegated\n    fix: systemctl …^[[2J\n');
    expect(host.stdout.text).toContain('1 of 2 walls cannot be built: memory.');
  });

  it('prints one document with --json', async () => {
    const host = new FakeHost();
    expect(await doctor({ json: true }, host, async () => [MISSING])).toBe(1);
    expect(JSON.parse(host.stdout.text)).toEqual({ ok: false, walls: [MISSING] });
  });
});
