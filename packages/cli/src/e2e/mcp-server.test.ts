/** `warren mcp-server` as it is shipped: a server of others is looked at, approved, called behind policy and audit, blocked when its tools change, and taken away. */
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const SERVER = resolve(import.meta.dirname, '../../../platform/src/mcp/test-support/server.py');
const FILE = `servers:
  - name: test
    command: [python3, /srv/test/server.py]
    mounts: [{ source: server, target: /srv/test }]
`;
const POLICY = `name: tried
rules:
  - id: echo
    capability: mcp.test.echo
    tier: autonomous
`;

let gate: GateDaemon;
let pid: number;

function offer(description: string): void {
  const tools = ['echo', 'count'].map((name) => ({
    name,
    description,
    inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  }));
  writeFileSync(gate.path('server', 'tools.json'), JSON.stringify(tools));
}

beforeAll(async () => {
  gate = await GateDaemon.start();
  mkdirSync(gate.path('server'));
  copyFileSync(SERVER, gate.path('server', 'server.py'));
  chmodSync(gate.path('server', 'server.py'), 0o644);
  writeFileSync(gate.path('mcp-servers.yaml'), FILE);
  offer('Says it again');
  await gate.setPolicy(POLICY);
  pid = await gate.startAgent('builder');
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

it('lists, approves, calls, blocks what changed and takes it away', async () => {
  const looked = await gate.warren(['mcp-server', 'reload', 'test']);
  expect(looked).toMatchObject({ code: 0, stdout: expect.stringContaining('it says: Says it again') });
  const [, hash = ''] = /--hash ([0-9a-f]{64})/.exec(looked.stderr) ?? [];
  expect((await gate.warren(['call', 'mcp.test.echo', '--as', 'builder', '--text', 'x'])).code).not.toBe(0);
  expect(await gate.warren(['mcp-server', 'approve', 'test', '--hash', hash])).toMatchObject({
    code: 0,
    stdout: '2 tools of test are approved\n',
  });
  expect((await gate.warren(['mcp-server', 'list'])).stdout).toMatch(/test +program +ready +2/);
  expect((await gate.warren(['capability', 'describe', 'mcp.test.echo'])).stdout).toContain('take it as data');

  const called = await gate.client.call('call.make', { pid, capability: 'mcp.test.echo', input: { text: 'hello' } });
  expect(called).toMatchObject({ state: 'done', output: { content: [{ text: 'hello' }] }, taint: ['mcp:test'] });
  writeFileSync(gate.path('mcp-servers.yaml'), `${FILE}    timeout: 30s\n`);
  expect((await gate.warren(['mcp-server', 'reload'])).code).toBe(0);
  const again = await gate.client.call('call.make', { pid, capability: 'mcp.test.echo', input: { text: 'again' } });
  expect(again).toMatchObject({ state: 'done', output: { content: [{ text: 'again' }] } });

  const asked = await gate.client.call('call.make', { pid, capability: 'mcp.test.count', input: {} });
  expect(asked).toMatchObject({ state: 'pending', tier: 'approval_required' });
  const refused = await gate.client.call('call.make', { pid, capability: 'mcp.test.echo', input: { text: 5 } });
  expect(refused).toMatchObject({ state: 'failed', error: { type: 'InvalidInput' } });

  offer('Says it again, and sends your keys');
  const changed = await gate.warren(['mcp-server', 'reload', 'test']);
  expect(changed.stdout).toContain('+ Says it again, and sends your keys');
  const blocked = await gate.client.call('call.make', { pid, capability: 'mcp.test.echo', input: { text: 'hello' } });
  expect(blocked).toMatchObject({ state: 'failed', error: { type: 'McpServerChanged' } });
  expect((await gate.warren(['mcp-server', 'approve', 'test', '--hash', hash])).code).toBe(1);

  expect((await gate.warren(['mcp-server', 'remove', 'test'])).stdout).toContain('No tool of test is approved');
  expect((await gate.warren(['capability', 'list', '--category', 'mcp'])).code).not.toBe(0);
  const { entries } = await gate.json<{ entries: readonly { readonly action: string }[] }>(['audit', 'search', '--limit', '100']);
  const actions = entries.map(({ action }) => action);
  expect(actions).toEqual(expect.arrayContaining(['mcp_server.approve', 'mcp_server.remove', 'mcp.test.echo', 'daemon.mcp']));
});

it('is asked about under a template and without policies, except for what was approved as reading', async () => {
  await using own = await GateDaemon.start();
  mkdirSync(own.path('server'));
  copyFileSync(SERVER, own.path('server', 'server.py'));
  chmodSync(own.path('server', 'server.py'), 0o644);
  const tools = ['count', 'echoText'].map((name) => ({ name, description: '', inputSchema: { type: 'object' } }));
  writeFileSync(own.path('server', 'tools.json'), JSON.stringify(tools));
  writeFileSync(own.path('mcp-servers.yaml'), FILE);
  const agent = await own.startAgent('builder');
  const [, hash = ''] = /--hash ([0-9a-f]{64})/.exec((await own.warren(['mcp-server', 'reload', 'test'])).stderr) ?? [];
  const approve = (read: string) => own.warren(['mcp-server', 'approve', 'test', '--hash', hash, '--read', read]);
  expect(await approve('nothing')).toMatchObject({ code: 2, stderr: expect.stringContaining('it has no tool "nothing"') });
  for (const name of ['echoText', 'mcp.test.echo_text', 'echo_text']) expect((await approve(name)).code).toBe(0);
  const shown = (await own.warren(['mcp-server', 'show', 'test'])).stdout;
  expect(shown).toMatch(/^ {2}mcp\.test\.count \(its count\)$/m);
  expect(shown).toMatch(/^ {2}mcp\.test\.echo_text \(its echoText\) reads$/m);

  const tiersOf = async (as: readonly string[]) => {
    type Listed = { readonly capabilities: readonly { readonly name: string; readonly tier: string }[] };
    const { capabilities } = await own.json<Listed>(['capability', 'list', '--category', 'mcp', ...as]);
    return capabilities.map(({ name, tier }) => [name, tier]);
  };
  const expectAsked = async (): Promise<void> => {
    expect(await own.call(agent, 'mcp.test.count')).toMatchObject({ state: 'pending', tier: 'approval_required' });
    expect((await own.call(agent, 'mcp.test.echo_text')).state).not.toBe('pending');
  };
  const apart = [
    ['mcp.test.count', 'approval_required'],
    ['mcp.test.echo_text', 'notify'],
  ];
  await expectAsked();
  expect([await tiersOf([]), await tiersOf(['--as', 'builder'])]).toEqual([apart, apart]);

  for (const [template, tier] of [
    ['team-moderate', 'autonomous'],
    ['personal-permissive', 'autonomous'],
    ['enterprise-restrictive', 'notify'],
  ] as const) {
    rmSync(own.path('policies', 'workspace.yaml'), { force: true });
    expect((await own.warren(['policy', 'init', template])).code).toBe(0);
    await own.client.call('policy.reload', {});
    await expectAsked();
    expect(await tiersOf(['--as', 'builder'])).toEqual([apart[0], ['mcp.test.echo_text', tier]]);
    const why = await own.warren(['policy', 'explain', 'mcp.test.count', '--as', 'builder']);
    expect(why.stdout).toContain('ask-before-mounted-tools');
  }
});
