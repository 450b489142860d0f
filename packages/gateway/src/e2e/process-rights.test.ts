import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { OPERATIONS } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
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
