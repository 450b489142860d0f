import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../internal/json.ts';
import type { GrantSet } from '../store/tables/grant-table.ts';
import type { ParentEndPolicy } from '../store/tables/process-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { firstExcess, NO_GRANTS, parseGrantSet } from './grant-set.ts';

const ALL: GrantSet = { tools: ['*'], paths: [{ prefix: '/', mode: 'rw' }], hosts: ['*'], models: ['*'], subAgents: true };

async function spawn(test: TestKernel, parentPid?: number, onParentEnd: ParentEndPolicy = 'end'): Promise<number> {
  return (await test.mine.processes.create({ name: 'a', template: 't', parentPid, onParentEnd })).pid;
}

/** A family, each the child of the one before. */
async function spawnLine(test: TestKernel, length: number, onParentEnd?: ParentEndPolicy): Promise<number[]> {
  const pids: number[] = [];
  for (let depth = 0; depth < length; depth++) pids.push(await spawn(test, pids.at(-1), onParentEnd));
  return pids;
}

async function grantEvents(test: TestKernel): Promise<readonly (readonly [string, number | undefined])[]> {
  return (await test.mine.events.tail({ limit: 1_000 })).events
    .filter(({ kind }) => kind.startsWith('kernel.grant.'))
    .map(({ kind, pid }) => [kind, pid]);
}

const fault = (code: string, details?: JsonObject) => expect.objectContaining(details === undefined ? { code } : { code, details });

describe('giving grants', () => {
  it('makes a record and one event that says all of it', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    const record = await test.mine.grants.create(pid, {
      tools: ['b', 'a'],
      paths: [{ prefix: '/a/', mode: 'r' }],
      hosts: ['X.com'],
      models: ['m'],
    });
    const held = { tools: ['a', 'b'], paths: [{ prefix: '/a', mode: 'r' }], hosts: ['x.com'], models: ['m'], subAgents: false };
    expect(record).toEqual({ ...held, pid, grantId: expect.any(Number), parentGrantId: undefined, createdAt: test.clock.now() });
    expect(await test.mine.grants.get(pid)).toEqual(record);
    expect(await test.mine.grants.find(pid)).toEqual(record);
    expect((await test.mine.events.tail({ kind: 'kernel.grant.created' })).events).toMatchObject([
      {
        pid,
        payload: {
          grant_id: record.grantId,
          parent_grant_id: null,
          tool_grants: ['a', 'b'],
          fs_grants: [{ prefix: '/a', mode: 'r' }],
          net_grants: ['x.com'],
          model_grants: ['m'],
          sub_agent: false,
        },
      },
    ]);
    await test.reopen();
    expect(await test.mine.grants.get(pid)).toEqual(record);
  });

  it('happens once', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    await test.mine.grants.create(pid, {});
    await expect(test.mine.grants.create(pid, ALL)).rejects.toThrow(fault('grant_exists', { pid }));
    await test.mine.grants.revoke(pid);
    await expect(test.mine.grants.create(pid, ALL)).rejects.toThrow(fault('grant_exists', { pid }));
    expect(await test.mine.grants.checkTool(pid, 'a')).toBe(false);
  });

  it('happens once when many try at the same time', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    const done = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => test.mine.grants.create(pid, { tools: [`t${index}`] })));
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await grantEvents(test)).length).toBe(1);
  });

  it('is refused for a process that is unknown or DEAD, and writes nothing', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    await test.mine.processes.end(pid, 'completed');
    await expect(test.mine.grants.create(99, {})).rejects.toThrow(fault('unknown_pid', { pid: 99 }));
    await expect(test.mine.grants.create(pid, {})).rejects.toThrow(fault('grant_invalid', { field: 'pid' }));
    await expect(test.mine.grants.create(pid, { tools: ['a*'] })).rejects.toThrow(fault('grant_invalid', { field: 'tool_grants' }));
    expect(await grantEvents(test)).toEqual([]);
  });

  it('is not found where nothing was given', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    await expect(test.mine.grants.get(pid)).rejects.toThrow(fault('grant_not_found', { pid }));
    await expect(test.mine.grants.narrow(pid, {})).rejects.toThrow(fault('grant_not_found', { pid }));
    expect(await test.mine.grants.find(pid)).toBeUndefined();
    expect(await test.mine.grants.find(99)).toBeUndefined();
    expect(await test.mine.grants.revoke(pid)).toEqual({ revoked: [] });
    await expect(test.mine.grants.revoke(99)).rejects.toThrow(fault('unknown_pid', { pid: 99 }));
  });

  it('is of one workspace', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    await test.mine.grants.create(pid, ALL);
    const { id } = await test.kernel.workspaces.create('other' as typeof test.mine.id); // Valid.
    const other = test.kernel.workspace(id);
    const theirs = await other.processes.create({ name: 'a', template: 't' });
    expect(theirs.pid).toBe(pid);
    expect(await other.grants.checkTool(pid, 'a')).toBe(false);
    expect(await test.mine.grants.checkTool(pid, 'a')).toBe(true);
  });
});

describe('a child', () => {
  const HELD = {
    tools: ['fs.*'],
    paths: [{ prefix: '/a', mode: 'r' }],
    hosts: ['*.example.com'],
    models: ['m'],
    subAgents: false,
  } as const;

  it.each([
    ['tool_grants', { tools: ['fs.read', 'mail.send'] }],
    ['tool_grants', { tools: ['*'] }],
    ['model_grants', { models: ['n'] }],
    ['fs_grants', { paths: [{ prefix: '/b', mode: 'r' as const }] }],
    ['fs_grants', { paths: [{ prefix: '/a/b', mode: 'rw' as const }] }],
    ['fs_grants', { paths: [{ prefix: '/a/../b', mode: 'r' as const }] }],
    ['net_grants', { hosts: ['a.b.example.com'] }],
    ['net_grants', { hosts: ['**.example.com'] }],
    ['sub_agent', { subAgents: true }],
  ])('cannot get more %s than its parent holds, whichever way: %j', async (field, more) => {
    await using test = await openTestKernel();
    const [parent, child] = await withChild(test);
    await test.mine.grants.create(parent, HELD);
    await expect(test.mine.grants.derive(parent, child, more)).rejects.toThrow(fault('grant_exceeds_parent', { field }));
    await expect(test.mine.grants.create(child, more)).rejects.toThrow(fault('grant_exceeds_parent', { field }));
    expect(await test.mine.grants.find(child)).toBeUndefined();
  });

  it('can get a true part of what its parent holds, patterns compared as sets', async () => {
    await using test = await openTestKernel();
    const [parent, child] = await withChild(test);
    const given = await test.mine.grants.create(parent, HELD);
    const part = {
      tools: ['fs.read', 'fs.a.*'],
      paths: [{ prefix: '/a/b', mode: 'r' }],
      hosts: ['api.example.com:443'],
      models: ['m'],
    } as const;
    const derived = await test.mine.grants.derive(parent, child, part);
    expect(derived).toMatchObject({ pid: child, parentGrantId: given.grantId, subAgents: false, hosts: ['api.example.com:443'] });
    expect(await grantEvents(test)).toEqual([['kernel.grant.created', parent], ['kernel.grant.derived', child]]); // biome-ignore format: one line
  });

  it('can get anything from a parent that holds everything', async () => {
    await using test = await openTestKernel();
    const [parent, child] = await withChild(test);
    await test.mine.grants.create(parent, ALL);
    expect(await test.mine.grants.derive(parent, child, ALL)).toMatchObject(ALL);
  });

  it('inherits nothing that is not named', async () => {
    await using test = await openTestKernel();
    const [parent, child] = await withChild(test);
    await test.mine.grants.create(parent, ALL);
    expect(await test.mine.grants.derive(parent, child, {})).toMatchObject(NO_GRANTS);
  });

  it('of a parent that was given nothing can get nothing', async () => {
    await using test = await openTestKernel();
    const [parent, child] = await withChild(test);
    await expect(test.mine.grants.derive(parent, child, {})).rejects.toThrow(fault('grant_not_found', { pid: parent }));
    await expect(test.mine.grants.create(child, { tools: ['a'] })).rejects.toThrow(fault('grant_exceeds_parent', { field: 'tool_grants' }));
    expect(await test.mine.grants.create(child, {})).toMatchObject({ ...NO_GRANTS, parentGrantId: undefined });
  });

  it('of a parent that is DEAD can get nothing', async () => {
    await using test = await openTestKernel();
    const parent = await spawn(test);
    const child = await spawn(test, parent, 'orphan');
    await test.mine.grants.create(parent, ALL);
    await test.mine.processes.end(parent, 'completed');
    await expect(test.mine.grants.create(child, { models: ['m'] })).rejects.toThrow(
      fault('grant_exceeds_parent', { field: 'model_grants' }),
    );
    await expect(test.mine.grants.derive(parent, child, {})).rejects.toThrow(fault('grant_not_found', { pid: parent }));
  });

  it('derives from a process above it and from nobody else', async () => {
    await using test = await openTestKernel();
    const [top = 0, middle = 0, bottom = 0] = await spawnLine(test, 3);
    const stranger = await spawn(test);
    for (const pid of [top, stranger]) await test.mine.grants.create(pid, ALL);
    const refused = fault('grant_invalid', { field: 'child_pid' });
    await expect(test.mine.grants.derive(top, top, {})).rejects.toThrow(refused);
    await expect(test.mine.grants.derive(stranger, middle, {})).rejects.toThrow(refused);
    await expect(test.mine.grants.derive(middle, top, {})).rejects.toThrow(refused);
    await expect(test.mine.grants.derive(top, 99, {})).rejects.toThrow(fault('unknown_pid', { pid: 99 }));
    await expect(test.mine.grants.derive(99, top, {})).rejects.toThrow(fault('unknown_pid', { pid: 99 }));
    await expect(test.mine.grants.derive(top, bottom, { tools: ['a'] })).rejects.toThrow(
      fault('grant_exceeds_parent', { field: 'tool_grants' }),
    );
    const between = await test.mine.grants.derive(top, middle, { tools: ['a.*'] });
    await expect(test.mine.grants.derive(top, bottom, { tools: ['b'] })).rejects.toThrow(
      fault('grant_exceeds_parent', { field: 'tool_grants' }),
    );
    expect(await test.mine.grants.derive(top, bottom, { tools: ['a.b'] })).toMatchObject({
      tools: ['a.b'],
      parentGrantId: between.grantId,
    });
  });

  it('is made only by a parent that may have children, or that was never given grants', async () => {
    await using test = await openTestKernel();
    const [may, mayNot, ungranted] = [await spawn(test), await spawn(test), await spawn(test)];
    await test.mine.grants.create(may, { subAgents: true });
    await test.mine.grants.create(mayNot, { ...ALL, subAgents: false });
    await expect(spawn(test, may)).resolves.toBeGreaterThan(0);
    await expect(spawn(test, ungranted)).resolves.toBeGreaterThan(0);
    await expect(spawn(test, mayNot)).rejects.toThrow(fault('grant_exceeds_parent', { field: 'sub_agent' }));
    await test.mine.grants.revoke(may);
    await expect(spawn(test, may)).rejects.toThrow(fault('grant_exceeds_parent', { field: 'sub_agent' }));
  });
});

async function withChild(test: TestKernel): Promise<readonly [number, number]> {
  const [parent = 0, child = 0] = await spawnLine(test, 2);
  return [parent, child];
}

describe('taking grants away', () => {
  it('narrows the process and everything below it at once', async () => {
    await using test = await openTestKernel();
    const [top = 0, middle = 0, bottom = 0] = await spawnLine(test, 3);
    const beside = await spawn(test, top);
    const { grants } = test.mine;
    await grants.create(top, ALL);
    await grants.derive(top, middle, { tools: ['fs.*', 'mail.send'], hosts: ['*.example.com'], subAgents: true });
    await grants.derive(middle, bottom, { tools: ['fs.read', 'mail.send'], hosts: ['*.example.com'] });
    await grants.derive(top, beside, { tools: ['fs.read'] });

    const { record, narrowed } = await grants.narrow(top, { tools: ['fs.*'], hosts: ['**.api.example.com'] });

    expect(record).toMatchObject({ ...NO_GRANTS, tools: ['fs.*'], hosts: ['**.api.example.com'], pid: top });
    expect(narrowed).toEqual([top, middle, bottom]);
    expect(await grants.get(middle)).toMatchObject({ ...NO_GRANTS, tools: ['fs.*'], hosts: ['api.example.com'] });
    expect(await grants.get(bottom)).toMatchObject({ ...NO_GRANTS, tools: ['fs.read'], hosts: ['api.example.com'] });
    expect(await grants.get(beside)).toMatchObject({ tools: ['fs.read'] });
    expect(await grants.checkHost(bottom, 'api.example.com')).toBe(true);
    expect(await grants.checkHost(bottom, 'www.example.com')).toBe(false);
    expect(await grants.checkTool(bottom, 'mail.send')).toBe(false);
  });

  it('tells each narrowing as an event that the one above it caused', async () => {
    await using test = await openTestKernel();
    const [top = 0, middle = 0, bottom = 0] = await spawnLine(test, 3);
    for (const pid of [top, middle, bottom]) await test.mine.grants.create(pid, ALL);
    await test.mine.grants.narrow(top, { tools: ['a'] });
    const { events } = await test.mine.events.tail({ kind: 'kernel.grant.narrowed' });
    expect(events.map(({ pid }) => pid)).toEqual([top, middle, bottom]);
    expect(events.map(({ causationId }) => causationId)).toEqual([undefined, events[0]?.id, events[1]?.id]);
    expect(events.map(({ payload }) => payload['tool_grants'])).toEqual([['a'], ['a'], ['a']]);
  });

  it('never gives more', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    await test.mine.grants.create(pid, { tools: ['a'] });
    await expect(test.mine.grants.narrow(pid, { tools: ['a', 'b'] })).rejects.toThrow(
      fault('grant_exceeds_parent', { field: 'tool_grants' }),
    );
    await expect(test.mine.grants.narrow(pid, { tools: ['a', '*.b'] })).rejects.toThrow(fault('grant_invalid', { field: 'tool_grants' }));
    expect(await test.mine.grants.get(pid)).toMatchObject({ tools: ['a'] });
  });

  it('that takes nothing leaves no trace', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    const before = await test.mine.grants.create(pid, { tools: ['*', 'a'] });
    expect(await test.mine.grants.narrow(pid, { tools: ['*'] })).toEqual({ record: before, narrowed: [] });
    await test.mine.grants.narrow(pid, {});
    expect(await test.mine.grants.narrow(pid, {})).toMatchObject({ narrowed: [] });
    expect(await test.mine.grants.revoke(pid)).toEqual({ revoked: [] });
    expect(await grantEvents(test)).toEqual([['kernel.grant.created', pid], ['kernel.grant.narrowed', pid]]); // biome-ignore format: one line
  });

  it('revokes everything from the process and everything below it, once', async () => {
    await using test = await openTestKernel();
    const [top = 0, middle = 0, bottom = 0] = await spawnLine(test, 3);
    const stranger = await spawn(test);
    for (const pid of [top, middle, bottom, stranger]) await test.mine.grants.create(pid, ALL);
    expect(await test.mine.grants.revoke(middle)).toEqual({ revoked: [middle, bottom] });
    expect(await test.mine.grants.revoke(middle)).toEqual({ revoked: [] });
    for (const pid of [middle, bottom]) {
      expect(await test.mine.grants.get(pid)).toMatchObject(NO_GRANTS);
      expect(await test.mine.grants.checkTool(pid, 'a')).toBe(false);
    }
    for (const pid of [top, stranger]) expect(await test.mine.grants.checkTool(pid, 'a')).toBe(true);
    expect((await grantEvents(test)).slice(4)).toEqual([['kernel.grant.revoked', middle], ['kernel.grant.revoked', bottom]]); // biome-ignore format: one line
  });

  it('of a large family is one step: whoever looks sees all of it or nothing', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const top = await spawn(test);
    await test.mine.grants.create(top, ALL);
    const children = await Promise.all(Array.from({ length: 300 }, () => spawn(test, top)));
    await Promise.all(children.map((child) => test.mine.grants.derive(top, child, ALL)));
    const revoking = test.mine.grants.revoke(top);
    const looks = await Promise.all(children.map((child) => test.mine.grants.checkTool(child, 'a')));
    expect(new Set(looks).size).toBe(1);
    expect((await revoking).revoked).toEqual([top, ...children]);
    expect(await Promise.all(children.map((child) => test.mine.grants.checkTool(child, 'a')))).not.toContain(true);
  });
});

describe('a process that ended', () => {
  it('holds nothing, and its end says so in an event it caused', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    await test.mine.grants.create(pid, ALL);
    const { eventId } = await test.mine.processes.end(pid, 'completed');
    expect(await test.mine.grants.find(pid)).toBeUndefined();
    expect(await test.mine.grants.checkTool(pid, 'a')).toBe(false);
    expect(await test.mine.grants.checkPath(pid, '/', 'r')).toBe(false);
    await expect(test.mine.grants.get(pid)).rejects.toThrow(fault('grant_not_found', { pid }));
    await expect(test.mine.grants.narrow(pid, {})).rejects.toThrow(fault('grant_not_found', { pid }));
    expect((await test.mine.events.tail({ kind: 'kernel.grant.revoked' })).events).toMatchObject([
      { pid, causationId: eventId, payload: { reason: 'process_ended' } },
    ]);
  });

  it('holds nothing even if its grants are still there', async () => {
    await using test = await openTestKernel();
    const [parent, child] = await withChild(test);
    await test.mine.grants.create(parent, ALL);
    await test.kernel.store.workspace(test.mine.id).write(({ processes }) => {
      const row = processes.find(parent);
      if (row !== undefined) processes.update({ ...row, state: 'DEAD' });
    });
    expect(await test.mine.grants.checkTool(parent, 'a')).toBe(false);
    expect(await test.mine.grants.find(parent)).toBeUndefined();
    await expect(test.mine.grants.create(child, { tools: ['a'] })).rejects.toThrow(fault('grant_exceeds_parent', { field: 'tool_grants' }));
  });

  it('leaves no event when it held no grant', async () => {
    await using test = await openTestKernel();
    await test.mine.processes.end(await spawn(test), 'completed');
    expect(await grantEvents(test)).toEqual([]);
  });

  it.each(['orphan', 'detach'] as const)('leaves its %s children what they hold, within reach of those above', async (policy) => {
    await using test = await openTestKernel();
    const [top = 0, middle = 0, bottom = 0] = await spawnLine(test, 3, policy);
    const { grants } = test.mine;
    const above = await grants.create(top, ALL);
    for (const pid of [middle, bottom]) await grants.create(pid, ALL);
    await test.mine.processes.end(middle, 'completed');
    expect(await grants.get(bottom)).toMatchObject({ ...ALL, parentGrantId: above.grantId });
    expect((await grants.narrow(top, { tools: ['a'] })).narrowed).toEqual([top, bottom]);
    expect(await grants.checkTool(bottom, 'b')).toBe(false);
    expect(await grants.revoke(top)).toEqual({ revoked: [top, bottom] });
  });

  it('takes its family with it when that ends too', async () => {
    await using test = await openTestKernel();
    const line = await spawnLine(test, 3);
    for (const pid of line) await test.mine.grants.create(pid, ALL);
    await test.mine.processes.end(line[0] ?? 0, 'failed');
    for (const pid of line) expect(await test.mine.grants.find(pid)).toBeUndefined();
  });
});

describe('checks', () => {
  it('say no where nothing was given', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    const { grants } = test.mine;
    for (const one of [pid, 99]) {
      expect(await grants.checkTool(one, 'a')).toBe(false);
      expect(await grants.checkModel(one, 'm')).toBe(false);
      expect(await grants.checkHost(one, 'example.com')).toBe(false);
      expect(await grants.checkPath(one, '/', 'r')).toBe(false);
    }
  });

  it('say what is granted', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    const { grants } = test.mine;
    await grants.create(pid, {
      tools: ['fs.*'],
      paths: [{ prefix: '/w', mode: 'rw' }],
      hosts: ['*.example.com:443'],
      models: ['claude-*'],
    });
    expect(await grants.checkTool(pid, 'fs.read')).toBe(true);
    expect(await grants.checkTool(pid, 'mail.send')).toBe(false);
    expect(await grants.checkModel(pid, 'claude-opus-4')).toBe(true);
    expect(await grants.checkModel(pid, 'gpt-5')).toBe(false);
    expect(await grants.checkHost(pid, 'api.example.com', 443)).toBe(true);
    expect(await grants.checkHost(pid, 'api.example.com')).toBe(false);
    expect(await grants.checkPath(pid, '/w/x', 'rw')).toBe(true);
    expect(await grants.checkPath(pid, '/w/../etc/passwd', 'r')).toBe(false);
  });

  it('never throw, whatever is asked', async () => {
    await using test = await openTestKernel();
    const pid = await spawn(test);
    await test.mine.grants.create(pid, ALL);
    const odd: readonly unknown[] = [
      undefined,
      null,
      Number.NaN,
      1.5,
      -1,
      2 ** 53,
      2 ** 70,
      '1',
      '',
      {},
      [],
      [pid],
      Symbol.iterator,
      10n,
      () => pid,
      '\ud800',
      'a\0',
    ];
    for (const each of odd) {
      const wrong = each as never; // What an untyped caller may pass.
      const { grants } = test.mine;
      expect(await grants.checkTool(wrong, 'a')).toBe(false);
      expect(await grants.checkTool(pid, wrong)).toBe(each === '1');
      expect(await grants.checkModel(pid, wrong)).toBe(each === '1');
      expect(await grants.checkHost(pid, wrong)).toBe(each === '1');
      expect(await grants.checkHost(pid, 'a.com', wrong)).toBe(each === undefined || each === null);
      expect(await grants.checkPath(pid, wrong, 'r')).toBe(false);
      expect(await grants.checkPath(pid, '/', wrong)).toBe(false);
    }
  });
});

describe('whatever is done, in any order', () => {
  type Step = {
    readonly kind: 'spawn' | 'give' | 'narrow' | 'revoke' | 'end';
    readonly at: number;
    readonly set: GrantSet;
    readonly policy: ParentEndPolicy;
  };
  const set = fc
    .record({
      tools: fc.subarray(['*', 'a.*', 'a.b', 'c']),
      paths: fc.subarray([{ prefix: '/', mode: 'r' }, { prefix: '/a', mode: 'rw' }, { prefix: '/a/b', mode: 'rw' }] as const), // biome-ignore format: one line
      hosts: fc.subarray(['**.a.b', '*.a.b', 'x.a.b:1', '*:1']),
      models: fc.subarray(['*', 'm-*', 'm-1']),
      subAgents: fc.boolean(),
    })
    .map(parseGrantSet);
  const steps = fc.array(
    fc.record<Step>({
      kind: fc.constantFrom('spawn', 'spawn', 'give', 'give', 'give', 'narrow', 'revoke', 'end'),
      at: fc.nat(11),
      set: fc.oneof(set, fc.constant(ALL)),
      policy: fc.constantFrom('end', 'orphan', 'detach'),
    }),
    { minLength: 10, maxLength: 40 },
  );

  it('a process holds no more than the one above it, and never more than before', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        await using test = await openTestKernel({ isRehearsing: false });
        const pids = [await spawn(test), await spawn(test)];
        let before = new Map<number, GrantSet>();
        for (const { kind, at, set: wanted, policy } of all) {
          const pid = pids[at % pids.length] ?? 0;
          try {
            if (kind === 'spawn') pids.push(await spawn(test, pid, policy));
            else if (kind === 'give') await test.mine.grants.create(pid, wanted);
            else if (kind === 'narrow') await test.mine.grants.narrow(pid, wanted);
            else if (kind === 'revoke') await test.mine.grants.revoke(pid);
            else await test.mine.processes.end(pid, 'completed');
          } catch (error) {
            if (!isFault(error)) throw error; // A refusal is a fine answer here.
          }
          before = await checkFamily(test, pids, before);
        }
      }),
      { numRuns: 25 },
    );
  });

  async function checkFamily(
    test: TestKernel,
    pids: readonly number[],
    before: ReadonlyMap<number, GrantSet>,
  ): Promise<Map<number, GrantSet>> {
    const records = (await Promise.all(pids.map((pid) => test.mine.grants.find(pid)))).filter((record) => record !== undefined);
    for (const record of records) {
      const above = records.find(({ grantId }) => grantId === record.parentGrantId);
      if (above !== undefined) expect(firstExcess(above, record)).toBeUndefined();
      else expect(record.parentGrantId).toBeUndefined();
      const earlier = before.get(record.pid);
      if (earlier !== undefined) expect(firstExcess(earlier, record)).toBeUndefined();
      const process = await test.mine.processes.get(record.pid);
      expect(process.state).not.toBe('DEAD');
      const parent = records.find(({ pid }) => pid === process.parentPid);
      if (parent !== undefined) expect(firstExcess(parent, record)).toBeUndefined();
    }
    return new Map(records.map((record) => [record.pid, record]));
  }
});
