/** The library as a program embeds it: what an earlier system did or should have done, and what it left open. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { createPlatform, createRuntime, type ModelProvider, type ModelRequest, type Platform, scriptedProvider } from 'warren';
import { findWord } from '../workspace/plant.ts';
import { provesLibrary } from './proves-library.ts';

const PASSPHRASE = 'correct horse battery staple';

async function embed(given: Partial<Parameters<typeof createPlatform>[0]> = {}) {
  const directory = await TemporaryDirectory.create();
  const open = (more: typeof given = {}): Platform =>
    createPlatform({ stateDir: directory.join('state'), credentialPassphrase: PASSPHRASE, ...given, ...more });
  let platform = open();
  return {
    directory,
    get platform() {
      return platform;
    },
    async reopen(more: typeof given = {}) {
      await platform[Symbol.asyncDispose]();
      platform = open(more);
      return platform;
    },
    async [Symbol.asyncDispose]() {
      await platform[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** What the store keeps of secrets, changed behind our back. */
function withStore<T>(state: string, act: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(`${state}/kernel.db`);
  try {
    return act(database);
  } finally {
    database.close();
  }
}

describe('the library, as its checks say', () => {
  provesLibrary('state:sensitive', () => {
    for (const stateDir of ['/etc', '/', '/usr', '/etc/', '/var/../etc']) {
      expect(() => createPlatform({ stateDir })).toThrow(/sensitive path/);
    }
    expect(() => createPlatform({ stateDir: '' })).toThrow('stateDir');
  });

  provesLibrary('id:length', async () => {
    await using on = await embed();
    expect((await on.platform.createWorkspace('a'.repeat(128))).id).toHaveLength(128);
    await expect(on.platform.createWorkspace('a'.repeat(129))).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  provesLibrary('id:hostile', async () => {
    await using on = await embed();
    for (const id of ['../x', 'a/b', 'a b', 'café', '', '..', '.', 'a\0', '-rf', '__proto__', 'constructor', 'prototype', '\\x']) {
      for (const act of ['createWorkspace', 'getWorkspace', 'deleteWorkspace', 'workspaceExists'] as const)
        await expect(on.platform[act](id)).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    expect(await on.platform.listWorkspaces()).toEqual([]);
  });

  provesLibrary('workspace:exists', async () => {
    await using on = await embed();
    const bob = await on.platform.createWorkspace('bob');
    expect([bob.id, bob.userId, bob.stateDir]).toEqual(['bob', 'bob', on.directory.join('state/workspaces/bob')]);
    await expect(on.platform.createWorkspace('bob')).rejects.toThrow('already exists');
    await expect(on.platform.createWorkspace('Bob')).rejects.toMatchObject({ code: 'already_exists' });
    await expect(on.platform.getWorkspace('nobody')).rejects.toThrow('does not exist');
    await expect(on.platform.deleteWorkspace('nobody')).rejects.toThrow('does not exist');
    expect([await on.platform.workspaceExists('bob'), await on.platform.workspaceExists('nobody')]).toEqual([true, false]);
  });

  provesLibrary('config:no-secrets', async () => {
    await using on = await embed();
    const config = { apiKey: 'sk-Secret12345', credentialPassphrase: PASSPHRASE, model: 'm', systemPrompt: 'be kind' };
    const { stateDir } = await on.platform.createWorkspace('alice', config);
    expect(JSON.parse(readFileSync(`${stateDir}/config.json`, 'utf8'))).toEqual({ model: 'm', systemPrompt: 'be kind' });
    expect(statSync(`${stateDir}/config.json`).mode & 0o777).toBe(0o600);
    await on.reopen();
    for (const secret of [PASSPHRASE, 'sk-Secret12345']) expect(findWord(on.directory.path, secret)).toEqual([]);
  });

  provesLibrary('workspace:no-passphrase', async () => {
    await using on = await embed({ credentialPassphrase: '' });
    await expect(on.platform.createWorkspace('alice')).rejects.toThrow('passphrase');
    expect(await on.platform.listWorkspaces()).toEqual([]);
    expect(existsSync(on.directory.join('state/workspaces/alice'))).toBe(false);
    await on.platform.createWorkspace('alice', { credentialPassphrase: PASSPHRASE });
    await expect(on.platform.createWorkspace('bob', { credentialPassphrase: 'another' })).rejects.toThrow('one vault');
    expect(await on.platform.listWorkspaces()).toEqual(['alice']);
  });

  provesLibrary('workspace:list', async () => {
    await using on = await embed();
    await on.platform.createWorkspace('zoe');
    await on.platform.createWorkspace('amy');
    mkdirSync(on.directory.join('state/workspaces/stray'), { recursive: true });
    expect(await on.platform.listWorkspaces()).toEqual(['amy', 'zoe']);
  });

  provesLibrary('memory:apart', async () => {
    await using on = await embed();
    const [alice, bob] = [await on.platform.createWorkspace('alice'), await on.platform.createWorkspace('bob')];
    await alice.memory.store('the harbour is frozen');
    expect(await bob.memory.search('harbour')).toEqual([]);
    expect(await alice.memory.search('harbour')).toHaveLength(1);
  });

  provesLibrary('credentials:round-trip', async () => {
    await using on = await embed();
    const { credentials } = await on.platform.createWorkspace('alice');
    const sealed = () => withStore(on.platform.stateDir, (store) => store.prepare('SELECT hex(sealed) AS sealed FROM secret_versions').all().map(({ sealed: each }) => each)); // biome-ignore format: one line
    const values = { API_KEY: 'Xyzzy-1234-Plugh', OTHER: '2' };
    await credentials.store('s', values);
    expect(await credentials.resolve('s')).toEqual(values);
    const first = sealed();
    await credentials.store('s', values);
    expect(sealed().filter((each) => first.includes(each))).toEqual([]);
    await credentials.store('s', { API_KEY: 'new' });
    expect(await credentials.resolve('s')).toEqual({ API_KEY: 'new' });
    expect(findWord(on.directory.path, 'Xyzzy-1234-Plugh')).toEqual([]);
  });

  provesLibrary('credentials:tampered', async () => {
    await using on = await embed();
    await (await on.platform.createWorkspace('alice')).credentials.store('s', { a: '1' });
    await on.reopen();
    await on.platform[Symbol.asyncDispose]();
    withStore(on.platform.stateDir, (store) => {
      const { sealed } = store.prepare('SELECT sealed FROM secret_versions').get() as { sealed: Uint8Array };
      sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
      store.prepare('UPDATE secret_versions SET sealed = ?').run(sealed);
    });
    await on.reopen();
    await expect((await on.platform.getWorkspace('alice')).credentials.resolve('s')).rejects.toMatchObject({ code: 'store_failed' });
  });

  provesLibrary('credentials:wrong-passphrase', async () => {
    await using on = await embed();
    await (await on.platform.createWorkspace('alice')).credentials.store('s', { a: '1' });
    await on.reopen({ credentialPassphrase: 'not the right one at all' });
    const { credentials } = await on.platform.getWorkspace('alice');
    await expect(credentials.resolve('s')).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(credentials.resolve('never')).rejects.toMatchObject({ code: 'permission_denied' });
  });

  provesLibrary('credentials:ids', async () => {
    await using on = await embed();
    const { credentials } = await on.platform.createWorkspace('alice');
    for (const id of ['__proto__', 'constructor', 'prototype', '../x', '']) {
      await expect(credentials.store(id, { a: '1' })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    for (const id of ['toString', 'hasOwnProperty']) {
      expect(await credentials.resolve(id)).toBeUndefined();
      expect(await credentials.delete(id)).toBe(false);
    }
    await credentials.store('toString', { a: '1' });
    expect(await credentials.resolve('toString')).toEqual({ a: '1' });
  });

  provesLibrary('credentials:moved', async () => {
    await using on = await embed();
    const { credentials } = await on.platform.createWorkspace('alice');
    await credentials.store('a', { KEY: 'of a' });
    await credentials.store('b', { KEY: 'of b' });
    await on.platform[Symbol.asyncDispose]();
    withStore(on.platform.stateDir, (store) => {
      const { sealed } = store.prepare("SELECT sealed FROM secret_versions WHERE name = 'a/KEY'").get() as { sealed: Uint8Array };
      store.prepare("UPDATE secret_versions SET sealed = ? WHERE name = 'b/KEY'").run(sealed);
    });
    await on.reopen();
    const again = (await on.platform.getWorkspace('alice')).credentials;
    await expect(again.resolve('b')).rejects.toMatchObject({ code: 'store_failed' });
    expect(await again.resolve('a')).toEqual({ KEY: 'of a' });
  });

  provesLibrary('credentials:delete', async () => {
    await using on = await embed();
    const { credentials } = await on.platform.createWorkspace('alice');
    await credentials.store('s', { a: '1', b: '2' });
    await credentials.store('r', { a: '1' });
    expect(await credentials.list()).toEqual(['r', 's']);
    expect([await credentials.delete('s'), await credentials.delete('s')]).toEqual([true, false]);
    expect(await credentials.list()).toEqual(['r']);
  });

  provesLibrary('skills:enable', async () => {
    await using on = await embed();
    mkdirSync(on.directory.join('state/skills/issues'), { recursive: true });
    writeFileSync(on.directory.join('state/skills/issues/SKILL.md'), '---\nname: x\n---\n# Issues\n\nReads issues.\n');
    mkdirSync(on.directory.join('state/skills/notes'));
    writeFileSync(
      on.directory.join('state/skills/notes/SKILL.md'),
      '---\nname: notes\ndescription: Writes notes\n---\n# Notes\n\nWrite.\n',
    );
    mkdirSync(on.directory.join('state/skills/device'));
    symlinkSync('/dev/zero', on.directory.join('state/skills/device/SKILL.md'));
    expect(on.platform.skills.list()).toMatchObject([{ id: 'issues' }, { id: 'notes', name: 'Notes', description: 'Writes notes' }]);
    const { skills } = await on.platform.createWorkspace('alice');
    expect([skills.enable('nope'), skills.enable('issues'), skills.enable('issues'), skills.enable('../issues')]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(skills.listEnabledIds()).toEqual(['issues']);
    expect(skills.listEnabled()).toMatchObject([{ id: 'issues', name: 'Issues', description: 'Reads issues.' }]);
    expect((await on.platform.getWorkspace('alice')).skills.isEnabled('issues')).toBe(true);
    expect([skills.disable('issues'), skills.disable('issues'), skills.disable('nope')]).toEqual([true, false, false]);
  });

  provesLibrary('memory:chinese', async () => {
    await using on = await embed();
    const { memory } = await on.platform.createWorkspace('alice');
    await memory.store('我们讨论了数据库迁移方案');
    expect(await memory.search('数据库')).toHaveLength(1);
  });

  provesLibrary('memory:content', async () => {
    await using on = await embed();
    const { memory } = await on.platform.createWorkspace('alice');
    for (const text of ['the harbour is frozen', 'bread needs salt']) await memory.store(text);
    for (const word of ['memory', 'none', 'mem']) expect(await memory.search(word)).toEqual([]);
  });

  provesLibrary('memory:results', async () => {
    await using on = await embed();
    const { memory } = await on.platform.createWorkspace('alice');
    const id = await memory.store('the harbour is frozen', { by: 'ann' });
    const [found] = await memory.search('harbour', { maxResults: 5, minScore: 0 });
    expect(found).toMatchObject({
      id,
      metadata: { by: 'ann' },
      snippet: 'the harbour is frozen',
      createdAt: expect.stringMatching(/^\d{4}-/),
    });
    expect(await memory.list()).toEqual([{ id, content: 'the harbour is frozen', metadata: { by: 'ann' }, createdAt: found?.createdAt }]);
    expect([await memory.delete(found?.id ?? ''), await memory.delete('unknown')]).toEqual([true, false]);
    expect(await memory.list()).toEqual([]);
  });

  provesLibrary('memory:twice', async () => {
    await using on = await embed();
    const first = await (await on.platform.createWorkspace('alice')).memory.store('the harbour is frozen');
    await on.reopen();
    const { memory } = await on.platform.getWorkspace('alice');
    expect(await memory.store('the harbour is frozen')).toBe(first);
    expect(await memory.list()).toHaveLength(1);
  });

  provesLibrary('hooks:order', async () => {
    const call = { name: 'memory.store', input: { text: 'from a tool' } };
    const script = scriptedProvider((request) => (request.messages.at(-1)?.role === 'tool' ? { text: 'done' } : { calls: [call] }));
    await using on = await embed({ providers: { script } });
    const workspace = await on.platform.createWorkspace('alice');
    const ran: string[] = [];
    for (const [label, priority] of [
      ['first 0', 0],
      ['10', 10],
      ['second 0', 0],
    ] as const)
      workspace.hooks.register('session_start', () => void ran.push(label), priority);
    await workspace.run({ message: 'go' });
    expect(ran).toEqual(['10', 'first 0', 'second 0']);
    expect(await workspace.memory.list()).toHaveLength(1);
    for (const forbid of [
      () => ({ veto: 'no' }),
      () => {
        throw new Error('broken');
      },
    ]) {
      // biome-ignore format: a table
      const another = await on.platform.getWorkspace('alice');
      another.hooks.register('before_tool_call', forbid as () => { veto: string }); // One of them throws.
      const results: unknown[] = [];
      another.hooks.register('after_tool_call', ({ result }) => results.push(result));
      await another.run({ message: 'again' });
      expect(results).toEqual([]);
    }
    expect(await workspace.memory.list()).toHaveLength(1);
  });

  provesLibrary('run:error', async () => {
    const limited = { fault: 'rate_limited', retryAfterMs: 3_600_000 } as const;
    const broken = scriptedProvider([limited, limited, { text: 'too late' }]);
    await using on = await embed({ providers: { broken, spare: scriptedProvider([{ text: 'from another' }]) } });
    const workspace = await on.platform.createWorkspace('alice');
    const ended: string[] = [];
    workspace.hooks.register('session_end', ({ sessionId }) => void ended.push(sessionId));
    await expect(workspace.run({ message: 'hello', sessionId: 'one', provider: 'broken' })).rejects.toMatchObject({
      ...{ code: 'rate_limited', details: { retry_after_ms: 3_600_000 } },
    });
    expect(ended).toEqual(['one']);
    const told: string[] = [];
    const run = { message: 'hello', provider: 'broken', fallbacks: ['spare/other'] };
    expect(await workspace.run({ ...run, onEvent: ({ type }) => told.push(type) })).toMatchObject({
      ...{ response: 'from another', model: 'other', fallbackUsed: true },
    });
    expect(told[0]).toBe('retry');
    await expect(workspace.run({ message: 'hello', provider: 'nobody' })).rejects.toMatchObject({ code: 'unsupported' });
  });

  provesLibrary('agent:own-state', async () => {
    await using on = await embed({ providers: { script: scriptedProvider(() => ({ text: 'hello' })) } });
    const workspace = await on.platform.createWorkspace('alice');
    const before = readdirSync(on.directory.path, { recursive: true }).length;
    for (const sessionId of ['../../../x', '..', 'a/b', '', 'a\0b']) {
      await expect(workspace.run({ message: 'hello', sessionId })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    expect(readdirSync(on.directory.path, { recursive: true }).length).toBe(before);
    // Agents see `files`; what Warren keeps of the workspace stands beside it.
    expect(workspace.stateDir.endsWith('/files')).toBe(false);
  });
});

describe('a run', () => {
  it('calls through the gate, keeps what was said, and goes on with it after a restart', async () => {
    const asked: ModelRequest[] = [];
    const script = scriptedProvider((request) => {
      asked.push(request);
      if (asked.length > 1) return { text: `turn ${asked.length}` };
      return {
        text: 'let me see',
        calls: [
          { name: 'memory.store', input: { text: 'they like tea' } },
          { name: 'no.such', input: {} },
        ],
      };
    });
    await using on = await embed({ providers: { script } });
    const workspace = await on.platform.createWorkspace('alice', { systemPrompt: 'be kind', model: 'm1' });
    const events: string[] = [];
    const result = await workspace.run({ message: 'I like tea', sessionId: 's', onEvent: ({ type }) => events.push(type) });
    expect(result).toEqual({ response: 'turn 2', sessionId: 's', provider: 'script', model: 'm1', fallbackUsed: false });
    const told = events.filter((type, index) => type !== 'text' || events[index - 1] !== 'text');
    expect(told).toEqual(['text', 'tool_call', 'tool_result', 'tool_call', 'tool_result', 'text']);
    expect(asked[0]?.system).toBe('be kind');
    expect(asked[0]?.tools?.map(({ name }) => name)).toEqual(expect.arrayContaining(['memory__store', 'process__run']));
    expect(await workspace.memory.search('tea')).toHaveLength(1);
    await on.reopen();
    const again = await on.platform.getWorkspace('alice');
    await again.run({ message: 'and you?', sessionId: 's', model: 'm2' });
    const { messages } = asked.at(-1) ?? { messages: [] };
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);
    const results = messages[2]?.role === 'tool' ? messages[2].content : [];
    expect(results.map(({ name, isError }) => [name, isError])).toEqual([
      ['memory.store', undefined],
      ['no.such', true],
    ]);
    expect((await again.sessions.list()).map(({ id }) => id)).toEqual(['s']);
  });

  it('ends when its signal fires or its workspace is deleted, also where the model does not listen', async () => {
    const thinking = Promise.withResolvers<void>();
    const deaf: ModelProvider = {
      model: (name) => ({
        ...{ name, contextTokens: 100_000 },
        async *stream() {
          thinking.resolve();
          yield await new Promise<never>(() => {});
        },
      }),
    };
    await using on = await embed({ providers: { deaf } });
    const workspace = await on.platform.createWorkspace('alice', { model: 'm' });
    const abort = new AbortController();
    const run = workspace.run({ message: 'hello', sessionId: 'one', signal: abort.signal });
    await thinking.promise;
    await expect(workspace.run({ message: 'hello', sessionId: 'one' })).rejects.toMatchObject({ code: 'busy' });
    abort.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    const other = workspace.run({ message: 'hello', sessionId: 'two' });
    const refused = expect(other).rejects.toMatchObject({ code: 'not_found' });
    await on.platform.deleteWorkspace('alice');
    await refused;
    expect(await on.platform.listWorkspaces()).toEqual([]);
    await expect(workspace.memory.store('x')).rejects.toMatchObject({ code: 'not_found' });
    await expect(workspace.sessions.list()).rejects.toMatchObject({ code: 'not_found' });
    expect(existsSync(workspace.stateDir)).toBe(false);
  });
});

describe('a platform in a program', () => {
  it('opens nothing before it is used, and says who holds the directory', async () => {
    await using on = await embed();
    expect(readdirSync(on.platform.stateDir)).toEqual([]);
    await on.platform.createWorkspace('alice');
    await using second = createPlatform({ stateDir: on.platform.stateDir, credentialPassphrase: PASSPHRASE });
    await expect(second.listWorkspaces()).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await on.platform[Symbol.asyncDispose]();
    expect(await second.listWorkspaces()).toEqual(['alice']);
    await expect(on.platform.listWorkspaces()).rejects.toMatchObject({ code: 'aborted' });
  });

  it('changes nothing of the process it is in, and lets it end', async () => {
    await using directory = await TemporaryDirectory.create();
    const script = `
      import { createPlatform } from 'warren';
      const before = JSON.stringify([process.eventNames(), process.emitWarning === globalThis.process.emitWarning, process.umask(), process.cwd()]);
      const platform = createPlatform({ stateDir: ${JSON.stringify(directory.join('state'))}, credentialPassphrase: 'x' });
      const alice = await platform.createWorkspace('alice');
      await alice.memory.store('tea');
      if (JSON.stringify([process.eventNames(), process.emitWarning === globalThis.process.emitWarning, process.umask(), process.cwd()]) !== before) throw new Error('it changed');
      console.log((await alice.memory.search('tea')).length);
    `; // It is not disposed, as by a program that forgets.
    const ended = spawnSync(process.execPath, ['--conditions=warren-source', '--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect([ended.stdout, ended.stderr, ended.status]).toEqual(['1\n', '', 0]);
  });
});

it('a runtime is one workspace and its memory', async () => {
  await using directory = await TemporaryDirectory.create();
  const providers = { script: scriptedProvider([{ text: 'hello' }]) };
  await using runtime = await createRuntime({ stateDir: directory.join('state'), providers, model: 'm' });
  expect(runtime.config).toMatchObject({ stateDir: directory.join('state'), model: 'm' });
  expect(await runtime.run({ message: 'hi' })).toMatchObject({ response: 'hello', model: 'm' });
  await runtime.memory.store('tea');
  expect(await runtime.memory.search('tea')).toHaveLength(1);
});
