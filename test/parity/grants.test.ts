import { expect } from 'vitest';
import type { Client, Refusal } from './client.ts';
import { shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

type Params = Readonly<Record<string, unknown>>;

async function create(os: Client, parent_pid?: number): Promise<number> {
  return (await os.call('kernel.agent.create', { name: 'a', template: 't', parent_pid })).pid;
}

/** A process that holds this. */
async function createWith(os: Client, grants: Params, parent_pid?: number): Promise<number> {
  const pid = await create(os, parent_pid);
  await os.call('kernel.cap.create', { pid, ...grants });
  return pid;
}

async function allowedOf(os: Client, pid: number): Promise<readonly boolean[]> {
  const answers = [
    await os.call('kernel.cap.check_tool', { pid, tool: 'Read' }),
    await os.call('kernel.cap.check_model', { pid, model: 'm-1' }),
    await os.call('kernel.cap.check_net', { pid, host: 'example.com' }),
    await os.call('kernel.cap.check_fs', { pid, path: '/data/a', mode: 'r' }),
    await os.call('kernel.cap.check_fs', { pid, path: '/data/a', mode: 'rw' }),
  ];
  return answers.map(({ allowed }) => allowed);
}

const ALL = { tool_grants: ['*'], model_grants: ['*'], net_grants: ['*'], fs_grants: [{ prefix: '/', mode: 'rw' }], sub_agent: true };

proves('grant:default-deny', async () => {
  const os = await daemon.workspace();
  const [nothing, empty, all] = [await create(os), await createWith(os, {}), await createWith(os, ALL)];
  expect(await allowedOf(os, nothing)).toEqual([false, false, false, false, false]);
  expect(await allowedOf(os, empty)).toEqual([false, false, false, false, false]);
  expect(await allowedOf(os, 99)).toEqual([false, false, false, false, false]);
  expect(await allowedOf(os, all)).toEqual([true, true, true, true, true]);
  expect(await os.refused('kernel.cap.create', { pid: all })).toEqual({ code: -32112, data: { pid: all, fault: 'grant_exists' } });
  expect(await os.refused('kernel.cap.create', { pid: 99 })).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  expect(await os.refused('kernel.cap.get', { pid: nothing })).toEqual({ code: -32113, data: { pid: nothing, fault: 'grant_not_found' } });
});

proves('grant:default-deny', 'a grant comes back sorted and whole', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const created = await os.call('kernel.cap.create', {
    pid,
    tool_grants: ['Write', 'Read'],
    fs_grants: [
      { prefix: '/z', mode: 'r' },
      { prefix: '/a/', mode: 'rw' },
    ],
    net_grants: ['**.example.com', '*.example.org'],
    model_grants: ['m-2', 'm-1'],
  });
  expect(created).toEqual({ cap_id: 1, pid });
  expect(await os.call('kernel.cap.get', { pid })).toEqual({
    cap_id: 1,
    parent_cap_id: null,
    pid,
    tool_grants: ['Read', 'Write'],
    fs_grants: [
      { prefix: '/z', mode: 'r' },
      { prefix: '/a', mode: 'rw' },
    ],
    net_grants: ['**.example.com', '*.example.org'],
    model_grants: ['m-1', 'm-2'],
    sub_agent: false,
    created_at: daemon.now,
  });
});

proves('grant:default-deny', 'tools and models are exact names, with case', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tool_grants: ['Read'], model_grants: ['m-1'] });
  const tool = async (name: string) => (await os.call('kernel.cap.check_tool', { pid, tool: name })).allowed;
  const model = async (name: string) => (await os.call('kernel.cap.check_model', { pid, model: name })).allowed;
  expect([await tool('Read'), await tool('read'), await tool('Rea'), await tool('Read2'), await tool('*'), await tool('')]).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect([await model('m-1'), await model('M-1'), await model('m-10'), await model('*')]).toEqual([true, false, false, false]);
});

proves('grant:default-deny', 'what is no grant is refused', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const invalid = (field: string): Refusal => ({ code: -32114, data: { field, fault: 'grant_invalid' } });
  const mistyped = (field: string): Refusal => ({ code: -32602, data: { field, fault: 'invalid_argument' } });
  for (const [grants, refusal] of [
    [{ tool_grants: [''] }, invalid('tool_grants')],
    [{ fs_grants: [{ prefix: 'data', mode: 'r' }] }, invalid('fs_grants')],
    [{ net_grants: [''] }, invalid('net_grants')],
    [{ model_grants: [''] }, invalid('model_grants')],
    [{ tool_grants: 'Read' }, mistyped('tool_grants')],
    [{ tool_grants: [1] }, mistyped('tool_grants.0')],
    [{ fs_grants: [{ prefix: '/data', mode: 'w' }] }, mistyped('fs_grants.0.mode')],
    [{ fs_grants: ['/data'] }, mistyped('fs_grants.0')],
    [{ sub_agent: 1 }, mistyped('sub_agent')],
  ] as const) {
    expect(await os.refused('kernel.cap.create', { pid, ...grants }), JSON.stringify(grants)).toEqual(refusal);
  }
  expect(await os.call('kernel.cap.create', { pid, tool_grants: null, sub_agent: null })).toMatchObject({ pid });
});

proves('grant:default-deny', 'a process that ended holds nothing', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, ALL);
  await os.call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  expect(await allowedOf(os, pid)).toEqual([false, false, false, false, false]);
  expect((await os.refused('kernel.cap.get', { pid })).code).toBe(-32113);
});

const HOSTS: readonly (readonly [host: string, pattern: string, allowed: boolean])[] = [
  ['example.com', 'example.com', true],
  ['example.com', 'example.org', false],
  ['notexample.com', 'example.com', false],
  ['api.example.com', 'example.com', false],
  ['api.example.com', '*.example.com', true],
  ['a.b.example.com', '*.example.com', false],
  ['example.com', '*.example.com', false],
  ['notexample.com', '**.example.com', false],
  ['example.com', '**.example.com', true],
  ['api.example.com', '**.example.com', true],
  ['a.b.example.com', '**.example.com', true],
  ['a.b.example.com', '*', true],
  ['localhost', '*', true],
  ['', '*', false],
  ['', 'example.com', false],
  ['API.Example.com.', 'example.com', false],
  ['EXAMPLE.com.', 'example.com', true],
];

proves('grant:hosts', async () => {
  const os = await daemon.workspace();
  for (const [host, pattern, allowed] of HOSTS) {
    const pid = await createWith(os, { net_grants: [pattern] });
    expect(await os.call('kernel.cap.check_net', { pid, host }), `${host} by ${pattern}`).toEqual({ allowed });
  }
  expect((await os.refused('kernel.cap.create', { pid: await create(os), net_grants: ['*.com'] })).code).toBe(-32114);
});

proves('grant:hosts', 'a pattern may be for one port', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { net_grants: ['example.com:443'] });
  const allowed = async (port?: number) => (await os.call('kernel.cap.check_net', { pid, host: 'example.com', port })).allowed;
  expect([await allowed(443), await allowed(80), await allowed()]).toEqual([true, false, false]);
});

proves('grant:paths', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, {
    fs_grants: [
      { prefix: '/agents/alice/', mode: 'r' },
      { prefix: '/agents/alice/out', mode: 'rw' },
    ],
  });
  const root = await createWith(os, { fs_grants: [{ prefix: '/', mode: 'r' }] });
  const allowed = async (who: number, path: string, mode: string) =>
    (await os.call('kernel.cap.check_fs', { pid: who, path, mode })).allowed;
  for (const [path, mode, expected] of [
    ['/agents/alice/x', 'r', true],
    ['/agents/alice', 'r', true],
    ['/agents/alice/', 'r', true],
    ['/agents/alicia/x', 'r', false],
    ['/agents', 'r', false],
    ['/agents/alice/x', 'rw', false],
    ['/agents/alice/out', 'rw', true],
    ['/agents/alice/out/a/b', 'rw', true],
    ['/agents/alice/outer', 'rw', false],
    ['agents/alice/x', 'r', false],
    ['', 'r', false],
  ] as const) {
    expect(await allowed(pid, path, mode), `${mode} ${path}`).toBe(expected);
  }
  expect([
    await allowed(root, '/anything/at/all', 'r'),
    await allowed(root, '/', 'r'),
    await allowed(root, 'anything', 'r'),
    await allowed(root, '/a', 'rw'),
  ]).toEqual([true, true, false, false]);
  const badMode = await os.refused('kernel.cap.check_fs', { pid, path: '/agents/alice', mode: 'w' });
  expect(badMode).toEqual({ code: -32602, data: { field: 'mode', fault: 'invalid_argument' } });
});

proves('grant:canonical-paths', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { fs_grants: [{ prefix: '/granted', mode: 'rw' }] });
  const allowed = async (path: string) => (await os.call('kernel.cap.check_fs', { pid, path, mode: 'r' })).allowed;
  for (const path of [
    '/granted/../secret',
    '/granted/x/../../secret',
    '/granted/./../secret',
    '/granted//..//secret',
    '/granted/..',
    '/granted/x\0/a',
    '/granted/\ud800',
  ]) {
    const isWellFormed = path.isWellFormed();
    if (isWellFormed) expect(await allowed(path), path).toBe(false);
    else expect((await os.refused('kernel.cap.check_fs', { pid, path, mode: 'r' })).code).toBe(-32602);
  }
  for (const path of ['/granted/a/../b', '/x/../granted/b', '//granted/./b', '/granted/...', '/granted/..b'])
    expect(await allowed(path), path).toBe(true);
});

proves('grant:canonical-paths', 'nor can it be derived', async () => {
  const os = await daemon.workspace();
  const parent = await createWith(os, { fs_grants: [{ prefix: '/granted', mode: 'rw' }], sub_agent: true });
  const child = await create(os, parent);
  expect(
    await os.refused('kernel.cap.derive', {
      parent_pid: parent,
      child_pid: child,
      fs_grants: [{ prefix: '/granted/../secret', mode: 'r' }],
    }),
  ).toEqual({
    code: -32111,
    data: { field: 'fs_grants', fault: 'grant_exceeds_parent' },
  });
});

const HELD = {
  tool_grants: ['Read'],
  model_grants: ['m-1'],
  net_grants: ['*.example.com', 'example.org'],
  fs_grants: [
    { prefix: '/data', mode: 'r' },
    { prefix: '/out', mode: 'rw' },
  ],
};

proves('grant:derive', async () => {
  const os = await daemon.workspace();
  const parent = await createWith(os, { ...HELD, sub_agent: true });
  const child = await create(os, parent);
  const derive = (grants: Params) => os.refused('kernel.cap.derive', { parent_pid: parent, child_pid: child, ...grants });
  const beyond = (field: string): Refusal => ({ code: -32111, data: { field, fault: 'grant_exceeds_parent' } });
  expect(await derive({ tool_grants: ['Read', 'Write'] })).toEqual(beyond('tool_grants'));
  expect(await derive({ tool_grants: ['*'] })).toEqual(beyond('tool_grants'));
  expect(await derive({ model_grants: ['m-2'] })).toEqual(beyond('model_grants'));
  expect(await derive({ fs_grants: [{ prefix: '/', mode: 'r' }] })).toEqual(beyond('fs_grants'));
  expect(await derive({ fs_grants: [{ prefix: '/database', mode: 'r' }] })).toEqual(beyond('fs_grants'));
  expect(await derive({ fs_grants: [{ prefix: '/data', mode: 'rw' }] })).toEqual(beyond('fs_grants'));
  expect(await derive({ net_grants: ['example.com'] })).toEqual(beyond('net_grants'));
  expect(await derive({ net_grants: ['**.example.com'] })).toEqual(beyond('net_grants'));
  expect(await derive({ net_grants: ['*'] })).toEqual(beyond('net_grants'));
  expect(
    await os.call('kernel.cap.derive', {
      parent_pid: parent,
      child_pid: child,
      tool_grants: ['Read'],
      fs_grants: [{ prefix: '/out/a', mode: 'r' }],
    }),
  ).toEqual({
    cap_id: 2,
    pid: child,
    parent_cap_id: 1,
  });
  expect(await os.call('kernel.cap.get', { pid: child })).toEqual({
    cap_id: 2,
    parent_cap_id: 1,
    pid: child,
    tool_grants: ['Read'],
    fs_grants: [{ prefix: '/out/a', mode: 'r' }],
    net_grants: [],
    model_grants: [],
    sub_agent: false,
    created_at: daemon.now,
  });
  expect((await derive({})).code).toBe(-32112);
});

proves('grant:derive', 'patterns are sets: what lies within a wider one can be given', async () => {
  const os = await daemon.workspace();
  const parent = await createWith(os, { ...HELD, sub_agent: true });
  const child = await create(os, parent);
  await os.call('kernel.cap.derive', { parent_pid: parent, child_pid: child, net_grants: ['api.example.com', 'example.org:443'] });
  expect((await os.call('kernel.cap.get', { pid: child })).net_grants).toEqual(['api.example.com', 'example.org:443']);
});

proves('grant:derive', 'of everything anything can be given', async () => {
  const os = await daemon.workspace();
  const parent = await createWith(os, ALL);
  const child = await create(os, parent);
  await os.call('kernel.cap.derive', { parent_pid: parent, child_pid: child, ...HELD, sub_agent: true });
  expect(await os.call('kernel.cap.get', { pid: child })).toMatchObject({ ...HELD, sub_agent: true });
});

proves('grant:derive', 'who may have no sub agents has none, and they have none if they may not', async () => {
  const os = await daemon.workspace();
  const withChildren = await createWith(os, { sub_agent: true });
  const child = await create(os, withChildren);
  await os.call('kernel.cap.derive', { parent_pid: withChildren, child_pid: child });
  expect(await os.refused('kernel.agent.create', { name: 'b', template: 't', parent_pid: child })).toEqual({
    code: -32111,
    data: { field: 'sub_agent', fault: 'grant_exceeds_parent' },
  });
  const lone = await create(os);
  const late = await create(os, lone);
  await os.call('kernel.cap.create', { pid: lone, ...HELD });
  expect(await os.refused('kernel.cap.derive', { parent_pid: lone, child_pid: late, sub_agent: true })).toEqual({
    code: -32111,
    data: { field: 'sub_agent', fault: 'grant_exceeds_parent' },
  });
});

proves('grant:derive', 'not from itself, from a stranger, or from nothing', async () => {
  const os = await daemon.workspace();
  const parent = await createWith(os, ALL);
  const [stranger, child] = [await create(os), await create(os, parent)];
  const derive = (parent_pid: number, child_pid: number) => os.refused('kernel.cap.derive', { parent_pid, child_pid });
  const notBelow = { code: -32114, data: { field: 'child_pid', fault: 'grant_invalid' } };
  expect(await derive(parent, parent)).toEqual(notBelow);
  expect(await derive(parent, stranger)).toEqual(notBelow);
  expect(await derive(99, child)).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  expect(await derive(parent, 99)).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  const grandchild = await create(os, child);
  expect(await derive(child, grandchild)).toEqual({ code: -32113, data: { pid: child, fault: 'grant_not_found' } });
});

proves('grant:derive', 'there is no way around it: creating grants for a child is held to the parent, too', async () => {
  const os = await daemon.workspace();
  const parent = await createWith(os, { tool_grants: ['Read'], sub_agent: true });
  const child = await create(os, parent);
  expect(await os.refused('kernel.cap.create', { pid: child, tool_grants: ['Write'] })).toEqual({
    code: -32111,
    data: { field: 'tool_grants', fault: 'grant_exceeds_parent' },
  });
  await os.call('kernel.cap.create', { pid: child, tool_grants: ['Read'] });
  await os.call('grant.revoke', { pid: parent });
  expect(await os.call('kernel.cap.check_tool', { pid: child, tool: 'Read' })).toEqual({ allowed: false });
});
