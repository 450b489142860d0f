import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rmdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { diff, snapshot } from './leaks.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** Other tests start sandboxes at the same time: only what this file made counts. */
const ALONE = { isOurs: () => false } as const;
const ofOthers = (leak: string): boolean => /^process \d+ warren-/.test(leak);

describe('leaks', () => {
  it('finds nothing when nothing happened', () => {
    const before = snapshot(ALONE);
    expect(before.mounts.length).toBeGreaterThan(0);
    expect(diff(before, snapshot(ALONE)).filter((leak) => !ofOthers(leak))).toEqual([]);
  });

  it('finds a process that still runs, and does not once it is gone', async () => {
    // Node opens descriptors of its own with the first child; they are no leak of the second.
    await once(spawn('true', { stdio: 'ignore' }), 'exit');
    const before = snapshot(ALONE);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const leaks = diff(before, snapshot(ALONE));
    child.kill('SIGKILL');
    expect(leaks.filter((leak) => leak.startsWith(`process ${child.pid} `))).toHaveLength(1);
    await once(child, 'exit');
    expect(diff(before, snapshot(ALONE)).filter((leak) => leak.startsWith(`process ${child.pid} `))).toEqual([]);
  });

  it('finds an open descriptor and a file', async () => {
    await using directory = await TemporaryDirectory.create();
    const before = snapshot({ ...ALONE, directory: directory.path });
    await writeFile(directory.join('left'), '');
    await using _file = await open(directory.join('left'));
    const leaks = diff(before, snapshot({ ...ALONE, directory: directory.path })).filter((leak) => !ofOthers(leak));
    expect(leaks).toEqual([expect.stringMatching(/^descriptor \d+ .*\/left$/), 'entry left']);
  });

  it('finds a cgroup', async ({ skip }) => {
    const name = `warren-leak-test-${process.pid}`;
    const isOurs = (path: string): boolean => path.endsWith(name);
    const parent = snapshot({ isOurs: () => true }).cgroups[0]?.replace(/^(\/sys\/fs\/cgroup\/[^/]+).*/, '$1') ?? '/sys/fs/cgroup';
    const before = snapshot({ isOurs });
    try {
      await mkdir(`${parent}/${name}`);
    } catch (error) {
      skip(`no cgroup can be made in ${parent}: ${String(error)}`);
    }
    const leaks = diff(before, snapshot({ isOurs }));
    await rmdir(`${parent}/${name}`);
    expect(leaks).toEqual([`cgroup ${parent}/${name}`]);
    expect(diff(before, snapshot({ isOurs }))).toEqual([]);
  });

  it('finds a mount that came and one that went', () => {
    const before = snapshot();
    const after = { ...before, mounts: [...before.mounts.slice(1), '999 tmpfs /left'] };
    expect(diff(before, after)).toEqual(['mount 999 tmpfs /left', `mount gone: ${before.mounts[0]}`]);
  });
});
