import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import { NO_FACTS } from '../policy/policy.ts';
import { GATE_ERRORS } from './gate.ts';
import { openTestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

describe('a call that may be made', () => {
  test('is recorded, carried out once, recorded again and answered', async () => {
    await using t = await openTestGate();
    const pid = await t.start();
    const seen: unknown[] = [];
    t.capabilities.define('text.echo', {
      act: (context) => {
        seen.push({ input: context.input, actor: context.actor });
        return done({ echo: context.input['text'] ?? null });
      },
    });
    const answer = await t.call(pid, 'text.echo', { input: { text: 'hello' } });
    expect(answer).toMatchObject({ kind: 'done', capability: 'text.echo', tier: 'autonomous', output: { echo: 'hello' }, taint: [] });
    expect(seen).toEqual([{ input: { text: 'hello' }, actor: { workspace: DEFAULT_WORKSPACE, pid, agent: 'ada' } }]);
    expect(t.audit.entries).toMatchObject([
      {
        kind: 'syscall',
        actor: { kind: 'process', pid, agent: 'ada' },
        action: 'text.echo',
        outcome: 'success',
        callId: answer.callId,
        input: { text: 'hello' },
        decision: { tier: 'autonomous', policy: 'test' },
      },
    ]);
    expect(t.audit.entries[0]?.inputHash).toMatch(/^[0-9a-f]{64}$/);
    const events = await t.test.mine.events.newest({ kind: 'kernel.call.ended' });
    expect(events.map(({ payload }) => payload)).toMatchObject([{ call_id: answer.callId, capability: 'text.echo', outcome: 'success' }]);
  });

  test('is on disk as intent before the implementation starts, and the answer waits for the audit', async () => {
    await using t = await openTestGate();
    const pid = await t.start();
    let open = -1;
    t.capabilities.define('disk.look', {
      act: async () => {
        open = await t.test.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ calls }) => calls.inState('open', 10).length);
        return done();
      },
    });
    const release = Promise.withResolvers<void>();
    t.audit.gate = release.promise;
    let isAnswered = false;
    const answering = t.call(pid, 'disk.look').then((answer) => {
      isAnswered = true;
      return answer;
    });
    while ((await t.test.mine.events.newest({ kind: 'kernel.call.ended' })).length === 0) await new Promise(setImmediate);
    expect({ open, isAnswered }).toEqual({ open: 1, isAnswered: false });
    release.resolve();
    expect(await answering).toMatchObject({ kind: 'done' });
  });

  test('leaves no row behind once the audit has it', async () => {
    await using t = await openTestGate();
    const pid = await t.start();
    t.capabilities.define('a.b');
    for (let index = 0; index < 5; index++) await t.call(pid, 'a.b');
    const left = await t.test.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ calls }) => calls.inState('open', 10).length);
    expect(left).toBe(1); // The last one goes with the next transaction.
    await t.gate.close();
    expect(await t.test.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ calls }) => calls.inState('open', 10).length)).toBe(0);
  });

  test('of tier notify is carried out and people are told', async () => {
    await using t = await openTestGate();
    const pid = await t.start();
    t.capabilities.define('mail.send');
    t.policy = createTestPolicy({ 'mail.send': { tier: 'notify' } });
    const answer = await t.call(pid, 'mail.send', { input: { to: 'bob' } });
    expect(answer).toMatchObject({ kind: 'done', tier: 'notify' });
    const [told] = await t.test.mine.events.newest({ kind: 'kernel.call.notified' });
    expect(told?.payload).toMatchObject({
      call_id: answer.callId,
      input: { to: 'bob' },
      rule: { file: 'workspace.yaml', line: 7 },
      reason: 'for the test',
    });
  });

  test('taints its process with what its result carries, before the answer, and every call after it', async () => {
    await using t = await openTestGate();
    const pid = await t.start();
    t.capabilities.define('network.get', { taints: ['web'], act: () => ({ kind: 'done', output: {}, taint: ['mail', '<bad>'] }) });
    const seen: (readonly string[])[] = [];
    t.capabilities.define('shell.run', {});
    t.policy = createTestPolicy({
      'shell.run': {
        tier: ({ taint }) => {
          seen.push(taint);
          return taint.includes('web') ? 'blocked' : 'autonomous';
        },
      },
    });
    expect(await t.call(pid, 'shell.run', { taint: ['pdf'] })).toMatchObject({ kind: 'done' });
    expect(await t.call(pid, 'network.get')).toMatchObject({ kind: 'done', taint: ['web', 'mail'] });
    expect(await t.call(pid, 'shell.run')).toMatchObject({ kind: 'failed', error: { type: 'PolicyDenied' } });
    expect(seen[0]).toEqual(['pdf']);
    expect(seen.at(-1)).toEqual(['mail', 'web']);
  });
});

describe('a call that is refused', () => {
  const refusals: readonly {
    readonly type: string;
    readonly prepare: (t: Awaited<ReturnType<typeof openTestGate>>) => Promise<{ pid: number; capability?: string; input?: unknown }>;
  }[] = [
    { type: 'UnknownCapability', prepare: async (t) => ({ pid: await t.start(), capability: 'no.such' }) },
    {
      type: 'InvalidInput',
      prepare: async (t) => {
        t.capabilities.define('x.y', { parse: () => ({ kind: 'invalid', problems: [{ field: 'path', reason: 'it is missing' }] }) });
        return { pid: await t.start() };
      },
    },
    {
      type: 'PolicyDenied',
      prepare: async (t) => {
        t.policy = createTestPolicy({ 'x.y': { tier: 'blocked' } });
        return { pid: await t.start() };
      },
    },
    {
      type: 'RateLimited',
      prepare: async (t) => {
        t.policy = createTestPolicy({ 'x.y': { tier: 'autonomous', limit: { max: 0, perMs: 60_000 } } });
        return { pid: await t.start() };
      },
    },
    { type: 'GrantMissing', prepare: async (t) => ({ pid: await t.start({ grants: { tools: ['x.z'] } }) }) },
    {
      type: 'PathOutOfScope',
      prepare: async (t) => {
        t.capabilities.define('x.y', { facts: () => ({ ...NO_FACTS, paths: [{ path: '/a/b', mode: 'rw' }] }) });
        return { pid: await t.start({ grants: { tools: ['*'], paths: [{ prefix: '/a', mode: 'r' }] } }) };
      },
    },
    {
      type: 'DomainNotAllowed',
      prepare: async (t) => {
        t.capabilities.define('x.y', { facts: () => ({ ...NO_FACTS, hosts: [{ host: 'evil.example.org', port: 443 }] }) });
        return { pid: await t.start({ grants: { tools: ['*'], hosts: ['example.org'] } }) };
      },
    },
    {
      type: 'BudgetExceeded',
      prepare: async (t) => {
        const pid = await t.start();
        await t.test.mine.ledger.create({ kind: 'process', pid }, { tool_calls: 1 });
        await t.test.mine.ledger.charge(pid, 'tool_calls', 1);
        return { pid };
      },
    },
    {
      type: 'ProcessSuspended',
      prepare: async (t) => {
        const pid = await t.start();
        await t.test.mine.processes.transition(pid, 'RUNNING');
        await t.test.mine.processes.transition(pid, 'SUSPENDED');
        return { pid };
      },
    },
    {
      type: 'InternalError',
      prepare: async (t) => {
        t.capabilities.define('x.y', {
          facts: () => {
            throw new Error('a defect');
          },
        });
        return { pid: await t.start() };
      },
    },
  ];

  test.each(refusals)('with $type is audited before the answer, acts on nothing and leaves nothing', async ({ type, prepare }) => {
    await using t = await openTestGate();
    let acted = 0;
    const act = () => {
      acted += 1;
      return done();
    };
    t.capabilities.define('x.y', { act });
    const { pid, capability = 'x.y', input = {} } = await prepare(t);
    const definition = t.capabilities.find('x.y');
    if (definition !== undefined) t.capabilities.define('x.y', { ...definition, act });
    const before = await t.test.mine.ledger.list({ kind: 'process', pid });
    const answer = await t.gate.call(DEFAULT_WORKSPACE, { pid, capability, input: input as Record<string, never> });
    expect(answer).toMatchObject({ kind: 'failed', error: { type } });
    if (answer.kind !== 'failed') throw new Error('It is not refused');
    expect(GATE_ERRORS).toContain(answer.error.type);
    expect(answer.error.agentMessage).toMatch(/\S \S/);
    for (const step of answer.error.recovery) if (step.capability !== undefined) expect(t.capabilities.find(step.capability)).toBeDefined();
    expect(acted).toBe(0);
    expect(t.audit.of(answer.callId)).toMatchObject([{ kind: 'syscall', error: { type } }]);
    expect(await t.test.mine.ledger.list({ kind: 'process', pid })).toEqual(before);
    expect(await t.test.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ calls }) => calls.find(answer.callId))).toBeUndefined();

    t.audit.isBroken = true;
    await expect(t.gate.call(DEFAULT_WORKSPACE, { pid, capability, input: {} })).rejects.toMatchObject({ code: 'storage_full' });
    t.audit.isBroken = false;
  });

  test('names the rule that blocks it: file, line and id', async () => {
    await using t = await openTestGate();
    t.capabilities.define('x.y');
    t.policy = createTestPolicy({ 'x.y': { tier: 'blocked' } });
    expect(await t.call(await t.start(), 'x.y')).toMatchObject({
      error: { context: { capability: 'x.y', rule: { file: 'workspace.yaml', line: 7, id: 'x.y', reason: 'for the test' } } },
    });
  });

  test('is a fault where the process does not exist or is DEAD', async () => {
    await using t = await openTestGate();
    t.capabilities.define('x.y');
    await expect(t.call(99, 'x.y')).rejects.toMatchObject({ code: 'unknown_pid' });
    await expect(t.call(99, 'no.such')).rejects.toMatchObject({ code: 'unknown_pid' });
    const pid = await t.start();
    await t.test.mine.processes.end(pid, 'completed');
    await expect(t.call(pid, 'x.y')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('takes the first step that refuses: the order of the steps', async () => {
    await using t = await openTestGate();
    const steps: string[] = [];
    t.capabilities.define('x.y', {
      parse: (input) => {
        steps.push('validate');
        return { kind: 'valid', input };
      },
      facts: () => {
        steps.push('facts');
        return { ...NO_FACTS, paths: [{ path: '/secret', mode: 'r' }] };
      },
      act: () => {
        steps.push('act');
        return done();
      },
    });
    t.policy = createTestPolicy({
      'x.y': {
        tier: () => {
          steps.push('decide');
          return steps.includes('block') ? 'blocked' : 'autonomous';
        },
      },
    });
    const poor = await t.start({ grants: { tools: ['*'] } });
    await t.test.mine.ledger.create({ kind: 'process', pid: poor }, { tool_calls: 1 });
    await t.test.mine.ledger.charge(poor, 'tool_calls', 1);
    // Everything is wrong: policy speaks first, then grants, then the budget.
    steps.push('block');
    expect(await t.call(poor, 'x.y')).toMatchObject({ error: { type: 'PolicyDenied' } });
    steps.length = 0;
    expect(await t.call(poor, 'x.y')).toMatchObject({ error: { type: 'PathOutOfScope' } });
    const rich = await t.start();
    await t.test.mine.ledger.create({ kind: 'process', pid: rich }, { tool_calls: 1 });
    await t.test.mine.ledger.charge(rich, 'tool_calls', 1);
    expect(await t.call(rich, 'x.y')).toMatchObject({ error: { type: 'BudgetExceeded' } });
    await t.test.mine.ledger.updateGrant({ kind: 'process', pid: rich }, 'tool_calls', 5);
    steps.length = 0;
    expect(await t.call(rich, 'x.y')).toMatchObject({ kind: 'done' });
    expect([...new Set(steps)]).toEqual(['validate', 'facts', 'decide', 'act']);
  });

  test('name the paths that were given when one is out of scope', async () => {
    await using t = await openTestGate();
    t.capabilities.define('x.y', { facts: () => ({ ...NO_FACTS, paths: [{ path: '/a/b', mode: 'rw' }] }) });
    const paths = [
      { prefix: '/a', mode: 'r' as const },
      ...['/b', '/c', '/d', '/e', '/f', '/g'].map((prefix) => ({ prefix, mode: 'rw' as const })),
    ];
    const many = await t.call(await t.start({ grants: { tools: ['*'], paths } }), 'x.y');
    expect(many).toMatchObject({
      error: { agentMessage: expect.stringContaining('a path you were given: /b, /c, /d, /e, /f, …; or ask') },
    });
    const none = await t.call(await t.start({ grants: { tools: ['*'], paths: paths.slice(0, 1) } }), 'x.y');
    expect(none).toMatchObject({ error: { agentMessage: expect.stringContaining('a path you were given; or ask') } });
  });
});

test('a call that is not understood leaves none of the secrets it names in the audit', async () => {
  await using t = await openTestGate();
  t.capabilities.define('x.y', {
    parse: (input) => ({ kind: 'invalid', problems: [{ field: Object.keys(input)[0] ?? '', reason: 'is unknown' }] }),
  });
  const token = `wrn_${'A'.repeat(43)}`;
  const pid = await t.start();
  expect(JSON.stringify(await t.call(pid, 'x.y', { input: { [token]: 1 } }))).not.toContain(token);
  expect(t.audit.entries).toMatchObject([{ outcome: 'failure', error: { type: 'InvalidInput' } }]);
  expect(JSON.stringify(t.audit.entries)).not.toContain(token);
});

test('an implementation is reached in one place only', () => {
  const folder = join(import.meta.dirname, '..');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.includes('test'),
  );
  const places = sources.flatMap((path) => {
    const found =
      readFileSync(join(folder, path), 'utf8').match(
        /\.act\b(?:\?\.)?\s*\(|\bact\s*\.\s*(?:call|apply|bind)\b|\{[^}]*\bact\b[^}]*\}\s*=\s*capability/g,
      ) ?? [];
    return found.map(() => path);
  });
  expect(places).toEqual(['syscall/act.ts']);
});
