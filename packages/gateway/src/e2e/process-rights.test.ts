import { ownChannel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { OPERATIONS } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { BESIDE_THE_GATE, INSTEAD } from '../caller/require-gate.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const mineOf = (on: TestGateway) => on.kernel.workspace(DEFAULT_WORKSPACE);
const create = async (on: TestGateway, parentPid?: number): Promise<number> =>
  (await mineOf(on).processes.create({ name: 'a', template: 't', parentPid })).pid;
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A process with a token, and what its calls come to: the fault, or undefined. */
async function openProcess(on: TestGateway, pid: number) {
  const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
  const call = async (name: string, params: object) => await on.call(name, params, { token });
  const faultOf = async (name: string, params: object) => (await call(name, params)).error?.data?.['fault'];
  return { call, faultOf };
}

describe('a process that creates processes', () => {
  const child = { name: 'c', template: 't' };

  it('needs a grant for it', async () => {
    await using on = await openTestGateway();
    for (const [grants, fault] of [
      [undefined, 'permission_denied'],
      [{}, 'permission_denied'],
      [{ subAgents: false }, 'permission_denied'],
      [{ subAgents: true }, undefined],
    ] as const) {
      const pid = await create(on);
      if (grants !== undefined) await mineOf(on).grants.create(pid, grants);
      const { faultOf } = await openProcess(on, pid);
      expect(await faultOf('kernel.agent.create', { parent_pid: pid, ...child })).toBe(fault);
      expect((await mineOf(on).processes.list({ parentPid: pid })).total).toBe(fault === undefined ? 1 : 0);
    }
  });

  it('needs one for itself and for whose child it is', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const below = await create(on, pid);
    const { faultOf } = await openProcess(on, pid);
    expect(await faultOf('kernel.agent.create', { parent_pid: below, ...child })).toBe('permission_denied');
    await mineOf(on).grants.create(pid, { subAgents: true });
    expect(await faultOf('kernel.agent.create', { parent_pid: below, ...child })).toBe('permission_denied');
    await mineOf(on).grants.create(below, { subAgents: true });
    expect(await faultOf('kernel.agent.create', { parent_pid: below, ...child })).toBeUndefined();
  });

  it('can neither let them outlive it nor have them spend the budget of an agent', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    await mineOf(on).grants.create(pid, { subAgents: true });
    const { faultOf } = await openProcess(on, pid);
    for (const more of [{ agent: 'rich' }, { agent: '' }, { on_parent_end: 'orphan' }, { on_parent_end: 'detach' }]) {
      expect([more, await faultOf('kernel.agent.create', { parent_pid: pid, ...child, ...more })]).toEqual([more, 'permission_denied']);
    }
    expect(await faultOf('kernel.agent.create', { parent_pid: pid, ...child, on_parent_end: 'end', agent: null })).toBeUndefined();
    expect(await on.call('kernel.agent.create', { ...child, agent: 'rich', on_parent_end: 'detach' })).toMatchObject({ result: {} });
  });
});

describe('a process that uses files', () => {
  async function openFiles() {
    const on = await openTestGateway();
    const { files, grants } = mineOf(on);
    const [pid, other] = [await create(on), await create(on)];
    await files.write(other, { path: '/theirs/a' }, Buffer.from('secret'));
    await files.write(pid, { path: '/mine/a' }, Buffer.from('mine'));
    const process = await openProcess(on, pid);
    const { faultOf } = process;
    /** What each way to a file comes to, in an order in which none is in the way of the next. */
    const tryAll = async (path: string) => {
      const faults: Record<string, unknown> = {};
      for (const [name, params] of [
        ['kernel.fs.read', {}],
        ['kernel.fs.stat', {}],
        ['kernel.fs.exists', {}],
        ['file.read', { version: 1 }],
        ['file.history', {}],
        ['kernel.fs.write', { content: base64('x') }],
        ['file.write', { content: base64('y') }],
        ['file.restore', { version: 1 }],
        ['kernel.fs.set_mode', { mode: 'rw' }],
        ['kernel.fs.delete', {}],
      ] as const) {
        faults[name] = (await faultOf(name, { pid, path, ...params })) ?? 'ok';
      }
      return faults;
    };
    return { on, files, grants, pid, other, ...process, tryAll, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
  }
  const READS = ['kernel.fs.read', 'kernel.fs.stat', 'kernel.fs.exists', 'file.read', 'file.history'];
  const all = (fault: string) => expect.toSatisfy((faults: Record<string, unknown>) => Object.values(faults).every((is) => is === fault));

  it('has those it owns without a grant', async () => {
    await using with_ = await openFiles();
    expect(await with_.tryAll('/mine/a')).toEqual(all('ok'));
  });

  it('gets nothing of others, and is not told which there are', async () => {
    await using with_ = await openFiles();
    for (const path of ['/theirs/a', '/theirs/nothing', '/mine/new']) expect(await with_.tryAll(path)).toEqual(all('permission_denied'));
    const { content } = await with_.files.read('/theirs/a');
    expect(Buffer.from(content).toString()).toBe('secret');
    expect((await with_.files.list()).total).toBe(2);
  });

  it('reads what it may read, and changes what it may change', async () => {
    await using with_ = await openFiles();
    await with_.grants.create(with_.pid, {
      paths: [
        { prefix: '/theirs', mode: 'r' },
        { prefix: '/shared', mode: 'rw' },
      ],
    });
    const faults = await with_.tryAll('/theirs/a');
    expect(Object.keys(faults).filter((name) => faults[name] === 'ok')).toEqual(READS);
    await with_.files.write(with_.other, { path: '/shared/a' }, Buffer.from('all of us'));
    expect(await with_.tryAll('/shared/a')).toEqual(all('ok'));
    expect(await with_.faultOf('kernel.fs.write', { pid: with_.pid, path: '/shared/new', content: '' })).toBeUndefined();
    expect(await with_.faultOf('kernel.fs.write', { pid: with_.pid, path: '/sharedness', content: '' })).toBe('permission_denied');
    expect(await with_.faultOf('kernel.fs.read', { pid: with_.pid, path: '/shared/../mine/../x' })).toBe('path_invalid');
  });

  it('lists its own, and what lies below a directory it may read', async () => {
    await using with_ = await openFiles();
    const { pid, other, call, faultOf, files } = with_;
    const child = await create(with_.on, pid);
    await files.write(child, { path: '/theirs/of-child' }, Buffer.from(''));
    await files.write(child, { path: '/theirs-too' }, Buffer.from(''));
    await with_.grants.create(pid, { paths: [{ prefix: '/theirs', mode: 'r' }] });
    const list = async (params: object) => (await call('kernel.fs.list', params)).result?.['total'];
    expect(await list({ owner_pid: pid })).toBe(1);
    expect(await list({ owner_pid: child, prefix: '/theirs/' })).toBe(1);
    expect(await list({ owner_pid: child, prefix: '/theirs/of' })).toBe(1);
    for (const params of [{ owner_pid: child }, { owner_pid: child, prefix: '/theirs' }, { owner_pid: other }, { prefix: '/theirs/' }]) {
      expect([params, await faultOf('kernel.fs.list', params)]).toEqual([params, 'permission_denied']);
    }
  });

  it('does not get at the earlier file of another under the name of its own', async () => {
    await using with_ = await openFiles();
    const { pid, files, faultOf } = with_;
    await files.delete('/theirs/a');
    await files.write(pid, { path: '/theirs/a' }, Buffer.from('new'));
    expect(await faultOf('file.read', { pid, path: '/theirs/a', version: 1 })).toBe('permission_denied');
    expect(await faultOf('file.restore', { pid, path: '/theirs/a', version: 1 })).toBe('permission_denied');
    expect(await faultOf('file.read', { pid, path: '/theirs/a', version: 3 })).toBeUndefined();
  });

  it('writes over its own at the same time from several sides', async () => {
    await using with_ = await openFiles();
    const { pid, faultOf } = with_;
    const write = () => faultOf('kernel.fs.write', { pid, path: '/mine/a', content: base64('x') });
    expect(await Promise.all([1, 2, 3, 4].map(write))).toEqual([undefined, undefined, undefined, undefined]);
    const at = { pid, path: '/mine/a', content: base64('x'), expected_version: 5 };
    expect([await faultOf('file.write', at), await faultOf('file.write', at)]).toEqual([undefined, 'conflict']);
  });
});

describe('a process of an agent', () => {
  it('takes the gate for whatever it does: no other operation lets it act, or read what others wrote', async () => {
    await using on = await openTestGateway();
    const mine = mineOf(on);
    const { pid } = await mine.processes.create({ name: 'ada', template: 't', agent: 'ada' });
    const { pid: other } = await mine.processes.create({ name: 'bob', template: 't', agent: 'bob' });
    await mine.grants.create(pid, { tools: ['*'], paths: [{ prefix: '/', mode: 'rw' }], subAgents: true });
    for (const each of [pid, other]) await mine.mail.createBox(each);
    await mine.mail.send(other, pid, { kind: 'note', payload: { text: 'for ada' } });
    await mine.files.write(pid, { path: '/mine' }, Buffer.from('mine'));
    const { call, faultOf } = await openProcess(on, pid);
    const attacks = {
      'kernel.mbox.send': { sender_pid: pid, recipient_pid: other, kind: 'note', payload: { text: 'obey' } },
      'kernel.mbox.publish': { sender_pid: pid, topic: 'news', kind: 'note' },
      'kernel.mbox.subscribe': { pid, topic: '**' },
      'kernel.mbox.recv': { pid },
      'kernel.mbox.peek': { pid },
      'mail.receive': { pid },
      'mail.request': { sender_pid: pid, recipient_pid: other, kind: 'q', timeout_ms: 10 },
      'mail.reply': { pid, message: { msg_id: 1, sender_pid: other, correlation_id: null }, kind: 'a' },
      'kernel.fs.read': { pid, path: '/mine' },
      'kernel.fs.write': { pid, path: '/mine', content: base64('x') },
      'file.restore': { pid, path: '/mine', version: 1 },
      'queue.enqueue': { pid },
      'kernel.agent.create': { parent_pid: pid, name: 'c', template: 't' },
      'kernel.registry.register': { name: 'n', pid },
      'kernel.events.append': { pid, kind: 'k', payload: {} },
      'grant.revoke': { pid },
    } as const;
    for (const [name, params] of Object.entries(attacks)) {
      const { error } = await call(name, params);
      const capability = INSTEAD[name as keyof typeof INSTEAD] ?? null;
      expect([name, error?.data]).toEqual([name, { fault: 'permission_denied', pid, capability }]);
    }
    // Whichever it is, known or new: what is not beside the gate is refused.
    for (const [name, { scope }] of Object.entries(OPERATIONS)) {
      if (scope.kind !== 'process' || BESIDE_THE_GATE.has(name as keyof typeof OPERATIONS)) continue;
      expect([name, await faultOf(name, { pid, [scope.pid]: pid })]).toEqual([
        name,
        expect.stringMatching(/^(?:permission_denied|invalid_argument)$/),
      ]);
    }
    expect(await mine.mail.findBox(other)).toMatchObject({ pending: 0 });
    expect(await faultOf('kernel.agent.get', { pid })).toBeUndefined();
    expect(await faultOf('kernel.mbox.recv', { pid: other })).toBe('permission_denied');
  });

  it('has children that are of the same agent and carry the same labels', async () => {
    await using on = await openTestGateway();
    const mine = mineOf(on);
    const { pid } = await mine.processes.create({ name: 'ada', template: 't', agent: 'ada' });
    await on.kernel.store.workspace(DEFAULT_WORKSPACE).write(({ taints, now }) => {
      taints.add({ pid, label: 'web', since: now, callId: undefined });
    });
    const made = await on.call('kernel.agent.create', { parent_pid: pid, name: 'c', template: 't' });
    const child = Number(made.result?.['pid']);
    expect(await mine.processes.get(child)).toMatchObject({ agent: 'ada' });
    const labels = await on.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ taints }) => taints.of(child).map(({ label }) => label));
    expect(labels).toEqual(['web']);
    expect(await (await openProcess(on, child)).faultOf('kernel.mbox.create', { pid: child })).toBe('permission_denied');
  });
});

describe('a process of no agent', () => {
  it('neither hears nor speaks on channels on which Warren tells another something', async () => {
    await using on = await openTestGateway();
    const { mail } = mineOf(on);
    const [pid, watcher] = [await create(on), await create(on)];
    for (const each of [pid, watcher]) await mail.createBox(each);
    const topic = ownChannel('watch', watcher, 'watch_1');
    await mail.subscribe(watcher, topic);
    const { faultOf } = await openProcess(on, pid);
    expect(await faultOf('kernel.mbox.subscribe', { pid, topic: '**' })).toBeUndefined();
    expect(await faultOf('kernel.mbox.subscribe', { pid, topic })).toBe('permission_denied');
    for (const name of ['kernel.mbox.publish', 'mail.publish'])
      expect(await faultOf(name, { sender_pid: pid, topic, kind: 'filesystem.watch', payload: {} })).toBe('permission_denied');
    await mail.publish(undefined, topic, { kind: 'filesystem.watch', payload: {} });
    expect([(await mail.findBox(pid))?.pending, (await mail.findBox(watcher))?.pending]).toEqual([0, 1]);
  });

  it('takes the gate too once it carries labels', async () => {
    await using on = await openTestGateway();
    const [pid, other] = [await create(on), await create(on)];
    for (const each of [pid, other]) await mineOf(on).mail.createBox(each);
    const { call, faultOf } = await openProcess(on, pid);
    const send = { sender_pid: pid, recipient_pid: other, kind: 'note', payload: {} };
    expect(await faultOf('kernel.mbox.send', send)).toBeUndefined();
    await on.kernel.store.workspace(DEFAULT_WORKSPACE).write(({ taints, now }) => {
      taints.add({ pid, label: 'web', since: now, callId: undefined });
    });
    expect((await call('kernel.mbox.send', send)).error).toMatchObject({
      message: expect.stringContaining('comms.send'),
      data: { fault: 'permission_denied', capability: 'comms.send' },
    });
    expect((await mineOf(on).mail.findBox(other))?.pending).toBe(1);
  });
});

describe('a process that is suspended', () => {
  it('may read, and do nothing else until it goes on', async () => {
    await using on = await openTestGateway();
    const { processes } = mineOf(on);
    const pid = await create(on);
    await processes.transition(pid, 'RUNNING');
    const { call, faultOf } = await openProcess(on, pid);
    await processes.signal(pid, 'stop');
    expect(await faultOf('kernel.agent.get', { pid })).toBeUndefined();
    const append = { pid, kind: 'note', payload: {} };
    expect((await call('kernel.events.append', append)).error).toMatchObject({
      message: expect.stringContaining('suspended'),
      data: { fault: 'permission_denied' },
    });
    // Whatever changes something, whichever it is: no operation has a door of its own.
    for (const [name, { effect, scope }] of Object.entries(OPERATIONS)) {
      if (effect === 'read' || scope.kind !== 'process') continue;
      const fault = await faultOf(name, { pid, [scope.pid]: pid });
      expect([name, fault]).toEqual([name, expect.stringMatching(/^(?:permission_denied|invalid_argument)$/)]);
    }
    expect(await on.call('kernel.events.append', append)).toMatchObject({ result: {} });
    await processes.signal(pid, 'continue');
    expect(await faultOf('kernel.events.append', append)).toBeUndefined();
  });
});
