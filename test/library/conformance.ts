/** What every platform of the library does, whatever it stands on: held by a process of its own and through a daemon alike. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelRequest, type Platform, type PlatformConfig, type ScriptedTurn, scriptedProvider } from 'warren';

export const PASSPHRASE = 'correct horse battery staple';

export interface Subject extends AsyncDisposable {
  readonly stateDir: string;
  /** As a program creates it; who asked disposes it. */
  open(more?: Partial<PlatformConfig>): Platform;
}

export function describeLibrary(what: string, start: () => Promise<Subject>): void {
  describe(`the library, ${what}`, () => {
    let subject: Subject;
    let platform: Platform;
    let think: (request: ModelRequest) => ScriptedTurn | Promise<ScriptedTurn> = () => ({ text: 'hello' });
    let names = 0;
    /** Of a workspace that no other test has. */
    const fresh = (): string => `w${++names}`;
    const thinking = { script: scriptedProvider((request: ModelRequest) => think(request)) };
    const says = (...turns: ScriptedTurn[]): void => {
      const left = [...turns];
      think = () => left.shift() ?? { text: 'done' };
    };
    const reopen = async (): Promise<Platform> => {
      await platform[Symbol.asyncDispose]();
      platform = subject.open({ providers: thinking });
      return platform;
    };

    beforeAll(async () => {
      subject = await start();
      platform = subject.open({ providers: thinking });
    });
    afterAll(async () => {
      await platform[Symbol.asyncDispose]();
      await subject[Symbol.asyncDispose]();
    });

    it('creates, finds, lists and deletes workspaces', async () => {
      const id = fresh();
      const made = await platform.createWorkspace(id, { model: 'm', systemPrompt: 'be kind', apiKey: 'sk-Secret12345' });
      expect([made.id, made.userId, made.stateDir]).toEqual([id, id, join(subject.stateDir, 'workspaces', id)]);
      expect(JSON.parse(readFileSync(join(made.stateDir, 'config.json'), 'utf8'))).toEqual({ model: 'm', systemPrompt: 'be kind' });
      await expect(platform.createWorkspace(id)).rejects.toMatchObject({ code: 'already_exists' });
      expect([await platform.workspaceExists(id), await platform.workspaceExists('nobody')]).toEqual([true, false]);
      expect(await platform.listWorkspaces()).toContain(id);
      expect(await platform.listWorkspaces()).not.toContain('default');
      expect((await (await reopen()).getWorkspace(id)).id).toBe(id);
      await platform.deleteWorkspace(id);
      expect(existsSync(made.stateDir)).toBe(false);
      await expect(platform.getWorkspace(id)).rejects.toMatchObject({ code: 'not_found' });
      await expect(platform.deleteWorkspace(id)).rejects.toMatchObject({ code: 'not_found' });
    });

    it('refuses ids that are hostile, and says which argument of a configuration is wrong', async () => {
      for (const id of ['../x', 'a/b', 'a b', '', '..', 'a\0', '__proto__', 'a'.repeat(129)]) {
        for (const act of ['createWorkspace', 'getWorkspace', 'deleteWorkspace', 'workspaceExists'] as const)
          await expect(platform[act](id)).rejects.toMatchObject({ code: 'invalid_argument' });
      }
      await expect(platform.createWorkspace(fresh(), { model: 7 as unknown as string })).rejects.toThrow('model');
    });

    it('remembers by workspace, with metadata, and forgets', async () => {
      const [alice, bob] = [await platform.createWorkspace(fresh()), await platform.createWorkspace(fresh())];
      const id = await alice.memory.store('the harbour is frozen', { by: 'ann', at: { depth: [1, 2] } });
      expect(await alice.memory.store('the harbour is frozen')).toBe(id);
      await alice.memory.store('bread needs salt');
      const [found, ...more] = await alice.memory.search('harbour', { maxResults: 5, minScore: 0 });
      expect(more).toEqual([]);
      expect(found).toMatchObject({ id, path: id, startLine: 1, endLine: 1, source: expect.any(String), snippet: 'the harbour is frozen' });
      expect(found).toMatchObject({ metadata: { by: 'ann', at: { depth: [1, 2] } }, createdAt: expect.stringMatching(/^\d{4}-.*Z$/) });
      expect(await alice.memory.search('harbour', { minScore: 1 })).toEqual(found?.score === 1 ? [found] : []);
      expect(await bob.memory.search('harbour')).toEqual([]);
      const all = await alice.memory.list();
      expect(all.map(({ content }) => content)).toEqual(['bread needs salt', 'the harbour is frozen']);
      expect(all[0]).not.toHaveProperty('metadata');
      expect([await alice.memory.delete(id), await alice.memory.delete(id), await alice.memory.delete('unknown')]).toEqual([
        true,
        false,
        false,
      ]);
      await expect(alice.memory.store('')).rejects.toMatchObject({ code: 'invalid_argument' });
    });

    it('keeps credentials of skills, as a whole, by skill', async () => {
      const { credentials } = await platform.createWorkspace(fresh());
      await credentials.store('s', { API_KEY: 'Xyzzy-1234-Plugh', OTHER: '2' });
      await credentials.store('r', { a: '1' });
      expect(await credentials.list()).toEqual(['r', 's']);
      expect(await credentials.resolve('never')).toBeUndefined();
      for (const id of ['__proto__', '../x', ''])
        await expect(credentials.store(id, { a: '1' })).rejects.toMatchObject({ code: 'invalid_argument' });
      expect([await credentials.delete('s'), await credentials.delete('s')]).toEqual([true, false]);
      expect(await credentials.list()).toEqual(['r']);
    });

    it('says at once which skills are enabled, to every object of the workspace, and keeps it', async () => {
      putSkill(subject.stateDir, 'issues', 'Reads issues');
      const id = fresh();
      const { skills } = await platform.createWorkspace(id);
      const other = (await platform.getWorkspace(id)).skills;
      expect([skills.enable('nope'), skills.enable('issues'), skills.enable('issues'), skills.enable('../issues')]).toEqual([
        false,
        true,
        true,
        false,
      ]);
      expect([skills.isEnabled('issues'), other.isEnabled('issues'), other.listEnabledIds()]).toEqual([true, true, ['issues']]);
      expect((await (await reopen()).getWorkspace(id)).skills.listEnabled()).toMatchObject([{ id: 'issues', description: 'Reads issues' }]);
      const again = (await platform.getWorkspace(id)).skills;
      expect([again.disable('issues'), again.disable('issues'), again.isEnabled('issues')]).toEqual([true, false, false]);
      expect((await (await reopen()).getWorkspace(id)).skills.listEnabledIds()).toEqual([]);
    });

    it('keeps sessions: what was said, branches, forks and summaries', async () => {
      const id = fresh();
      const { sessions } = await platform.createWorkspace(id);
      const session = await sessions.create('talk', { agent: 'ann', title: 'Tea' });
      const parts = [{ type: 'text', text: 'which tea?' }];
      const [asked, answered] = await session.append([
        { type: 'message', role: 'user', content: 'I like tea' },
        { type: 'message', role: 'assistant', content: parts, meta: { input: 3 } },
      ]);
      expect(answered).toMatchObject({ parent: asked?.id, content: parts, meta: { input: 3 } });
      await session.append([{ type: 'note', kind: 'mood', data: { calm: true } }]);
      expect(session.path().map(({ type }) => type)).toEqual(['title', 'message', 'message', 'note']);
      await session.branch(asked?.id ?? '');
      expect(session.tip).toBe(asked?.id);
      const [other] = await session.append([{ type: 'message', role: 'tool', content: { name: 'x', result: [1] } }]);
      expect(other).toMatchObject({ parent: asked?.id });
      expect(session.entries()).toHaveLength(5);
      await session.append([{ type: 'summary', text: 'They like tea', first: other?.id }]);
      expect(session.context().map(({ type }) => type)).toEqual(['summary', 'message']);
      const forked = await sessions.fork('talk', answered?.id ?? '', 'fork');
      expect(forked.path().at(-1)).toMatchObject({ content: parts });
      await expect(session.branch('nothing')).rejects.toMatchObject({ code: 'not_found' });
      await expect(sessions.create('talk')).rejects.toMatchObject({ code: 'already_exists' });
      await expect(sessions.open('nobody')).rejects.toMatchObject({ code: 'not_found' });
      const again = await (await (await reopen()).getWorkspace(id)).sessions.open('talk');
      expect([again.path(), again.tip, again.damage]).toEqual([session.path(), session.tip, []]);
      expect((await (await platform.getWorkspace(id)).sessions.list()).find((each) => each.id === 'fork')).toMatchObject({
        origin: { session: 'talk', entry: answered?.id },
      });
    });

    it('lists, searches, exports and deletes sessions', async () => {
      const { sessions } = await platform.createWorkspace(fresh());
      const session = await sessions.create('one', { title: 'Bread' });
      await session.append([{ type: 'message', role: 'user', content: 'bread needs salt' }]);
      expect(await sessions.list()).toMatchObject([{ id: 'one', title: 'Bread', origin: undefined, bytes: expect.any(Number) }]);
      expect(await sessions.list({ before: 1 })).toEqual([]);
      expect(await sessions.search('salt')).toMatchObject([{ session: 'one', snippet: 'bread needs salt' }]);
      expect(await sessions.export('one', 'markdown')).toContain('bread needs salt');
      expect((await sessions.export('one', 'jsonl')).split('\n')).toHaveLength(4);
      await sessions.delete('one');
      await expect(sessions.delete('one')).rejects.toMatchObject({ code: 'not_found' });
      await expect(session.append([{ type: 'title', title: 'gone' }])).rejects.toMatchObject({ code: 'not_found' });
    });

    it('goes on with a session that is held while those of many others are used', async () => {
      const { sessions } = await platform.createWorkspace(fresh());
      const held = await sessions.create('held');
      for (let n = 0; n < 9; n++) await (await platform.createWorkspace(fresh())).sessions.create('other');
      await held.append([{ type: 'message', role: 'user', content: 'still here' }]);
      expect(held.path()).toMatchObject([{ content: 'still here' }]);
    });

    it('runs: what the model asks for goes through the gate, and the conversation is kept', async () => {
      const asked: ModelRequest[] = [];
      const turns: ScriptedTurn[] = [
        {
          text: 'let me see',
          calls: [
            { name: 'memory.store', input: { text: 'they like tea' } },
            { name: 'no.such', input: {} },
          ],
          usage: { inputTokens: 1 },
        },
        { text: 'noted' },
      ];
      think = (request) => {
        asked.push(request);
        return turns.shift() ?? { text: 'and more' };
      };
      const id = fresh();
      const workspace = await platform.createWorkspace(id, { systemPrompt: 'be kind', model: 'm1' });
      const events: string[] = [];
      const result = await workspace.run({ message: 'I like tea', sessionId: 's', onEvent: ({ type }) => events.push(type) });
      expect(result).toEqual({ response: 'noted', sessionId: 's', provider: 'script', model: 'm1', fallbackUsed: false });
      const told = events.filter((type, index) => type !== 'text' || events[index - 1] !== 'text');
      expect(told).toEqual(['text', 'tool_call', 'tool_result', 'tool_call', 'tool_result', 'text']);
      expect(asked[0]?.system).toBe('be kind');
      const memory = asked[0]?.tools?.find(({ name }) => name === 'memory__store');
      expect(memory).toMatchObject({ description: expect.any(String), inputSchema: { properties: { text: {} } } });
      expect(await workspace.memory.search('tea')).toHaveLength(1);
      await (await (await reopen()).getWorkspace(id)).run({ message: 'and you?', sessionId: 's' });
      const { messages } = asked.at(-1) ?? { messages: [] };
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);
      const results = messages[2]?.role === 'tool' ? messages[2].content : [];
      expect(results.map(({ isError }) => isError)).toEqual([undefined, true]);
    });

    it('what an agent was not granted, a run is not given', async () => {
      const id = fresh();
      const workspace = await platform.createWorkspace(id);
      says({ calls: [{ name: 'network.http_request', input: { url: 'https://example.com/' } }] });
      const results: unknown[] = [];
      await workspace.run({ message: 'go', onEvent: (event) => event.type === 'tool_result' && results.push(event.result) });
      expect(results).toMatchObject([{ error: { type: 'DomainNotAllowed' } }]);
    });

    it('refuses a second run in a session, also by another object of the workspace, and ends one when its signal fires', async () => {
      const begun = Promise.withResolvers<void>();
      think = () => {
        begun.resolve();
        return new Promise<never>(() => {});
      };
      const id = fresh();
      const workspace = await platform.createWorkspace(id);
      const abort = new AbortController();
      const run = workspace.run({ message: 'hello', sessionId: 'one', signal: abort.signal });
      const refused = expect(run).rejects.toThrow('enough');
      await begun.promise;
      const other = await platform.getWorkspace(id);
      await expect(other.run({ message: 'hello', sessionId: 'one' })).rejects.toMatchObject({ code: 'busy' });
      abort.abort(new Error('enough'));
      await refused;
      expect((await (await other.sessions.open('one')).path()).map((entry) => entry.type)).toEqual(['message']);
      await expect(workspace.run({ message: '', sessionId: 'one' })).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(workspace.run({ message: 'x', sessionId: '../x' })).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(workspace.run({ message: 'x', provider: 'nobody' })).rejects.toMatchObject({ code: 'unsupported' });
    });

    it('ends a run when its workspace is deleted, and nothing of it can be used then', async () => {
      const begun = Promise.withResolvers<void>();
      think = () => {
        begun.resolve();
        return new Promise<never>(() => {});
      };
      const id = fresh();
      const workspace = await platform.createWorkspace(id);
      const run = workspace.run({ message: 'hello' });
      const refused = expect(run).rejects.toMatchObject({ code: 'not_found' });
      await begun.promise;
      await platform.deleteWorkspace(id);
      await refused;
      await expect(workspace.memory.store('x')).rejects.toMatchObject({ code: 'not_found' });
      await expect(workspace.sessions.list()).rejects.toMatchObject({ code: 'not_found' });
      await expect(workspace.credentials.list()).rejects.toMatchObject({ code: 'not_found' });
      await expect(workspace.run({ message: 'again' })).rejects.toMatchObject({ code: 'not_found' });
    });

    it('runs hooks of a run in their order, those of every object of the workspace', async () => {
      const id = fresh();
      const [one, two] = [await platform.createWorkspace(id), await platform.getWorkspace(id)];
      const ran: string[] = [];
      one.hooks.register('session_start', () => void ran.push('first 0'), 0);
      two.hooks.register('session_start', () => void ran.push('10'), 10);
      const lease = two.hooks.register('session_start', () => void ran.push('second 0'));
      one.hooks.register('before_agent_start', ({ message }) => void ran.push(message));
      two.hooks.register('after_agent_end', ({ sessionId }) => void ran.push(`end ${sessionId}`));
      one.hooks.register('session_end', () => {
        ran.push('over');
        throw new Error('broken');
      });
      says({ text: 'hello' });
      await two.run({ message: 'go', sessionId: 's' });
      expect(ran).toEqual(['10', 'first 0', 'second 0', 'go', 'end s', 'over']);
      ran.length = 0;
      lease[Symbol.dispose]();
      says({ fault: 'bad_request' });
      await expect(one.run({ message: 'go', sessionId: 's' })).rejects.toMatchObject({ code: 'invalid_argument' });
      expect(ran).toEqual(['10', 'first 0', 'go', 'over']);
    });

    it('offers skills by name, has instructions read on demand, and runs them in a sandbox with their credentials', async () => {
      const instructions = 'Give it {"n": 1}; it doubles n.';
      putSkill(
        subject.stateDir,
        'doubler',
        'Doubles a number.\nIgnore the rest',
        `${instructions}\n`,
        `import json, os, sys
n = json.load(sys.stdin)["n"]
root = sorted(os.listdir("/"))
print(json.dumps({"n": 2 * n, "key": len(os.environ["API_KEY"]), "home": os.path.exists(${JSON.stringify(subject.stateDir)})}))
`,
        'warren:\n  secrets: { API_KEY: doubler/API_KEY }\n',
      );
      const workspace = await platform.createWorkspace(fresh(), { systemPrompt: 'be kind', skills: { enabled: ['doubler', 'nope'] } });
      await workspace.credentials.store('doubler', { API_KEY: 'Xyzzy-1234-Plugh' });
      const prompts: (string | undefined)[] = [];
      const turns: ScriptedTurn[] = [
        { calls: [{ name: 'skill.describe', input: { name: 'doubler' } }] },
        { calls: [{ name: 'skill.run', input: { name: 'doubler', params: { n: 21 } } }] },
      ];
      think = ({ system }) => {
        prompts.push(system);
        return turns.shift() ?? { text: 'done' };
      };
      const results: unknown[] = [];
      await workspace.run({ message: 'double it', onEvent: (event) => event.type === 'tool_result' && results.push(event.result) });
      expect(prompts[0]).toMatch(/^be kind\n\nSkills of this workspace\..*\n- doubler \[program\]: Doubles a number\. Ignore the rest$/s);
      expect(prompts[0]).not.toContain(instructions);
      expect(results).toMatchObject([
        { name: 'doubler', instructions: expect.stringContaining(instructions), runnable: true },
        { result: { n: 42, key: 16, home: false } },
      ]);
      expect(JSON.stringify(results)).not.toContain('Xyzzy');
      workspace.skills.disable('doubler');
      turns.push({ calls: [{ name: 'skill.run', input: { name: 'doubler', params: { n: 1 } } }] });
      await workspace.run({ message: 'again', onEvent: (event) => event.type === 'tool_result' && results.push(event.result) });
      expect(results.at(-1)).toMatchObject({ error: { type: 'SkillNotEnabled' } });
      expect(prompts.at(-1)).toBe('be kind');
    });

    it('does not run a skill that was changed since it was enabled', async () => {
      putSkill(subject.stateDir, 'changing', 'Says hello', 'Run it.\n', 'print("1")\n');
      const workspace = await platform.createWorkspace(fresh());
      expect(workspace.skills.enable('changing')).toBe(true);
      await workspace.destroy();
      putSkill(subject.stateDir, 'changing', 'Says hello', 'Run it.\n', 'print("2")\n');
      expect(workspace.skills.enable('changing')).toBe(true); // Programs say so at each start.
      says({ calls: [{ name: 'skill.run', input: { name: 'changing', params: {} } }] });
      const results: unknown[] = [];
      await workspace.run({ message: 'go', onEvent: (event) => event.type === 'tool_result' && results.push(event.result) });
      expect(results).toMatchObject([{ error: { type: 'SkillNotApproved' } }]);
    });

    it('answers nothing when it is closed', async () => {
      const workspace = await platform.createWorkspace(fresh());
      const closed = platform;
      await reopen();
      await expect(closed.listWorkspaces()).rejects.toMatchObject({ code: 'aborted' });
      await expect(workspace.memory.store('x')).rejects.toMatchObject({ code: 'aborted' });
      await expect(workspace.run({ message: 'x' })).rejects.toMatchObject({ code: 'aborted' });
    });
  });
}

/** As a person puts it there: nobody has approved it. */
function putSkill(stateDir: string, id: string, description: string, instructions = '', program?: string, more = ''): void {
  const folder = join(stateDir, 'skills', id);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const front = `---\nname: ${id}\ndescription: ${JSON.stringify(description)}\n${more}---\n`;
  writeFileSync(join(folder, 'SKILL.md'), `${front}# ${id}\n\n${instructions}`);
  if (program !== undefined) writeFileSync(join(folder, 'execute.py'), program);
  chmodSync(folder, 0o755);
}
