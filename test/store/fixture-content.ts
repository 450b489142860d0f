/** Something of everything, and how to tell that it is still there. */
import assert from 'node:assert/strict';
import type { Kernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, parseWorkspaceId } from '@warren/protocol';

const OTHER = parseWorkspaceId('acme');
const ALICE = { kind: 'agent', agent: 'alice' } as const;
const SHARED = { kind: 'shared' } as const;
const PASSPHRASE = 'correct horse battery staple';
/** Nothing is due before. */
const FAR = 9_000_000_000_000;

export async function fillStore(kernel: Kernel): Promise<void> {
  await kernel.workspaces.create(OTHER, { weight: 3 });
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  await mine.agents.create('alice', {
    purpose: 'ключ',
    grants: { tools: ['git.*'] },
    budgets: { tool_calls: 7 },
    program: { kind: 'loop', model: 'm' },
  });
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
  await fillGate(kernel, pid);
  await fillGateway(kernel);
  await fillSecrets(kernel);
  await fillRuns(kernel);
}

/** One that waits, until a time and for another, which ended, and one that is queued. */
async function fillRuns(kernel: Kernel): Promise<void> {
  const { processes, queue, runs } = kernel.workspace(OTHER);
  const { pid } = await processes.create({ name: 'runner', template: 'coder', agent: 'carl' });
  const child = await processes.create({ name: 'helper', template: 'coder', parentPid: pid });
  const { id } = await runs.create({ pid, task: { text: 'ключ' }, terms: { model: 'm' }, title: 'Mend', session: 's', priority: 2 });
  const [claim] = await queue.claim({ worker: 'w', areRuns: true });
  const lease = { entry: claim?.entry.id ?? 0, fence: claim?.fence ?? 0 };
  await runs.append(id, lease, [{ kind: 'model', body: { text: 'hm' } }], { tokens: 5, costMicro: 7 });
  const { id: childId } = await runs.create({ pid: child.pid, task: {} });
  await runs.stop(childId, 'not needed');
  await runs.park(id, lease, { for: { text: 'people' }, after: 1, calls: [], until: FAR });
}

async function fillSecrets(kernel: Kernel): Promise<void> {
  const { secrets } = kernel.workspace(DEFAULT_WORKSPACE);
  await secrets.addDataKey({ number: 1, root: 7, wrapped: Uint8Array.of(1, 2, 3) });
  const bindings = { hosts: ['api.example.com'], capabilities: ['network.*'], skills: ['issues'] };
  const versions = [{ version: 1, dataKey: 1, sealed: Uint8Array.of(0, 255), createdAt: 5 }];
  await secrets.put(
    { ...{ name: 'issues/KEY', type: 'api_key', purpose: 'ключ' }, bindings, version: 1, revokedAt: 9, versions },
    0,
    'created',
  );
}

async function fillGateway(kernel: Kernel): Promise<void> {
  await kernel.workspace(OTHER).agents.create('bob');
  await kernel.workspace(OTHER).agents.revoke('bob');
  const identity = { issuer: 'https://id.example', subject: '42' };
  await kernel.people.create({ name: 'olga', groups: ['ops'], passphrase: PASSPHRASE, identity });
  await kernel.people.create({ name: 'ann', workspace: OTHER, role: 'viewer' });
  await kernel.tokens.create({ kind: 'agent', workspace: DEFAULT_WORKSPACE, agent: 'alice' }, { label: 'laptop', owner: 'olga' });
  await kernel.tokens.create({ kind: 'member', workspace: OTHER, role: 'viewer' }, { person: 'ann' });
}

async function fillGate(kernel: Kernel, pid: number): Promise<void> {
  const { state, alerts } = kernel.workspace(DEFAULT_WORKSPACE);
  for (const value of ['one', 'two']) await state.set(ALICE, 'ключ', { value }, { by: 'alice' });
  await state.set(SHARED, 'plan', 1, { expectedVersion: 0, by: 'alice', access: { read: ['*'], write: ['alice'] } });
  await state.set({ kind: 'session', pid }, 'draft', [null]);
  await state.delete(ALICE, 'ключ', { by: 'alice' });
  const { id } = await alerts.send({ message: 'disk is full', severity: 'critical', agent: 'alice', pid });
  await alerts.acknowledge(id, 'olga');
  await alerts.send({ message: 'still full', severity: 'warning', context: { free: 0 } });
  await kernel.store.workspace(DEFAULT_WORKSPACE).write(({ calls, approvals, counters, taints, now }) => {
    const call = { pid, capability: 'mail.send', version: '1.0.0', effect: 'once', hash: 'h', reservationId: undefined, record: { tier: 'notify' }, createdAt: now } as const; // biome-ignore format: one line
    const none = { idempotencyKey: undefined, approvalId: undefined, input: undefined, ending: undefined, answer: undefined, openedAt: undefined, endedAt: undefined }; // biome-ignore format: one line
    calls.insert({ ...call, ...none, id: 'call_asked', state: 'asked', attempts: 0, approvalId: 'approval_a', input: { to: 'bob' } });
    calls.insert({
      ...call,
      ...none,
      id: 'call_done',
      state: 'done',
      attempts: 1,
      endedAt: now,
      idempotencyKey: 'k',
      answer: { sent: true },
    });
    const approval = { pid, agent: 'alice', capability: 'mail.send', callHash: 'h', input: { to: 'bob' }, rule: undefined, reasoning: undefined, terms: { quorum: 2 }, createdAt: now } as const; // biome-ignore format: one line
    const open = { escalateAt: undefined, escalatedAt: undefined, decidedAt: undefined, reason: undefined, editedInput: undefined };
    const votes = [{ approver: 'olga', at: now, note: undefined }];
    approvals.insert({ ...approval, ...open, id: 'approval_a', state: 'pending', callId: 'call_asked', expiresAt: FAR, votes });
    approvals.insertRule({ id: 'rule_a', agent: 'alice', capability: 'mail.send', when: undefined, createdAt: now, createdBy: 'olga', approvalId: 'approval_a', expiresAt: FAR, revokedAt: undefined, revokedBy: undefined }); // biome-ignore format: one line
    counters.add('rule', now, 3, FAR - now);
    taints.add({ pid, label: 'web', since: now, callId: 'call_done' });
  });
}

/** Throws when something is missing or cannot be gone on with. Of a store that an older version wrote, only what there was then. */
export async function checkStore(kernel: Kernel, writtenBy: number = kernel.store.schemaVersion): Promise<void> {
  if (writtenBy >= 2) await checkGate(kernel);
  if (writtenBy >= 3) await checkGateway(kernel);
  if (writtenBy >= 4) await checkSecrets(kernel);
  if (writtenBy >= 5) await checkRuns(kernel);
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
  assert.equal((await kernel.workspace(OTHER).processes.list()).total, writtenBy >= 5 ? 3 : 1);
  assert.deepEqual(await kernel.store.check(), []);
}

async function checkGate(kernel: Kernel): Promise<void> {
  const { state, alerts } = kernel.workspace(DEFAULT_WORKSPACE);
  assert.deepEqual(
    (await state.history(ALICE, 'ключ')).map(({ version, value }) => [version, value]),
    [
      [3, undefined],
      [2, { value: 'two' }],
      [1, { value: 'one' }],
    ],
  );
  assert.equal((await state.set(ALICE, 'ключ', 'four')).version, 4);
  await assert.rejects(state.set(SHARED, 'plan', 2, { expectedVersion: 1, by: 'bob' }), { code: 'permission_denied' });
  assert.deepEqual((await state.get({ kind: 'session', pid: 1 }, 'draft'))?.value, [null]);
  const { pending, alerts: all } = await alerts.list();
  assert.deepEqual([pending, all.map(({ message, acknowledgedBy }) => [message, acknowledgedBy]).toSorted()], [1, [['disk is full', 'olga'], ['still full', undefined]]]); // biome-ignore format: one line
  const found = await kernel.store.workspace(DEFAULT_WORKSPACE).read(({ calls, approvals, counters, taints }) => ({
    calls: [calls.ofProcess(1, ['asked'], 9)[0]?.input, calls.findByKey(1, 'k')?.answer],
    approvals: [approvals.list({ state: 'pending', agent: 'alice' }, 9)[0]?.votes.length, approvals.nextDue()],
    rules: approvals.rulesInForce(FAR - 1, 'alice').map(({ id }) => id),
    counted: counters.sum('rule', 0).amount,
    taints: taints.of(1).map(({ label }) => label),
  }));
  assert.deepEqual(found, { calls: [{ to: 'bob' }, { sent: true }], approvals: [1, FAR], rules: ['rule_a'], counted: 3, taints: ['web'] });
}

async function checkGateway(kernel: Kernel): Promise<void> {
  const { purpose, grants, budgets, state } = await kernel.workspace(DEFAULT_WORKSPACE).agents.get('alice');
  assert.deepEqual([purpose, grants.tools, budgets, state], ['ключ', ['git.*'], { tool_calls: 7 }, 'active']);
  assert.equal((await kernel.workspace(OTHER).agents.get('bob')).state, 'revoked');
  assert.deepEqual((await kernel.people.verify('olga', PASSPHRASE))?.groups, ['ops']);
  assert.equal((await kernel.people.findByIdentity('https://id.example', '42'))?.name, 'olga');
  assert.deepEqual(
    (await kernel.people.list(OTHER)).map(({ name, role }) => [name, role]),
    [['ann', 'viewer']],
  );
  assert.deepEqual(
    (await kernel.tokens.list()).map(({ principal, label, person, owner }) => [principal, label, person, owner]),
    [
      [{ kind: 'member', workspace: OTHER, role: 'viewer' }, '', 'ann', 'ann'],
      [{ kind: 'agent', workspace: DEFAULT_WORKSPACE, agent: 'alice' }, 'laptop', undefined, 'olga'],
    ],
  );
}

async function checkSecrets(kernel: Kernel): Promise<void> {
  const { secrets } = kernel.workspace(DEFAULT_WORKSPACE);
  const found = await secrets.findCurrent('issues/KEY');
  assert.deepEqual([found?.record.purpose, found?.record.bindings.hosts, found?.record.revokedAt], ['ключ', ['api.example.com'], 9]);
  assert.deepEqual([...(found?.current.sealed ?? [])], [0, 255]);
  assert.deepEqual(
    (await secrets.dataKeys()).map(({ number, root, wrapped }) => [number, root, ...wrapped]),
    [[1, 7, 1, 2, 3]],
  );
}

async function checkRuns(kernel: Kernel): Promise<void> {
  assert.deepEqual((await kernel.workspace(DEFAULT_WORKSPACE).agents.get('alice')).program, { kind: 'loop', model: 'm' });
  const { runs, queue } = kernel.workspace(OTHER);
  const { task, terms, title, session, tokens, costMicro, state, waitsFor } = await runs.get(1);
  assert.deepEqual(
    [task, terms, title, session, tokens, costMicro, state],
    [{ text: 'ключ' }, { model: 'm' }, 'Mend', 's', 5, 7, 'waiting'],
  );
  assert.deepEqual(waitsFor, { for: { text: 'people' }, until: FAR });
  assert.deepEqual(
    (await runs.steps(1)).map(({ kind }) => kind),
    ['task', 'model'],
  );
  assert.deepEqual(
    (await runs.list({ parent: 1 })).map(({ outcome }) => outcome),
    ['stopped'],
  );
  assert.equal(await runs.post(1, { text: 'go on' }), 2);
  const [claim] = await queue.claim({ worker: 'upgrade', areRuns: true });
  assert.equal((await runs.end(1, { entry: claim?.entry.id ?? 0, fence: claim?.fence ?? 0 }, 'completed', {}))?.outcome, 'completed');
}
