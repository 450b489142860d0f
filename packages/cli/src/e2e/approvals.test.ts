/** `warren approvals`: what waits for a person, what they say, and that it is done once or not at all. */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from '@warren/client';
import type { CallAnswer } from '@warren/protocol/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { atTerminal, hasPython, type TerminalOutcome, type TerminalStep } from '../test-support/terminal.ts';
import { GateDaemon } from './gate-daemon.ts';
import { finish, PATIENCE_MS, SHIPPED } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const LISTEN = ['--listen', 'tcp:127.0.0.1:0'];
const WAIT_MS = 60_000;
/** Each append that is carried out is one more line: what is done twice shows. */
const POLICY = `rules:
  - id: ask-first
    capability: filesystem.append
    tier: approval_required
    reason: Somebody should look
  - id: ask-two
    capability: filesystem.mkdir
    tier: approval_required
    ask: { quorum: 2 }
  - id: ask-leads
    capability: filesystem.move
    tier: approval_required
    ask: { approvers: [leads] }
`;

let gate: GateDaemon;
let pid: number;

beforeAll(async () => {
  gate = await GateDaemon.start(LISTEN);
  await gate.setPolicy(POLICY);
  pid = await gate.startAgent('builder');
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

/** A file of its own, empty. */
let files = 0;
async function emptyFile(): Promise<string> {
  const path = `file-${++files}.txt`;
  await gate.call(pid, 'filesystem.write', { path, content: '' });
  return path;
}

function linesOf(path: string): readonly string[] {
  return readFileSync(gate.path('workspaces', 'default', 'files', path), 'utf8')
    .split('\n')
    .slice(0, -1);
}

async function ask(path: string, content = 'line\n', more: object = {}): Promise<CallAnswer & { readonly approval_id: string }> {
  const answer = await gate.call(pid, 'filesystem.append', { path, content }, more);
  expect(answer).toMatchObject({ state: 'pending', approval_id: expect.stringMatching(/^approval_/) });
  return { ...answer, approval_id: answer.approval_id ?? '' };
}

async function resultOf({ call_id }: CallAnswer): Promise<CallAnswer> {
  return await gate.client.call('call.result', { pid, call_id, wait_ms: WAIT_MS });
}

/** Over TCP, with a token of its own. */
async function tokenClient(options: { readonly pid?: number; readonly label?: string; readonly groups?: string[] }) {
  const { token } = await gate.client.call('token.create', options);
  return connect({ url: gate.daemon.url, token });
}

describe('a call that people have to approve', () => {
  it('is listed and shown, and carried out once when somebody says yes', async () => {
    const path = await emptyFile();
    const asked = await ask(path, 'line\n', { reasoning: 'The list needs it' });
    const listed = await gate.warren(['approvals', 'list']);
    expect(listed.stdout).toContain(`filesystem.append {"path":"/workspace/${path}","content":"line\\n"}`);
    expect(listed.stdout).toMatch(/^approval_\w+ +pending +\d+s +in 2[34]h +anybody +builder +filesystem\.append /m);
    expect(await gate.warren(['call', 'result', asked.call_id])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`warren call result ${asked.call_id} --wait 30s`),
    });
    expect((await gate.warren(['call', 'result', 'call_0000000000000000'])).stderr).toContain('there is no such call');
    const shown = await gate.warren(['approvals', 'show', asked.approval_id]);
    for (const line of [
      `state     pending`,
      `agent     builder (process ${pid})`,
      'because   Somebody should look (workspace.yaml:2 ask-first)',
      'it says   The list needs it',
    ])
      expect(shown.stdout.split('\n')).toContain(line);
    expect(linesOf(path)).toEqual([]);

    const approved = await gate.warren(['approvals', 'approve', asked.approval_id, '--reason', 'fine']);
    const about = `warren: builder asks for filesystem.append {"path":"/workspace/${path}","content":"line\\n"}\n`;
    expect(approved).toMatchObject({ code: 0, stdout: `${asked.approval_id} is approved.\n`, stderr: about });
    expect(await resultOf(asked)).toMatchObject({ state: 'done', tier: 'approval_required', output: { path: `/workspace/${path}` } });
    const result = await gate.warren(['call', 'result', asked.call_id, '--wait', '30s', '--json']);
    expect(JSON.parse(result.stdout)).toMatchObject({ state: 'done', call_id: asked.call_id });
    expect(await resultOf(asked)).toMatchObject({ state: 'done' });
    expect(linesOf(path)).toEqual(['line']);

    for (const again of [['approve'], ['reject']]) {
      const { code, stderr } = await gate.warren(['approvals', ...again, asked.approval_id]);
      expect([code, stderr]).toEqual([1, expect.stringContaining('it is approved already')]);
    }
    expect(linesOf(path)).toEqual(['line']);
    // The same call once more is another question.
    const other = await ask(path);
    expect(other.approval_id).not.toBe(asked.approval_id);
    await gate.client.call('approval.cancel', { approval_id: other.approval_id });
    expect(await resultOf(other)).toMatchObject({ state: 'failed', error: { type: 'Cancelled' } });
  });

  it('is not carried out when somebody says no, and the agent is told why', async () => {
    const path = await emptyFile();
    const asked = await ask(path);
    const rejected = await gate.json(['approvals', 'reject', asked.approval_id, '--note', 'use the other list']);
    expect(rejected).toMatchObject({ state: 'rejected', reason: 'use the other list' });
    const { error } = await resultOf(asked);
    expect(error?.type).toBe('ApprovalRejected');
    expect(`${error?.message} ${error?.agent_message}`).toContain('use the other list');
    expect((await gate.warren(['approvals', 'approve', asked.approval_id])).stderr).toContain('it is rejected already');
    expect(linesOf(path)).toEqual([]);
    expect((await gate.warren(['approvals', 'list', '--all'])).stdout).toContain('rejected');
    expect((await gate.warren(['approvals', 'list'])).stderr).toBe('warren: nothing waits for an answer\n');
  });

  it('can be waited for', async () => {
    const path = await emptyFile();
    const waiting = gate.user.start(['call', 'filesystem.append', `path=${path}`, 'content=line', '--as', 'builder', '--wait', '1m']);
    const ended = finish(waiting);
    const question = await firstQuestion();
    expect((await gate.warren(['approvals', 'approve', question])).code).toBe(0);
    const { code, stdout } = await ended;
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ path: `/workspace/${path}` })]);

    const tired = await gate.warren(['call', 'filesystem.append', `path=${path}`, 'content=line', '--as', 'builder', '--wait', '50ms']);
    expect([tired.code, tired.stdout]).toEqual([3, '']);
    await gate.client.call('approval.cancel', { approval_id: await firstQuestion() });
    const zero = await gate.warren(['approvals', 'approve', 'approval_nowhere']);
    expect([zero.code, zero.stderr]).toEqual([1, expect.stringContaining('it does not exist')]);
  });

  it('is shown in all its length, and a list says where it is cut', async () => {
    const path = await emptyFile();
    const asked = await ask(path, `${'harmless '.repeat(20_000)}the end`);
    const listed = await gate.warren(['approvals', 'list']);
    expect(listed.stdout).toContain('filesystem.append (cut) {');
    expect(listed.stdout).not.toContain('the end');
    expect(listed.stderr).toContain('warren approvals show ID');
    const shown = await gate.warren(['approvals', 'show', asked.approval_id]);
    expect(shown.stdout).toContain('harmless the end"');
    const { code, stderr } = await gate.warren(['approvals', 'reject', asked.approval_id]);
    expect([code, stderr.length < 1_000, stderr]).toEqual([0, true, expect.stringMatching(/harmless .*… \(\d+ characters\)\n$/)]);
  });

  it('is one of a group when there are many', async () => {
    await using mine = await GateDaemon.start();
    await mine.setPolicy(POLICY);
    for (const [name, paths] of [
      ['ant', 15],
      ['bee', 8],
    ] as const) {
      const agent = await mine.startAgent(name);
      for (let index = 0; index < paths; index++) await mine.call(agent, 'filesystem.append', { path: `${index}`, content: 'x' });
    }
    const { stdout, stderr } = await mine.warren(['approvals', 'list']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ +/).filter(Boolean).slice(0, 3))).toEqual([
      ['WAIT', 'AGENT', 'CAPABILITY'],
      ['15', 'ant', 'filesystem.append'],
      ['8', 'bee', 'filesystem.append'],
    ]);
    expect(stderr).toContain('warren approvals list --each');
    expect((await mine.warren(['approvals', 'list', '--each'])).stdout.trimEnd().split('\n')).toHaveLength(24);
    expect((await mine.warren(['approvals', 'list', '--agent', 'bee'])).stdout.trimEnd().split('\n')).toHaveLength(9);
  });

  it('is carried out with the arguments somebody changed, and with no others', async () => {
    const path = await emptyFile();
    const asked = await ask(path, 'theirs\n');
    const refused = await gate.warren(['approvals', 'approve', asked.approval_id, '--input', '{"path":3}']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('path')]);
    const input = JSON.stringify({ path, content: 'mine\n' });
    const approved = await gate.json(['approvals', 'approve', asked.approval_id, '--input', input]);
    expect(approved).toMatchObject({ state: 'approved', edited_input: { content: 'mine\n' } });
    expect(await resultOf(asked)).toMatchObject({ state: 'done' });
    expect(linesOf(path)).toEqual(['mine']);
    expect((await gate.warren(['approvals', 'show', asked.approval_id])).stdout).toContain('changed to {');
  });

  it('is not asked about again after --always, until that is taken back', async () => {
    const path = await emptyFile();
    const asked = await ask(path);
    const twice = await gate.warren(['approvals', 'approve', asked.approval_id, '--note', 'a', '--reason', 'b']);
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('--note and --reason are the same')]);
    const noScope = await gate.warren(['approvals', 'approve', asked.approval_id, '--for', '1h']);
    expect([noScope.code, noScope.stderr]).toEqual([2, expect.stringContaining('cannot use --for without --always')]);
    await gate.json(['approvals', 'approve', asked.approval_id, '--always', 'exact', '--for', '1h']);
    await resultOf(asked);
    expect(await gate.call(pid, 'filesystem.append', { path, content: 'line\n' })).toMatchObject({ state: 'done' });
    expect(linesOf(path)).toEqual(['line', 'line']);
    const other = await ask(path, 'another\n');

    const { rules } = await gate.json<{ rules: { rule_id: string; agent: string; expires_at: number; created_at: number }[] }>([
      ...['approvals', 'rules', 'list'],
    ]);
    expect(rules).toMatchObject([{ agent: 'builder', capability: 'filesystem.append' }]);
    expect(Math.round((rules[0]?.expires_at ?? 0) - (rules[0]?.created_at ?? 0))).toBe(3_600);
    const id = rules[0]?.rule_id ?? '';
    expect((await gate.warren(['approvals', 'rules', 'revoke', id])).stdout).toBe(`Rule ${id} is revoked.\n`);
    expect((await gate.warren(['approvals', 'rules', 'revoke', id])).stdout).toBe(`Rule ${id} was over already.\n`);
    expect((await gate.warren(['approvals', 'rules', 'list'])).stdout).toBe('');
    const again = await ask(path);
    for (const { approval_id } of [other, again]) await gate.client.call('approval.cancel', { approval_id });
  });

  it('needs as many people as its rule says, and nobody counts twice', async () => {
    await using alice = await tokenClient({ label: 'alice' });
    await using bob = await tokenClient({ label: 'bob' });
    const answer = await gate.call(pid, 'filesystem.mkdir', { path: 'two' });
    const approval_id = answer.approval_id ?? '';
    expect(await alice.call('approval.approve', { approval_id, note: 'one' })).toMatchObject({ state: 'pending' });
    await expect(alice.call('approval.approve', { approval_id })).rejects.toMatchObject({ code: 'permission_denied' });
    const shown = await gate.warren(['approvals', 'show', approval_id]);
    expect(shown.stdout).toMatch(/^needs {5}2 of anybody$/m);
    expect(shown.stdout).toMatch(/^yes {7}alice, .*: one$/m);
    expect(existsSync(gate.path('workspaces', 'default', 'files', 'two'))).toBe(false);
    expect(await bob.call('approval.approve', { approval_id })).toMatchObject({ state: 'approved' });
    expect(await resultOf(answer)).toMatchObject({ state: 'done' });
    expect(existsSync(gate.path('workspaces', 'default', 'files', 'two'))).toBe(true);
  });

  it('is decided by those it is put to', async () => {
    await using lead = await tokenClient({ label: 'lead', groups: ['leads'] });
    await using other = await tokenClient({ label: 'other', groups: ['interns'] });
    const path = await emptyFile();
    const answer = await gate.call(pid, 'filesystem.move', { source: path, destination: `${path}.moved` });
    const approval_id = answer.approval_id ?? '';
    await expect(other.call('approval.approve', { approval_id })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await lead.call('approval.approve', { approval_id })).toMatchObject({ state: 'approved' });
    expect(await resultOf(answer)).toMatchObject({ state: 'done' });
  });

  it('is never decided, nor seen, by a process', async () => {
    const path = await emptyFile();
    const asked = await ask(path);
    const { approval_id } = asked;
    await using agent = await tokenClient({ pid });
    for (const operation of ['approval.approve', 'approval.reject', 'approval.cancel', 'approval.get'] as const)
      await expect(agent.call(operation, { approval_id })).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(agent.call('approval.list', {})).rejects.toMatchObject({ code: 'permission_denied' });
    // It may ask how its own call is getting on, and nobody else's.
    expect(await agent.call('call.result', { pid, call_id: asked.call_id })).toMatchObject({ state: 'pending' });
    const stranger = await gate.startAgent('stranger');
    await using other = await tokenClient({ pid: stranger });
    await expect(other.call('call.result', { pid: stranger, call_id: asked.call_id })).rejects.toMatchObject({ code: 'not_found' });
    await expect(other.call('call.result', { pid, call_id: asked.call_id })).rejects.toMatchObject({ code: 'permission_denied' });
    await gate.client.call('approval.cancel', { approval_id });
    expect(linesOf(path)).toEqual([]);
  });

  it('outlives the daemon: it can be approved after a kill, and is carried out once', async () => {
    const path = await emptyFile();
    const asked = await ask(path);
    await gate.killAndStart(LISTEN);
    expect(linesOf(path)).toEqual([]);
    const approved = await gate.warren(['approvals', 'approve', asked.approval_id]);
    expect(approved).toMatchObject({ code: 0, stdout: `${asked.approval_id} is approved.\n` });
    expect(await resultOf(asked)).toMatchObject({ state: 'done' });
    // Again killed, after it was done: nothing is done twice.
    await gate.killAndStart(LISTEN);
    expect(await resultOf(asked)).toMatchObject({ state: 'done' });
    expect(linesOf(path)).toEqual(['line']);
    expect((await gate.warren(['approvals', 'approve', asked.approval_id])).stderr).toContain('it is approved already');
  });
});

/** Resolves with its id, also when it is only asked later. */
async function firstQuestion(): Promise<string> {
  const signal = AbortSignal.timeout(WAIT_MS);
  for (;;) {
    const { next_event_id } = await gate.client.call('event.extent', {});
    const { approvals } = await gate.client.call('approval.list', { state: 'pending' });
    if (approvals[0] !== undefined) return approvals[0].approval_id;
    for await (const _ of gate.client.events({ after: next_event_id - 1, kind: 'kernel.approval.requested' }, { signal })) break;
  }
}

describe('warren approvals watch', () => {
  beforeEach(({ skip }) => skip(!hasPython, 'python3 is not installed: nobody can play the terminal'));

  const watch = async (steps: readonly TerminalStep[]): Promise<TerminalOutcome> =>
    await atTerminal({ argv: [...SHIPPED, 'approvals', 'watch'], cwd: gate.user.home, env: gate.user.env(), steps });
  const fine = { restored: true, failedStep: null, timedOut: false, code: 0 };

  it('asks at the terminal about what waits, and takes no arrow for a yes', async () => {
    await using mine = await GateDaemon.start();
    await mine.setPolicy(POLICY);
    const agent = await mine.startAgent('builder');
    const asked = await Promise.all(
      ['one', 'two', 'three'].map(
        async (path) => await mine.call(agent, 'filesystem.append', { path, content: 'x' }, { on_ask: 'return' }),
      ),
    );
    const outcome = await atTerminal({
      argv: [...SHIPPED, 'approvals', 'watch'],
      ...{ cwd: mine.user.home, env: mine.user.env() },
      steps: [
        { expect: 'uit\\?', send: '\u001b[A' },
        { send: 's' },
        { expect: 'skipped(?:.|\n)*uit\\?', send: 'a' },
        { expect: '(approved|done)(?:.|\n)*uit\\?', send: 'r' },
        { expect: 'rejected', send: 'q' },
      ],
    });
    expect(outcome).toMatchObject(fine);
    const states = await Promise.all(
      asked.map(async ({ approval_id }) => (await mine.client.call('approval.get', { approval_id: approval_id ?? '' })).state),
    );
    expect(states.toSorted()).toEqual(['approved', 'pending', 'rejected']);
  });

  it('ends at q and at Ctrl-C also while nothing is asked', async () => {
    for (const send of ['q', '\u0003']) expect(await watch([{ expect: 'q ends', send }])).toMatchObject(fine);
  });
});
