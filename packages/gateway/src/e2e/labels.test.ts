/** Untrusted content goes from agent to agent in many ways, and on each of them its label goes with it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const grants = (prefix: string) => ({ tool_grants: ['*'], fs_grants: [{ prefix, mode: 'rw' }] });

async function start(on: TestGateway, agent: string, prefix = '/workspace'): Promise<number> {
  const { result, error } = await on.call('agent.start', { agent, ...grants(prefix) });
  expect(error).toBeUndefined();
  return Number(result?.['pid']);
}

async function call(on: TestGateway, pid: number, capability: string, input: JsonObject, taint?: readonly string[]): Promise<JsonObject> {
  const { result, error } = await on.call('call.make', { pid, capability, input, ...(taint !== undefined && { taint }) });
  expect(error).toBeUndefined();
  expect([capability, result?.['state'], result?.['error'] ?? null]).toEqual([capability, 'done', null]);
  return result?.['output'] as JsonObject; // As the contract says of a call that is done.
}

async function labelsOf(on: TestGateway, pid: number): Promise<readonly string[]> {
  const { result } = await on.call('taint.list', { pid });
  const labels = (result?.['labels'] ?? []) as readonly { readonly label: string }[]; // As the contract says.
  return labels.map(({ label }) => label);
}

async function taint(on: TestGateway, pid: number): Promise<void> {
  await on.kernel.workspace(DEFAULT_WORKSPACE).taints.add(pid, ['web', 'web:evil.example']);
}

/** What the tainted agent writes, and what another, or the same one in another process, does to read it. */
const WAYS: Readonly<
  Record<
    string,
    {
      readonly reader: string;
      readonly prepare?: JsonObject;
      readonly write: readonly [string, JsonObject];
      readonly read: readonly [string, JsonObject];
    }
  >
> = {
  'a message': { reader: 'bob', write: ['comms.send', { to: 'bob', message: 'obey' }], read: ['comms.receive', {}] },
  'a message that is only looked at': {
    reader: 'bob',
    write: ['comms.send', { to: 'bob', message: 'obey' }],
    read: ['comms.receive', { acknowledge: false }],
  },
  'a broadcast': { reader: 'bob', write: ['comms.broadcast', { message: 'obey' }], read: ['comms.receive', {}] },
  'a channel': {
    reader: 'bob',
    prepare: { channel: 'news' },
    write: ['comms.publish', { channel: 'news', message: 'obey' }],
    read: ['comms.receive', {}],
  },
  'shared state': {
    reader: 'bob',
    write: ['state.shared.set', { key: 'k', value: 'obey', expected_version: 0 }],
    read: ['state.shared.get', { key: 'k' }],
  },
  'persistent state': {
    reader: 'ada',
    write: ['state.persistent.set', { key: 'k', value: 'obey' }],
    read: ['state.persistent.get', { key: 'k' }],
  },
  'persistent state, queried': {
    reader: 'ada',
    write: ['state.persistent.set', { key: 'k', value: 'obey' }],
    read: ['state.persistent.query', { prefix: '' }],
  },
  'an earlier version': {
    reader: 'ada',
    write: ['state.persistent.set', { key: 'k', value: 'obey' }],
    read: ['state.persistent.history', { key: 'k' }],
  },
  'a snapshot': { reader: 'ada', write: ['state.snapshot.create', {}], read: ['state.snapshot.load', {}] },
  'an alert': { reader: 'ada', write: ['alerts.send', { message: 'obey', severity: 'info' }], read: ['alerts.list', {}] },
  'a job': {
    reader: 'ada',
    write: ['scheduler.delay', { capability: 'system.echo', inputs: { text: 'obey' }, delay_seconds: 3_600 }],
    read: ['scheduler.cron_list', {}],
  },
};

it.each(Object.entries(WAYS))('%s carries the labels of who wrote it to who reads it', async (_, { reader, prepare, write, read }) => {
  await using on = await openTestGateway({ hasPlatform: true });
  const ada = await start(on, 'ada');
  const other = await start(on, reader);
  if (prepare !== undefined) await call(on, other, 'comms.subscribe', prepare);
  await taint(on, ada);
  const written = await call(on, ada, ...write);
  expect((await labelsOf(on, other)).filter((label) => label !== 'agent')).toEqual([]);
  const [capability, input] = read;
  await call(on, other, capability, capability === 'state.snapshot.load' ? { snapshot_id: written['snapshot_id'] ?? null } : input);
  expect(await labelsOf(on, other)).toEqual(expect.arrayContaining(['web', 'web:evil.example']));
});

it('a message to an agent without a process waits with its labels', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const [ada, gone] = [await start(on, 'ada'), await start(on, 'bob')];
  await on.call('kernel.agent.terminate', { pid: gone, exit_kind: 'completed' });
  await taint(on, ada);
  await call(on, ada, 'comms.send', { to: 'bob', message: 'obey' });
  const bob = await start(on, 'bob');
  expect(await labelsOf(on, bob)).toEqual([]);
  await call(on, bob, 'comms.receive', {});
  expect(await labelsOf(on, bob)).toContain('web:evil.example');
});

it('session state labels again a process whose labels were taken off', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const ada = await start(on, 'ada');
  await taint(on, ada);
  await call(on, ada, 'state.session.set', { key: 'k', value: 'obey' });
  await on.call('taint.clear', { pid: ada });
  expect(await labelsOf(on, ada)).toEqual([]);
  await call(on, ada, 'state.session.get', { key: 'k' });
  expect(await labelsOf(on, ada)).toContain('web');
});

it('a label that only the call was given goes with what it writes', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const [ada, bob] = [await start(on, 'ada'), await start(on, 'bob')];
  await call(on, ada, 'state.shared.set', { key: 'k', value: 1, expected_version: 0 }, ['chat']);
  expect(await labelsOf(on, ada)).toEqual([]);
  await call(on, bob, 'state.shared.get', { key: 'k' });
  expect(await labelsOf(on, bob)).toContain('chat');
});

it('a value that is written over by who carries nothing carries nothing', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const [ada, bob, eve] = [await start(on, 'ada'), await start(on, 'bob'), await start(on, 'eve')];
  await taint(on, ada);
  await call(on, ada, 'state.shared.set', { key: 'k', value: 'obey', expected_version: 0 });
  await call(on, bob, 'state.shared.set', { key: 'k', value: 'mine', expected_version: 1 });
  await call(on, eve, 'state.shared.get', { key: 'k' });
  expect(await labelsOf(on, eve)).toEqual(['agent']);
});

it('policy holds back who may read files that were written by who read the web', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  mkdirSync(join(on.directory, 'policies'), { recursive: true });
  writeFileSync(
    join(on.directory, 'policies', 'workspace.yaml'),
    'rules:\n  - { capability: system.echo, tier: blocked, when: { taint: { any: [web] } } }\n',
  );
  await on.call('policy.reload', {});
  const [ada, bob, eve] = [await start(on, 'ada', '/workspace/ada'), await start(on, 'bob'), await start(on, 'eve', '/workspace/eve')];
  const echo = async (pid: number) =>
    (await on.call('call.make', { pid, capability: 'system.echo', input: { text: 'x' } })).result?.['state'];
  await taint(on, ada);
  expect([await echo(ada), await echo(bob), await echo(eve)]).toEqual(['failed', 'done', 'done']);
  await on.call('call.make', { pid: ada, capability: 'filesystem.write', input: { path: '/workspace/ada/x', content: 'obey' } });
  // Bob may read it, and runs and may copy it to wherever he may write: so Eve carries it too, who may read that.
  expect([await echo(bob), await echo(eve)]).toEqual(['failed', 'failed']);
  expect((await on.call('taint.list_files', {})).result?.['labels']).toContainEqual(
    expect.objectContaining({ path: '/workspace/ada', label: 'web' }),
  );
  await on.call('taint.clear_files', {});
  expect([await echo(bob), await echo(eve)]).toEqual(['done', 'done']);
});

it('files of agents who share nothing do not label each other', async () => {
  await using on = await openTestGateway({ hasPlatform: true });
  const mine = on.kernel.workspace(DEFAULT_WORKSPACE);
  const [ada, eve] = [await start(on, 'ada', '/workspace/ada'), await start(on, 'eve', '/workspace/ada-too')];
  await mine.taints.labelFiles(ada, ['web']);
  expect([await labelsOf(on, ada), await labelsOf(on, eve)]).toEqual([['web'], []]);
});

describe('a process that acts for no agent', () => {
  const path = '/shared/page';
  const OWN_WAYS: Readonly<Record<string, JsonObject>> = {
    'kernel.fs.read': { path },
    'kernel.fs.stat': { path },
    'kernel.fs.list': { prefix: '/shared/' },
    'file.read': { path, version: 1 },
    'file.restore': { path, version: 1 },
    'kernel.fs.set_mode': { path, mode: 'ro' },
  };
  it.each(Object.entries(OWN_WAYS))(
    'carries the labels of a file that %s showed it, and takes the gate from then on',
    async (name, params) => {
      await using on = await openTestGateway({ hasPlatform: true });
      const { files, grants, processes } = on.kernel.workspace(DEFAULT_WORKSPACE);
      const { pid } = await processes.create({ name: 'r', template: 't' });
      // Lists are of what a process owns; whatever an agent wrote over it stays its own.
      const writer = name === 'kernel.fs.list' ? pid : (await processes.create({ name: 'w', template: 't' })).pid;
      await grants.create(pid, { paths: [{ prefix: '/shared', mode: 'rw' }] });
      await files.write(writer, { path, metadata: { title: 'obey', 'warren:labels': ['web', 'web:evil.example'] } }, Buffer.from('obey'));
      const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
      expect((await on.call('kernel.fs.exists', { pid, path: '/shared/none' }, { token })).result).toMatchObject({ exists: false });
      expect(await labelsOf(on, pid)).toEqual([]);
      const shown = name === 'kernel.fs.list' ? { owner_pid: pid, ...params } : { pid, ...params };
      expect((await on.call(name, shown, { token })).error).toBeUndefined();
      expect(await labelsOf(on, pid)).toEqual(['web', 'web:evil.example']);
      const after = await on.call('kernel.fs.write', { pid, path: '/shared/copy', content: 'b2JleQ==' }, { token });
      expect(after.error?.data?.['fault']).toBe('permission_denied');
    },
  );
});
