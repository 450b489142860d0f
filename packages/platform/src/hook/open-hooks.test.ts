/** Hooks as the daemon has them: a real file, real sandboxes, a real server on loopback through the real guard. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Kernel, openKernel, type Review } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject, parseWorkspaceId } from '@warren/protocol';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { createEgress } from '@warren/sandbox/egress';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sign } from '../notify/webhook-target.ts';
import { HOOK_PLACES } from './hook-places.ts';
import { type LiveHooks, openLiveHooks } from './open-hooks.ts';

const NEVER = new AbortController().signal;
const ACME = parseWorkspaceId('acme');

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(async () => await sandboxes[Symbol.asyncDispose]());

type Told = { readonly headers: IncomingMessage['headers']; readonly body: string };

class Stage implements AsyncDisposable {
  readonly changes: string[] = [];
  readonly problems: (string | undefined)[] = [];
  readonly said: string[] = [];
  readonly told: Told[] = [];
  answer = (response: ServerResponse): void => void response.end();
  hooks!: LiveHooks;
  kernel!: Kernel;
  pid = 0;
  url = '';
  readonly #opened: AsyncDisposableStack;
  readonly #directory: TemporaryDirectory;

  private constructor(opened: AsyncDisposableStack, directory: TemporaryDirectory) {
    this.#opened = opened;
    this.#directory = directory;
  }

  static async open(file: (stage: Stage) => string): Promise<Stage> {
    await using opening = new AsyncDisposableStack();
    const directory = opening.use(await TemporaryDirectory.create());
    const stage = new Stage(new AsyncDisposableStack(), directory);
    const server = createServer((request, response) => void stage.#take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opening.defer(() => new Promise((resolve) => server.close(() => resolve())));
    opening.defer(() => server.closeAllConnections());
    stage.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`; // It listens on TCP.
    stage.kernel = opening.use(await openKernel({ directory: directory.path }));
    const egress = opening.use(createEgress({ privateNetworks: ['127.0.0.0/8'] }));
    stage.write('key', 'a-key\n');
    stage.write('hooks.yaml', file(stage));
    stage.hooks = opening.use(
      await openLiveHooks({
        ...{ directory: directory.path, kernel: stage.kernel, sandboxes, egress, now: () => 1_700_000_000_000, isWatching: false },
        onChange: async (hash) => void stage.changes.push(hash),
        tell: async (problem) => void stage.problems.push(problem),
        say: (message) => void stage.said.push(message),
      }),
    );
    stage.pid = (await stage.kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'p', template: 't', agent: 'ada' })).pid;
    stage.#opened.use(opening.move());
    return stage;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    this.told.push({ headers: request.headers, body });
    this.answer(response);
  }

  write(name: string, text: string): void {
    const path = this.#directory.join(name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text, { mode: 0o755 });
  }

  review(capability = 'x.y', input: JsonObject = { a: 1 }, workspace = DEFAULT_WORKSPACE): Review | undefined {
    return this.hooks.review({ workspace, pid: this.pid, callId: 'call_1', capability, input });
  }

  async before(capability?: string, input?: JsonObject) {
    return await this.review(capability, input)?.before?.(NEVER);
  }

  /** When all of them are written: it closes. */
  async failures(): Promise<readonly JsonObject[]> {
    await this.hooks[Symbol.asyncDispose]();
    const { events } = await this.kernel.workspace(DEFAULT_WORKSPACE).events.tail({ kind: 'kernel.hook.failed' });
    return events.map(({ payload }) => payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

const shell = (script: string, more = ''): string => `hooks:
  - name: check
    on: before_tool_call
    command: [sh, -c, ${JSON.stringify(script)}]
    ${more}
`;

describe('a file without hooks', () => {
  it('has nobody look at any call', async () => {
    await using stage = await Stage.open(() => '');
    expect(stage.review()).toBeUndefined();
  });
});

describe('a command', () => {
  it.each<[string, string, JsonObject]>([
    ['says nothing', 'cat >/dev/null', { kind: 'call', input: { a: 1 } }],
    ['changes the arguments', `printf '{"input":{"a":2}}'`, { kind: 'call', input: { a: 2 } }],
    ['vetoes', `printf '{"veto":"not today"}'`, { kind: 'vetoed', by: 'check', reason: 'not today' }],
    ['is not understood', `printf 'nope'`, { kind: 'vetoed', by: 'check', reason: 'it failed: it answers no JSON' }],
    ['answers something else', `printf '[]'`, { kind: 'vetoed', by: 'check', reason: 'it answered what is no verdict' }],
    ['fails', 'echo broken >&2; exit 3', { kind: 'vetoed', by: 'check', reason: 'it failed: it exits with code 3: broken' }],
    ['prints too much', 'yes', { kind: 'vetoed', by: 'check', reason: 'it failed: it is stopped by output' }],
  ])('that %s', async (_, script, verdict) => {
    await using stage = await Stage.open(() => shell(script));
    expect(await stage.before()).toEqual(verdict);
    expect((await stage.failures()).length).toBe(String(verdict['reason']).startsWith('it ') ? 1 : 0);
  });

  it('that takes too long vetoes, and is an event of the process', async () => {
    await using stage = await Stage.open(() => shell('sleep 60', 'timeout: 200ms'));
    expect(await stage.before()).toMatchObject({ kind: 'vetoed', reason: 'it failed: it took longer than 200 ms' });
    expect(await stage.failures()).toEqual([
      { hook: 'before_tool_call', label: 'check', reason: 'it took longer than 200 ms', call_id: 'call_1' },
    ]);
  });

  it('is told what is called and by whom, and reaches nothing of this machine', async () => {
    await using stage = await Stage.open(() =>
      shell(
        `told=$(cat); ls /home /root /tmp/* 2>&1 | wc -l >/dev/null; printf '{"veto":%s}' "$(printf '%s' "$told" | sed 's/.*/&/' | python3 -c 'import json,sys; print(json.dumps(sys.stdin.read()))')"`,
      ),
    );
    const verdict = await stage.before('git.push', { force: true });
    expect(JSON.parse(String((verdict as { readonly reason: string }).reason))).toEqual({
      ...{ hook: 'before_tool_call', workspace: 'default', capability: 'git.push', input: { force: true } },
      ...{ call_id: 'call_1', agent: 'ada', pid: stage.pid },
    });
    await stage.hooks.reload();
  });

  it('sees only what is mounted, and no network', async () => {
    await using stage = await Stage.open(({ url }) => {
      const port = new URL(url).port;
      return shell(
        `cat /srv/h/note; cat /etc/shadow && exit 9; (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null && exit 8; exit 0`,
        'mounts: [{ source: mine, target: /srv/h }]',
      ).replace('[sh,', '[bash,');
    });
    stage.write('mine/note', '{"veto":"I read my note"}');
    expect(await stage.before()).toMatchObject({ kind: 'vetoed', reason: 'I read my note' });
  });
});

describe('a webhook', () => {
  const webhook = ({ url }: Stage, on = 'before_tool_call', more = ''): string =>
    `hooks: [{ name: hook, on: ${on}, webhook: "${url}", secret_file: key${more} }]`;

  const DONE = { callId: 'call_2', capability: 'x.y', tier: 'autonomous', kind: 'done', output: {}, taint: [], durationMs: 1 } as const;

  /** Of a call in another workspace than the stage's own. */
  const reviewOfAcme = async ({ kernel, hooks }: Stage): Promise<Review | undefined> => {
    await kernel.workspaces.create(ACME);
    const { pid } = await kernel.workspace(ACME).processes.create({ name: 'p', template: 't', agent: 'eve' });
    return hooks.review({ workspace: ACME, pid, callId: 'call_2', capability: 'x.y', input: {} });
  };

  it('is told by a signed request, and may veto', async () => {
    await using stage = await Stage.open(webhook);
    stage.answer = (response) => void response.end('{"veto":"no"}');
    expect(await stage.before()).toEqual({ kind: 'vetoed', by: 'hook', reason: 'no' });
    const [{ headers, body } = { headers: {}, body: '' }] = stage.told;
    expect(headers['warren-signature']).toBe(sign('a-key', 1_700_000_000_000, body));
    expect(JSON.parse(body)).toMatchObject({ hook: 'before_tool_call', capability: 'x.y', agent: 'ada' });
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['answers an error', (response) => void response.writeHead(500).end(), 'it failed: 127.0.0.1 answers 500'],
    [
      'sends elsewhere',
      (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'it failed: 127.0.0.1 answers 302',
    ],
    ['answers no JSON', (response) => void response.end('<html>'), 'it failed: it answers no JSON'],
  ])('that %s vetoes', async (_, answer, reason) => {
    await using stage = await Stage.open(webhook);
    stage.answer = answer;
    expect(await stage.before()).toEqual({ kind: 'vetoed', by: 'hook', reason });
  });

  it('at an address that is not public is not reached unless the operator says so', async () => {
    await using stage = await Stage.open(
      () => 'hooks: [{ name: hook, on: before_tool_call, webhook: "http://169.254.169.254/x", secret_file: key }]',
    );
    expect(await stage.before()).toMatchObject({ kind: 'vetoed', reason: expect.stringMatching(/^it failed: Cannot reach/) });
  });

  it('hears what a call came to, and of nothing else', async () => {
    await using stage = await Stage.open((each) => webhook(each, 'after_tool_call', ', capabilities: [git.*]'));
    const answer = {
      callId: 'call_1',
      capability: 'git.push',
      tier: 'autonomous',
      kind: 'done',
      output: { ok: true },
      taint: [],
      durationMs: 1,
    } as const;
    expect(stage.review('files.read')).toBeUndefined();
    const review = stage.review('git.push');
    expect(review?.before).toBeUndefined();
    review?.after?.(answer);
    while (stage.told.length === 0) await new Promise(setImmediate);
    expect(JSON.parse(stage.told[0]?.body ?? '')).toMatchObject({
      hook: 'after_tool_call',
      capability: 'git.push',
      result: { state: 'done', output: { ok: true } },
    });
  });

  it('that hangs keeps no call waiting: none of another workspace, and none of its own', async () => {
    await using stage = await Stage.open(
      ({ url }) => `hooks:
  - { name: chronicle, on: after_tool_call, workspaces: [acme], timeout: 5m, webhook: "${url}", secret_file: key }
  - { name: check, on: before_tool_call, webhook: "${url}", secret_file: key }
`,
    );
    const calls = 40;
    const hanging: ServerResponse[] = [];
    let isLetGo = false;
    const toldOf = (hook: string): number => stage.told.filter(({ body }) => JSON.parse(body).hook === hook).length;
    stage.answer = (response) => {
      const { hook } = JSON.parse(stage.told.at(-1)?.body ?? '') as { readonly hook: string }; // What was just told.
      if (hook === 'after_tool_call' && !isLetGo) hanging.push(response);
      else response.end();
    };
    const ofAcme = await reviewOfAcme(stage);
    for (let count = 0; count < calls; count++) ofAcme?.after?.(DONE);
    while (hanging.length < HOOK_PLACES.tellingOfWorkspace) await new Promise(setImmediate);
    expect(await Promise.all(Array.from({ length: 20 }, () => stage.before()))).toEqual(Array(20).fill({ kind: 'call', input: { a: 1 } }));
    expect(await ofAcme?.before?.(NEVER)).toEqual({ kind: 'call', input: {} });
    expect([toldOf('before_tool_call'), toldOf('after_tool_call')]).toEqual([21, HOOK_PLACES.tellingOfWorkspace]);
    isLetGo = true;
    for (const response of hanging) response.end();
    while (toldOf('after_tool_call') < calls) await new Promise(setImmediate);
  });

  it('that hangs is told of a number of calls of a workspace and no more, which leaves room for others', async () => {
    await using stage = await Stage.open((each) => webhook(each, 'after_tool_call', ', timeout: 5m'));
    const hanging: ServerResponse[] = [];
    stage.answer = (response) => void hanging.push(response);
    const ofAcme = await reviewOfAcme(stage);
    for (let count = 0; count < 300; count++) ofAcme?.after?.(DONE);
    stage.review()?.after?.(DONE);
    while (!stage.told.some(({ body }) => JSON.parse(body).workspace === DEFAULT_WORKSPACE)) await new Promise(setImmediate);
    expect(await stage.failures()).toEqual([]);
    const { events } = await stage.kernel.workspace(ACME).events.tail({ kind: 'kernel.hook.failed' });
    expect(events.map(({ payload }) => payload['reason'])).toEqual(Array(50).fill('250 others run: it was not told of'));
  });

  it('hears that a budget is breached', async () => {
    await using stage = await Stage.open((each) => webhook(each, '[budget_breached]'));
    const { ledger } = stage.kernel.workspace(DEFAULT_WORKSPACE);
    await ledger.create({ kind: 'process', pid: stage.pid }, { tokens: 10 });
    await ledger.charge(stage.pid, 'tokens', 11);
    while (stage.told.length === 0) await new Promise(setImmediate);
    expect(JSON.parse(stage.told[0]?.body ?? '')).toMatchObject({ hook: 'budget_breached', dimension: 'tokens', limit: 10, agent: 'ada' });
  });
});

describe('hooks', () => {
  it('are of the workspaces they name, and run by priority beside those of a program', async () => {
    await using stage = await Stage.open(
      ({ url }) => `hooks:
  - { name: low, on: before_tool_call, priority: -5, webhook: "${url}", secret_file: key }
  - { name: elsewhere, on: before_tool_call, workspaces: [acme], webhook: "${url}", secret_file: key }
`,
    );
    await stage.kernel.workspaces.create(ACME);
    stage.hooks.workspace(DEFAULT_WORKSPACE).register('before_tool_call', ({ input }) => ({ input: { ...input, own: true } }));
    expect(await stage.before()).toEqual({ kind: 'call', input: { a: 1, own: true } });
    expect(stage.told.map(({ body }) => JSON.parse(body).input)).toEqual([{ a: 1, own: true }]);
    expect(stage.hooks.list().map(({ name }) => name)).toEqual(['elsewhere', 'low']);
    stage.hooks.forget(DEFAULT_WORKSPACE);
    expect(await stage.before()).toEqual({ kind: 'call', input: { a: 1 } });
  });

  it('are read again, and stay as they are when there is a mistake, which is told with its line', async () => {
    await using stage = await Stage.open(() => shell('cat >/dev/null'));
    stage.write('hooks.yaml', 'hooks:\n  - name: check\n    on: sometimes\n    command: [x]\n');
    await expect(stage.hooks.reload()).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('hooks.yaml:3: '),
    });
    expect(stage.problems.at(-1)).toContain('cannot be used');
    expect(stage.review()).toBeDefined();
    stage.write('hooks.yaml', '{}');
    await stage.hooks.reload();
    expect([stage.review(), stage.changes.length, stage.problems.at(-1)]).toEqual([undefined, 1, undefined]);
  });

  it('that cannot be read keep Warren from starting', async () => {
    await expect(Stage.open(() => 'hooks: [{ name: a, on: before_tool_call }]')).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(Stage.open(() => `${shell('x')}${shell('y').split('\n').slice(1).join('\n')}`)).rejects.toMatchObject({
      message: expect.stringContaining('taken by another'),
    });
  });

  it('leave the process of a call that has ended to the gate', async () => {
    await using stage = await Stage.open(() => shell('exit 1'));
    await stage.kernel.workspace(DEFAULT_WORKSPACE).processes.end(stage.pid, 'completed');
    expect(await stage.before()).toEqual({ kind: 'call', input: { a: 1 } });
  });

  it('are tried without a call', async () => {
    await using stage = await Stage.open(() => shell(`printf '{"veto":"no"}'`));
    const call = { workspace: DEFAULT_WORKSPACE, pid: 0, callId: 'call_x', capability: 'x.y', input: {}, agent: 'ada' };
    expect(await stage.hooks.try('check', undefined, call, NEVER)).toEqual({ kind: 'vetoes', reason: 'no' });
    await expect(stage.hooks.try('none', undefined, call, NEVER)).rejects.toMatchObject({ code: 'not_found' });
    await expect(stage.hooks.try('check', 'after_tool_call', call, NEVER)).rejects.toMatchObject({ code: 'conflict' });
  });
});
