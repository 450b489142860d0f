/**
 * Every operation, as every kind of caller, both ways in. `who-may-call.json` says of each operation whom it answers; everybody else is refused. An
 * operation that is added has no line there and fails until somebody says whom it is for: `UPDATE_PINS=1` writes what is so now, to be looked at.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject, parseWorkspaceId } from '@warren/protocol';
import { OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apiAskOf, minimalParams } from '../test-support/minimal-params.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const PIN = new URL('./who-may-call.json', import.meta.url);
const IS_UPDATED = process.env['UPDATE_PINS'] === '1';
const PINNED = JSON.parse(readFileSync(PIN, 'utf8')) as Readonly<Record<string, string>>; // Looked at by the tests.
const NAMES = Object.keys(OPERATIONS) as OperationName[]; // Object.keys forgets them.
const FOREIGN = parseWorkspaceId('elsewhere');

/** Whom an operation may answer. */
const CALLERS = ['process', 'process of an agent', 'agent', 'viewer', 'approver', 'admin', 'operator'] as const;
/** Whom none answers, and what it says. */
const STRANGERS = {
  ...{ nobody: 'unauthenticated', expired: 'unauthenticated', revoked: 'unauthenticated', 'of a process that ended': 'unauthenticated' },
  'admin of another workspace': 'permission_denied',
} as const;

type Token = { readonly token: string | undefined; readonly pid: number };
type Way = 'rpc' | 'api';

let on: TestGateway;
let now = Date.now();
const found: Record<string, string> = {};

beforeAll(async () => {
  on = await openTestGateway({ hasPlatform: true, kernel: { clock: { now: () => now } } });
  await on.call('workspace.create', { workspace: FOREIGN });
  await on.kernel.workspace(DEFAULT_WORKSPACE).agents.create('coder');
});

afterAll(async () => {
  await on[Symbol.asyncDispose]();
  if (IS_UPDATED) writeFileSync(PIN, `${JSON.stringify(found, null, 2)}\n`);
});

const member = (role: 'viewer' | 'approver' | 'admin', workspace = DEFAULT_WORKSPACE): Principal => ({ kind: 'member', workspace, role });

/** New ones, since a call may end a process or a token. */
async function tokens(): Promise<Readonly<Record<string, Token>>> {
  const { processes } = on.kernel.workspace(DEFAULT_WORKSPACE);
  const processOf = async (agent?: string): Promise<number> => (await processes.create({ name: 'p', template: 't', agent })).pid;
  const [subject, own, ofAgent, ended] = [await processOf(), await processOf(), await processOf('coder'), await processOf()];
  const process = async (pid: number): Promise<string> => await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
  const good = async (principal: Principal): Promise<Token> => ({ token: await on.tokenFor(principal), pid: subject });
  const expired = await on.kernel.tokens.create({ kind: 'operator' }, { expiresAt: now + 1 });
  const revoked = await on.kernel.tokens.create({ kind: 'operator' });
  await on.kernel.tokens.revoke(revoked.record.id);
  const tokenOfEnded = await process(ended);
  await processes.end(ended, 'completed');
  now += 10;
  return {
    nobody: { token: undefined, pid: subject },
    expired: { token: expired.token, pid: subject },
    revoked: { token: revoked.token, pid: subject },
    'of a process that ended': { token: tokenOfEnded, pid: ended },
    'admin of another workspace': await good(member('admin', FOREIGN)),
    viewer: await good(member('viewer')),
    approver: await good(member('approver')),
    admin: await good(member('admin')),
    operator: await good({ kind: 'operator' }),
    agent: { token: await on.tokenFor({ kind: 'agent', workspace: DEFAULT_WORKSPACE, agent: 'coder' }), pid: ofAgent },
    'process of an agent': { token: await process(ofAgent), pid: ofAgent },
    process: { token: await process(own), pid: own },
  };
}

/** For whom it is asked: what a process may do to those below it only, it asks for one of them. */
async function subjectOf(name: OperationName, pid: number): Promise<JsonObject> {
  const { scope } = OPERATIONS[name];
  const key = scope.kind === 'process' ? scope.pid : 'pid';
  const isBelow = scope.kind === 'process' && scope.tree === 'below';
  const { processes } = on.kernel.workspace(DEFAULT_WORKSPACE);
  const child = isBelow && !(await processes.get(pid)).state.startsWith('DEAD');
  const subject = child ? (await processes.create({ name: 'c', template: 't', parentPid: pid })).pid : pid;
  return {
    pid: subject,
    [key]: subject,
    recipient_pid: pid,
    path: `${on.directory}/x`,
    capability: 'system.echo',
    account: { kind: 'agent', agent: 'x' },
  };
}

async function ask(name: OperationName, { token, pid }: Token, way: Way): Promise<string> {
  const params = minimalParams(name, await subjectOf(name, pid));
  const { method, path, body } =
    way === 'api'
      ? apiAskOf(name, params)
      : { method: 'POST', path: '/rpc', body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: name, params }) };
  const headers = {
    ...{ 'content-type': 'application/json', 'warren-workspace': DEFAULT_WORKSPACE },
    ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const { text, status } = await on.send({ port: on.port, method, path, headers }, body);
  const answer = JSON.parse(text);
  if (way === 'rpc') return answer.error === undefined ? 'answered' : answer.error.data.fault;
  expect(status < 400).toBe(answer.code === undefined || !('detail' in answer));
  return status < 400 ? 'answered' : answer.code;
}

const REFUSED = new Set(['unauthenticated', 'permission_denied']);

it.each(NAMES)('%s answers whom it is for, and nobody else', async (name) => {
  const answered = { rpc: [] as string[], api: [] as string[] };
  for (const way of ['rpc', 'api'] as const) {
    const callers = await tokens();
    for (const [who, token] of Object.entries(callers)) {
      const said = await ask(name, token, way);
      const isStranger = Object.hasOwn(STRANGERS, who);
      if (isStranger)
        expect([who, way, said]).toEqual([who, way, STRANGERS[who as keyof typeof STRANGERS]]); // It is one of them.
      else expect([who, way, said]).not.toEqual([who, way, 'internal']);
      if (!REFUSED.has(said)) answered[way].push(who);
    }
  }
  const words = CALLERS.filter((who) => answered.rpc.includes(who)).join(', ');
  expect(answered.api).toEqual(answered.rpc);
  found[name] = words;
  if (!IS_UPDATED) expect(PINNED[name]).toBe(words);
});

it('says nothing of operations there are not', () => {
  if (!IS_UPDATED) expect(Object.keys(PINNED)).toEqual(NAMES);
});
