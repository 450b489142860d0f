/** The library, alone in its process and through a real daemon. */
import { chmodSync } from 'node:fs';
import { connect, socketPath } from '@warren/client';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { createPlatform, scriptedProvider } from 'warren';
import { TestDaemon } from '../../packages/cli/src/e2e/daemon.ts';
import { User } from '../../packages/cli/src/e2e/warren.ts';
import { describeLibrary, PASSPHRASE } from './conformance.ts';

describeLibrary('alone', async () => {
  const directory = await TemporaryDirectory.create();
  chmodSync(directory.path, 0o755);
  const stateDir = directory.join('state');
  return {
    stateDir,
    open: (more) => createPlatform({ stateDir, credentialPassphrase: PASSPHRASE, ...more }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});

describeLibrary('through a daemon', async () => {
  const user = await User.create();
  const daemon = await TestDaemon.start(user, ['--no-tcp']);
  return {
    stateDir: user.state,
    open: (more) => createPlatform({ stateDir: user.state, credentialPassphrase: PASSPHRASE, ...more }),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await user[Symbol.asyncDispose]();
    },
  };
});

async function withDaemon() {
  const user = await User.create();
  const daemon = await TestDaemon.start(user, ['--no-tcp']);
  return {
    ...{ user, daemon },
    open: (more: Partial<Parameters<typeof createPlatform>[0]> = {}) =>
      createPlatform({ stateDir: user.state, credentialPassphrase: PASSPHRASE, ...more }),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await user[Symbol.asyncDispose]();
    },
  };
}

describe('alone', () => {
  it('hooks at calls are those that the gate asks, whichever object of the workspace has them', async () => {
    await using directory = await TemporaryDirectory.create();
    const store = (text: string) => ({ calls: [{ name: 'memory.store', input: { text } }] });
    const script = scriptedProvider(({ messages }) => (messages.at(-1)?.role === 'tool' ? { text: 'done' } : store('they like tea')));
    await using platform = createPlatform({ stateDir: directory.join('state'), credentialPassphrase: PASSPHRASE, providers: { script } });
    const [one, two] = [await platform.createWorkspace('ann'), await platform.getWorkspace('ann')];
    const other = await platform.createWorkspace('bob');
    const told = Promise.withResolvers<unknown>();
    two.hooks.register('after_tool_call', ({ toolName, agent, pid, result }) => told.resolve({ toolName, agent, pid, result }));
    const changing = one.hooks.register('before_tool_call', ({ input }) => ({ input: { ...input, text: 'they like coffee' } }));
    await two.run({ message: 'go' });
    expect((await one.memory.list()).map(({ content }) => content)).toEqual(['they like coffee']);
    expect(await told.promise).toMatchObject({
      toolName: 'memory.store',
      agent: 'assistant',
      pid: expect.any(Number),
      result: { state: 'done' },
    });
    changing[Symbol.dispose]();
    const results: unknown[] = [];
    const run = () => two.run({ message: 'go', onEvent: (event) => event.type === 'tool_result' && results.push(event.result) });
    {
      using _veto = one.hooks.register('before_tool_call', () => ({ veto: 'not on Sundays' }));
      await run();
      await other.run({ message: 'go' });
    }
    {
      using _broken = one.hooks.register('before_tool_call', () => {
        throw new Error('out of tea');
      });
      await run();
    }
    expect(results).toMatchObject([
      { error: { type: 'Vetoed', message: expect.stringContaining('not on Sundays') } },
      { error: { type: 'Vetoed', message: expect.stringContaining('out of tea') } },
    ]);
    expect([(await one.memory.list()).length, (await other.memory.list()).length]).toEqual([1, 1]);
  });

  it('names the program that holds the state and is no daemon', async () => {
    await using directory = await TemporaryDirectory.create();
    await using first = createPlatform({ stateDir: directory.join('state'), credentialPassphrase: PASSPHRASE });
    await first.createWorkspace('ann');
    await using second = createPlatform({ stateDir: directory.join('state') });
    await expect(second.listWorkspaces()).rejects.toMatchObject({
      ...{ code: 'busy', details: { pid: process.pid } },
      message: expect.stringMatching(/and is no daemon that answers.*warren serve/),
    });
  });
});

describe('through a daemon', () => {
  it('several programs share one state, and see what people do with the command line', async () => {
    await using on = await withDaemon();
    await using one = on.open();
    await using two = on.open();
    await (await one.createWorkspace('ann')).memory.store('the harbour is frozen');
    expect(await (await two.getWorkspace('ann')).memory.search('harbour')).toHaveLength(1);
    const found = await on.user.warren(['memory', 'search', 'harbour', '--workspace', 'ann']);
    expect([found.code, found.stdout]).toEqual([0, expect.stringContaining('the harbour is frozen')]);
  });

  it('what cannot cross is a fault that says what to do instead', async () => {
    await using on = await withDaemon();
    await using platform = on.open();
    const { hooks, credentials } = await platform.createWorkspace('ann');
    for (const point of ['before_tool_call', 'after_tool_call', 'approval_requested', 'approval_decided', 'budget_breached'] as const)
      expect(() => hooks.register(point, () => undefined)).toThrow(
        expect.objectContaining({ code: 'unsupported', message: expect.stringMatching(/webhook into hooks\.yaml/) }),
      );
    await credentials.store('s', { KEY: 'Xyzzy-1234-Plugh' });
    const refused = credentials.resolve('s');
    await expect(refused).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('when it runs') });
    await expect(refused).rejects.not.toThrow('Xyzzy');
  });

  it('an agent that an operator keeps with less is given no more by a run', async () => {
    await using on = await withDaemon();
    const asked: (readonly string[])[] = [];
    const script = scriptedProvider(({ messages, tools = [] }) => {
      asked.push(tools.map(({ name }) => name));
      return messages.at(-1)?.role === 'tool' ? { text: 'done' } : { calls: [{ name: 'filesystem__list', input: { path: '/' } }] };
    });
    await using platform = on.open({ providers: { script } });
    const workspace = await platform.createWorkspace('ann');
    await using operator = connect({ socketPath: socketPath(on.user.state), workspace: 'ann' });
    await operator.call('agent.create', { agent: 'assistant', tool_grants: ['memory.*'] });
    const results: unknown[] = [];
    await workspace.run({ message: 'go', onEvent: (event) => event.type === 'tool_result' && results.push(event.result) });
    expect(results).toMatchObject([{ error: { type: expect.any(String) } }]);
    expect(asked[0]).toContain('memory__store');
    expect(asked[0]).not.toContain('filesystem__list');
    const { agents } = await operator.call('kernel.agent.list', { agent: 'assistant' });
    expect(agents.map(({ state }) => state)).toEqual(['DEAD']);
  });

  it('what a program chooses otherwise than the daemon has it is refused', async () => {
    await using on = await withDaemon();
    await using elsewhere = on.open({ skillsDir: on.user.home });
    await expect(elsewhere.listWorkspaces()).rejects.toMatchObject({ code: 'conflict', details: { field: 'skillsDir' } });
    await using first = on.open();
    await (await first.createWorkspace('ann')).credentials.store('s', { KEY: '1' });
    await using wrong = on.open({ credentialPassphrase: 'not the right one at all' });
    const { credentials } = await wrong.getWorkspace('ann');
    await expect(credentials.store('s', { KEY: '2' })).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(credentials.resolve('s')).rejects.toMatchObject({ code: 'permission_denied' });
    await using silent = on.open({ credentialPassphrase: '' });
    await (await silent.createWorkspace('bob')).credentials.store('s', { KEY: '3' });
  });

  it('does not take the state away from a daemon that is started again', async () => {
    await using on = await withDaemon();
    await using platform = on.open();
    const { memory } = await platform.createWorkspace('ann');
    await on.daemon.kill('SIGTERM');
    await expect(memory.list()).rejects.toMatchObject({ code: 'unavailable' });
    await using again = await TestDaemon.start(on.user, ['--no-tcp']);
    expect(again.document.pid).not.toBe(on.daemon.document.pid);
    await memory.store('tea');
    expect(await memory.list()).toHaveLength(1);
  });

  it('a platform that requires a daemon leaves a state alone that nobody holds', async () => {
    await using directory = await TemporaryDirectory.create();
    await using platform = createPlatform({ stateDir: directory.join('state'), requiresDaemon: true });
    await expect(platform.listWorkspaces()).rejects.toMatchObject({ code: 'unavailable', details: { fix: 'warren serve --detach' } });
    await using other = createPlatform({ stateDir: directory.join('state') });
    expect(await other.listWorkspaces()).toEqual([]);
  });
});
