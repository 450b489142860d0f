/** What holds for a user without rights: the conformance cases of every guest, and what is different with a single id and without cgroups. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TemporaryDirectory } from '@warren/testkit';
import type { Sandboxes } from '../../../contract.ts';
import { guestConformance } from '../../../guest/test-support/guest-conformance.ts';
import { diagnose } from '../diagnose.ts';
import { openSandboxes } from '../open-sandboxes.ts';
import { sandboxSubject } from './sandbox-subject.ts';
import { endOf, faultOf, said, shell } from './words.ts';
import { TestWorkspace } from './workspace.ts';

type Context = { skip(condition: boolean, reason: string): void };
type Case = { readonly title: string; readonly body: (context: Context) => Promise<void> };

let launcher = '';
let opened: Promise<Sandboxes> | undefined;

/** Opened by the first case that needs it; ends with the process. */
function open(): Promise<Sandboxes> {
  opened ??= openSandboxes({ launcher });
  return opened;
}

/** A signal takes a moment to stop what runs on another processor. */
const UNTIL_STOPPED = 'until [ $(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") T ") -ge 2 ]; do :; done';

const OWN: Readonly<Record<string, () => Promise<void>>> = {
  'knows what it cannot do, and says so': async () => {
    const { capabilities } = await open();
    assert.deepEqual(
      { ...capabilities, landlock: 0 },
      {
        backend: 'namespace',
        users: 'single',
        memory: 'none',
        cpus: 'none',
        pids: 'rlimit',
        fileBytes: 'rlimit',
        openFiles: 'rlimit',
        diskBytes: 'polled',
        pause: 'signals',
        killTree: 'subreaper',
        landlock: 0,
        cgroupVersion: 'none',
      },
    );
    for (const limits of [{ memoryBytes: 1 << 28 }, { cpus: 1 }])
      assert.equal(await faultOf((await open()).start({ limits })), 'limit_unavailable');
    await using sandbox = await (await open()).start({});
    const { memoryBytes, cpus, pids } = sandbox.spec.limits;
    assert.deepEqual([memoryBytes, cpus, pids], [null, null, 512]);
    assert.ok(Object.values(await sandbox.stats()).every((value) => value === undefined));
  },
  'reaches an allowed host by its proxy, and hears what is not allowed': async () => {
    const server = createServer((_request, response) => response.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // It listens on a port.
    const network = { kind: 'egress', rules: [{ host: `127.0.0.1:${port}` }], privateNetworks: ['127.0.0.1/32'] } as const;
    await using sandbox = await (await open()).start({ network });
    assert.equal(await shell(sandbox, `curl -s --noproxy '' http://127.0.0.1:${port}/`), 'hello');
    assert.match(await shell(sandbox, 'curl -s http://other.test/'), /"reason":"host_not_allowed"/);
    server.closeAllConnections();
    server.close();
  },
  'is the agent inside and the user outside, and in no group': async () => {
    await using sandbox = await (await open()).start({});
    const uid = process.getuid?.() ?? -1;
    assert.equal(await shell(sandbox, 'id -u; id -g; tr -s " " < /proc/self/uid_map'), `1000\n1000\n 1000 ${uid} 1\n`);
    assert.match(
      await shell(sandbox, 'grep -E "^(Groups|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'),
      /^Groups:\s*\nCapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n$/,
    );
  },
  'is nobody else': async () => {
    await using sandbox = await (await open()).start({});
    for (const user of [
      { uid: 0, gid: 0 },
      { uid: 1_001, gid: 1_000 },
      { uid: 1_000, gid: 0 },
    ]) {
      assert.match(said(await sandbox.run(['true'], { user })), /^not started: identity EPERM/);
      assert.equal(await faultOf(sandbox.stat('/', { user })), 'permission_denied');
    }
  },
  "keeps what is made in a workspace the user's own": async () => {
    for (const kind of ['writable', 'overlay'] as const) {
      await using workspace = await TestWorkspace.create();
      writeFileSync(workspace.join('old'), 'old');
      await using sandbox = await (await open()).start({ workspace: workspace.mount(kind) });
      await shell(sandbox, 'echo x > new; mkdir d; echo y >> old; rm -rf d; mkdir d; echo z > d/f');
      const place = kind === 'overlay' ? `${workspace.layer}/upper` : workspace.directory;
      for (const name of ['new', 'd', 'd/f', 'old']) assert.equal(lstatSync(`${place}/${name}`).uid, process.getuid?.());
    }
  },
  'may not enter what the user may not': async () => {
    const sandboxes = await open();
    await using workspace = await TestWorkspace.create();
    mkdirSync(workspace.join('closed'));
    chmodSync(workspace.join('closed'), 0);
    assert.equal(
      await faultOf(sandboxes.start({ workspace: { kind: 'writable', directory: workspace.join('closed', 'x') } })),
      'permission_denied',
    );
    assert.equal(await faultOf(sandboxes.start({ mounts: [{ source: '/root/x', target: '/data' }] })), 'permission_denied');
    chmodSync(workspace.layer, 0o500);
    assert.equal(await faultOf(sandboxes.start({ workspace: workspace.mount('overlay') })), 'permission_denied');
    chmodSync(workspace.layer, 0o700);
    await using sandbox = await sandboxes.start({ workspace: { kind: 'writable', directory: '/etc' } });
    assert.match(said(await sandbox.run(['sh', '-c', 'echo x > mine'])), /^exited 2 .*Permission denied/);
    assert.match(said(await sandbox.run(['cat', 'shadow'])), /^exited 1 .*Permission denied/);
    chmodSync(workspace.join('closed'), 0o700);
  },
  'limits processes by count': async () => {
    await using sandbox = await (await open()).start({ limits: { pids: 10 } });
    assert.match(
      said(await sandbox.run(['sh', '-c', 'i=0; while [ $i -lt 40 ]; do sleep 1000 & i=$((i+1)); done'])),
      /^exited 2 .*Cannot fork/,
    );
    // The user's processes outside do not count, and those inside do not count outside.
    await using other = await (await open()).start({ limits: { pids: 10 } });
    assert.equal(await shell(other, 'echo room'), 'room\n');
  },
  'pauses by signals': async () => {
    await using sandbox = await (await open()).start({});
    const running = sandbox.exec(['sh', '-c', 'while :; do echo x; done']);
    const output = running.stdout[Symbol.asyncIterator]();
    await output.next();
    await sandbox.pause();
    await shell(sandbox, UNTIL_STOPPED); // Its keeper, too.
    await sandbox.resume();
    await output.next();
    running.kill('SIGKILL', 'tree');
    assert.equal(endOf(await running.exit), 'signalled SIGKILL');
  },
  'ends a command that stops its keeper at its deadline': async () => {
    await using sandbox = await (await open()).start({});
    const { exit } = await sandbox.run(['sh', '-c', 'kill -STOP $PPID; exec sleep 1000'], { timeoutMs: 50, killGraceMs: 10 });
    assert.equal(endOf(exit), 'stopped by deadline');
    assert.equal(await shell(sandbox, 'echo alive'), 'alive\n');
  },
  'lets no signal that can be ignored reach a keeper': async () => {
    await using sandbox = await (await open()).start({});
    const script = 'for s in $(seq 1 64); do [ $s != 9 ] && [ $s != 19 ] && kill -$s $PPID 1; done; exit 5';
    assert.equal(endOf((await sandbox.run(['sh', '-c', script])).exit), 'exited 5');
  },
  'ends with a command that kills its keeper': async () => {
    const sandbox = await (await open()).start({});
    assert.equal(await faultOf(sandbox.run(['sh', '-c', 'kill -KILL $PPID; exec sleep 1000'])), 'sandbox_gone');
    assert.equal((await sandbox.gone).reason, 'lost');
    assert.equal(await faultOf(sandbox.run(['true'])), 'sandbox_gone');
  },
  'has a pid 1 that its commands can neither end nor look into, though they are the same user': async () => {
    await using sandbox = await (await open()).start({});
    const script =
      'for s in $(seq 1 64); do kill -$s 1; done; cat /proc/1/environ /proc/1/maps /proc/1/mem; ls /proc/1/fd; readlink /proc/1/exe; kill -KILL 1';
    const completed = await sandbox.run(['sh', '-c', script]);
    assert.equal(completed.stdout.length, 0, said(completed));
    assert.equal(await shell(sandbox, 'echo alive'), 'alive\n');
  },
  'starts a hundred at once': async () => {
    const sandboxes = await open();
    const started = await Promise.all(Array.from({ length: 100 }, (_, index) => sandboxes.start({ hostname: `n${index}` })));
    assert.deepEqual(
      await Promise.all(started.map((sandbox) => shell(sandbox, 'hostname'))),
      started.map((_, index) => `n${index}\n`),
    );
    await Promise.all(started.map((sandbox) => sandbox[Symbol.asyncDispose]()));
  },
  'shows no home to a user who has none': async () => {
    await using sandbox = await (await open()).start({ profile: 'permissive' });
    assert.equal(await shell(sandbox, 'ls /home'), 'agent\n');
  },
  'names in its diagnosis what stands and what is weaker': async () => {
    const reports = await diagnose({ launcher });
    const states = Object.fromEntries(reports.map(({ wall, state }) => [wall, state]));
    for (const wall of ['user namespace', 'mount namespace', 'pid namespace', 'network namespace', 'seccomp', 'capabilities', 'overlay'])
      assert.equal(states[wall], 'enforced', wall);
    for (const wall of ['ids', 'memory limit', 'cpu limit', 'process limit', 'kill of a tree'])
      assert.equal(states[wall], 'degraded', wall);
    for (const { state, reason, fix } of reports) if (state !== 'enforced') assert.ok(reason !== undefined && fix !== undefined);
  },
  'leaves nothing in the directory it worked in': async () => {
    await using directory = await TemporaryDirectory.create();
    mkdirSync(directory.join('workspace'));
    await using sandbox = await (await open()).start({ workspace: { kind: 'writable', directory: directory.join('workspace') } });
    await sandbox.writeFile('/workspace/file', 'x');
    await shell(sandbox, 'ls -A; rm file');
  },
};

export const CASES: readonly Case[] = [...conformanceCases(), ...Object.entries(OWN).map(([title, body]) => ({ title, body }))];

function conformanceCases(): readonly Case[] {
  const cases: Case[] = [];
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it: (title: string, body: (context: Context) => Promise<void>) => cases.push({ title, body }),
  };
  guestConformance(runner, 'A sandbox of a user', async () => sandboxSubject(await open(), 'overlay'));
  return cases;
}

/** Runs one case. Resolves with the reason when it was skipped. */
export async function runCase(title: string, launcherPath: string): Promise<string | undefined> {
  launcher = launcherPath;
  const found = CASES.find((candidate) => candidate.title === title);
  if (found === undefined) throw new Error(`There is no case ${title}`);
  let skipped: string | undefined;
  await found.body({
    skip: (condition, reason) => {
      if (condition) skipped = reason;
    },
  });
  return skipped;
}
