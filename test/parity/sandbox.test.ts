import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isFault } from '@warren/protocol';
import { type Exit, openSandboxes, type Sandboxes, type SandboxSpec } from '@warren/sandbox';
import { openTestSandboxes } from '@warren/sandbox/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { proves } from './proves.ts';

const isRoot = process.getuid?.() === 0;
const NEEDS_ROOT = 'a user has no cgroup controllers unless a manager delegates some';
const MIB = 1_048_576;

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(() => sandboxes[Symbol.asyncDispose]());

/** `stopped by memory`, `exited 3`. */
function endOf(exit: Exit): string {
  if (exit.kind === 'stopped') return `stopped by ${exit.by}`;
  return exit.kind === 'exited' ? `exited ${exit.code}` : exit.kind;
}

async function refusalOf(spec: SandboxSpec, of: Sandboxes = sandboxes): Promise<string> {
  try {
    await using _sandbox = await of.start(spec);
    return 'started';
  } catch (error) {
    return isFault(error) ? error.code : String(error);
  }
}

proves('sandbox:limits', 'who wants 4 GiB and may have 256 MiB is stopped', async ({ skip }) => {
  skip(!isRoot, NEEDS_ROOT);
  await using sandbox = await sandboxes.start({ limits: { memoryBytes: 256 * MIB } });
  const { exit } = await sandbox.run(['sh', '-c', 'head -c 4294967296 /dev/zero | tail -c 4294967296 >/dev/null']);
  expect([endOf(exit), exit]).toMatchObject([expect.stringMatching(/^stopped by memory$|^exited [1-9]/), { limitsHit: ['memory'] }]);
  expect((await sandbox.stats()).memoryBytesMax).toBeLessThanOrEqual(256 * MIB);
});

proves('sandbox:limits', 'the address space of a command can be bounded without cgroups', async () => {
  await using sandbox = await sandboxes.start({});
  const { exit } = await sandbox.run(['tail', '/dev/zero'], { limits: { addressBytes: 256 * MIB } });
  expect(endOf(exit)).toBe('exited 1');
});

proves('sandbox:limits', 'a busy loop ends after its second', async () => {
  await using sandbox = await sandboxes.start({});
  const { exit } = await sandbox.run(['sh', '-c', 'while :; do :; done'], { limits: { cpuSeconds: 1 } });
  expect(endOf(exit)).toBe('stopped by cpu');
});

proves('sandbox:limits', 'a file of 100 MB stops at its 4 MiB', async () => {
  await using sandbox = await sandboxes.start({ limits: { fileBytes: 4 * MIB } });
  const { exit } = await sandbox.run(['sh', '-c', 'exec head -c 100000000 /dev/zero > /tmp/big']);
  expect(endOf(exit)).toBe('stopped by file_size');
  expect((await sandbox.stat('/tmp/big')).size).toBe(4 * MIB);
});

proves('sandbox:limits', 'a sleeper is stopped when its time is over, and its descendants with it', async () => {
  await using sandbox = await sandboxes.start({});
  const { exit } = await sandbox.run(['sh', '-c', "trap '' TERM; (trap '' TERM; sleep 1000) & sleep 1000"], {
    timeoutMs: 1_500,
    killGraceMs: 100,
  });
  expect(endOf(exit)).toBe('stopped by deadline');
  const count = await sandbox.run([
    'sh',
    '-c',
    'n=0; for f in /proc/[0-9]*/comm; do read -r name < $f && [ "$name" = sleep ] && n=$((n+1)); done; echo $n',
  ]);
  expect(Buffer.from(count.stdout).toString()).toBe('0\n');
});

proves('sandbox:limits', 'limits of nothing, and places inside that are not absolute, are refused', async () => {
  for (const spec of [
    { limits: { memoryBytes: 0 } },
    { limits: { pids: 0 } },
    { limits: { fileBytes: 0 } },
    { limits: { openFiles: 0 } },
    { limits: { wallMs: 0 } },
    { limits: { cpus: 0 } },
    { limits: { wallMs: -1 } },
    { limits: { pids: 1.5 } },
    { mounts: [{ source: '/usr', target: 'data' }] },
    { mounts: [{ source: '/usr', target: '/data/../etc' }] },
    { mounts: [{ source: '', target: '/data' }] },
  ] as const satisfies readonly SandboxSpec[]) {
    expect(await refusalOf(spec), JSON.stringify(spec)).toBe('invalid_argument');
  }
  await using sandbox = await sandboxes.start({});
  await expect(sandbox.run(['true'], { limits: { cpuSeconds: 0 } })).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(sandbox.run(['true'], { timeoutMs: 0 })).rejects.toMatchObject({ code: 'invalid_argument' });
});

proves('sandbox:limits', 'a directory of the host is made canonical before it is shown inside', async () => {
  await using sandbox = await sandboxes.start({ mounts: [{ source: '.', target: '/data' }] });
  expect(sandbox.spec.mounts).toMatchObject([{ source: realpathSync('.'), target: '/data', writable: false }]);
});

proves('sandbox:limits', 'what cannot be enforced is refused and not weakened, and so is a start without the launcher', async () => {
  await using poor = await openTestSandboxes({ cgroups: 'none' });
  expect(await refusalOf({ limits: { memoryBytes: 64 * MIB } }, poor)).toBe('limit_unavailable');
  await expect(openSandboxes({ launcher: '/nowhere/warren-launcher' })).rejects.toMatchObject({ code: 'wall_unavailable' });
});

proves('sandbox:limits', 'the network of the host is out of reach', async () => {
  const server = createServer((_, response) => response.end('reached')).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    await using sandbox = await sandboxes.start({});
    const devices = await sandbox.run(['sh', '-c', 'tail -n +3 /proc/net/dev | cut -d: -f1']);
    expect(Buffer.from(devices.stdout).toString().trim()).toBe('lo');
    const tried = await sandbox.run(['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port} && echo reached`]);
    expect([Buffer.from(tried.stdout).toString(), Buffer.from(tried.stderr).toString()]).toEqual([
      '',
      expect.stringContaining('Connection refused'),
    ]);
  } finally {
    server.close();
  }
});
