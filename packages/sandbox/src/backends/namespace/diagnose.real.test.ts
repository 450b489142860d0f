import { readdirSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose.ts';

const isRoot = process.getuid?.() === 0;

describe('diagnose', () => {
  it('finds every wall standing for root on this machine', async ({ skip }) => {
    skip(!isRoot, 'the tests of a user say what holds for one');
    const reports = await diagnose();
    expect(reports.filter(({ state }) => state !== 'enforced')).toEqual([]);
    expect(reports.map(({ wall }) => wall)).toEqual(
      expect.arrayContaining([
        'kernel',
        'launcher',
        'user namespace',
        'seccomp',
        'capabilities',
        'overlay',
        'memory limit',
        'ids',
        'landlock',
        'cgroups',
      ]),
    );
    expect(new Set(reports.map(({ wall }) => wall)).size).toBe(reports.length);
  });

  it('says what is missing, and what to do, when no sandbox starts', async () => {
    const reports = await diagnose({ launcher: '/no/such/launcher' });
    const missing = reports.filter(({ state }) => state === 'missing');
    expect(missing.map(({ wall }) => wall)).toEqual(expect.arrayContaining(['launcher', 'sandbox']));
    for (const { reason, fix } of missing) expect([reason, fix]).toEqual([expect.any(String), expect.any(String)]);
  });

  it('leaves nothing behind', async () => {
    await using directory = await TemporaryDirectory.create();
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = directory.path;
    try {
      await diagnose();
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
    expect(readdirSync(directory.path)).toEqual([]);
  });
});
