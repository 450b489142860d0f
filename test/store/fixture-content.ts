/** Something of everything, and how to tell that it is still there. */
import assert from 'node:assert/strict';
import type { Kernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, parseWorkspaceId } from '@warren/protocol';

const OTHER = parseWorkspaceId('acme');

export async function fillStore(kernel: Kernel): Promise<void> {
  await kernel.workspaces.create(OTHER, { weight: 3 });
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  const { pid } = await mine.processes.create({ name: 'alice', template: 'coder', agent: 'alice', metadata: { ключ: '値' } });
  const child = await mine.processes.create({ name: 'child', template: 'coder', parentPid: pid, onParentEnd: 'orphan' });
  await mine.grants.create(pid, {
    tools: ['filesystem.*'],
    paths: [{ prefix: '/memory', mode: 'rw' }],
    hosts: ['**.example.com:443'],
    subAgents: true,
  });
  await mine.grants.derive(pid, child.pid, { tools: ['filesystem.read'] });
  await mine.ledger.create({ kind: 'process', pid }, { tokens: 1_000 });
  await mine.ledger.create({ kind: 'workspace' }, { cost_micro: 5_000_000 });
  await mine.ledger.charge(pid, 'tokens', 900);
  await mine.ledger.reserve(pid, { tokens: 50 });
  await mine.queue.enqueue({ pid, priority: 5, payload: { task: 'now' } });
  await mine.queue.enqueue({ pid, cron: { pattern: '0 9 * * 1-5', zone: 'Europe/Berlin' } });
  await mine.mail.createBox(pid);
  await mine.mail.subscribe(pid, 'news.**');
  await mine.mail.publish(child.pid, 'news.today', { kind: 'note', payload: { text: 'hello' } });
  await mine.names.register('alice', pid, { tags: ['coder', 'ключ'] });
  for (const text of ['one', 'two']) await mine.files.write(pid, { path: '/memory/note' }, Buffer.from(text));
  await mine.files.write(pid, { path: '/blob/large' }, Buffer.alloc(600_000, 7));
  await mine.events.append({ pid, kind: 'note', payload: { of: 'ours' }, causationId: 1, correlationId: 'c' });
  await kernel.workspace(OTHER).processes.create({ name: 'bob', template: 'coder' });
}

/** Throws when something is missing or cannot be gone on with. */
export async function checkStore(kernel: Kernel): Promise<void> {
  assert.deepEqual(
    (await kernel.workspaces.list()).map(({ id, settings }) => [id, settings.weight]),
    [
      [OTHER, 3],
      [DEFAULT_WORKSPACE, 1],
    ],
  );
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  assert.deepEqual((await mine.processes.get(1)).metadata, { ключ: '値' });
  assert.deepEqual(
    (await mine.processes.tree(1)).map(({ name }) => name),
    ['alice', 'child'],
  );
  assert.equal(await mine.grants.checkHost(1, 'api.example.com', 443), true);
  assert.equal(await mine.grants.checkTool(2, 'filesystem.write'), false);
  assert.deepEqual(
    (await mine.ledger.list({ kind: 'process', pid: 1 })).map(({ used, granted }) => [used, granted]),
    [[900, 1_000]],
  );
  assert.equal((await mine.queue.list({ state: 'queued' })).total, 2);
  const [claim] = await mine.queue.claim({ worker: 'upgrade' });
  assert.deepEqual(claim?.entry.payload, { task: 'now' });
  const [letter] = await mine.mail.receive(1);
  assert.deepEqual([letter?.topic, letter?.payload], ['news.today', { text: 'hello' }]);
  assert.equal((await mine.names.list({ tag: 'ключ' })).entries[0]?.name, 'alice');
  assert.equal(Buffer.from((await mine.files.read('/memory/note', { version: 1 })).content).toString(), 'one');
  assert.equal((await mine.files.read('/blob/large')).content.length, 600_000);
  assert.equal((await mine.events.newest({ pid: 1, kind: 'note' })).length, 1);
  assert.equal((await kernel.workspace(OTHER).processes.list()).total, 1);
  assert.deepEqual(await kernel.store.check(), []);
}
