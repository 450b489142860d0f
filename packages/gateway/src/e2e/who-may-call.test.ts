/**
 * Every operation, as every kind of caller, both ways in. `who-may-call.json` says of each operation whom it answers; everybody else is refused. An
 * operation that is added has no line there and fails until somebody says whom it is for: `UPDATE_PINS=1` writes what is so now, to be looked at.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isForeign, isUnknown, KNOWN, makeCallers, openForCallers, type TestCaller } from '../test-support/make-callers.ts';
import { apiAskOf, minimalParams } from '../test-support/minimal-params.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const PIN = new URL('./who-may-call.json', import.meta.url);
const IS_UPDATED = process.env['UPDATE_PINS'] === '1';
const PINNED = JSON.parse(readFileSync(PIN, 'utf8')) as Readonly<Record<string, string>>; // Looked at by the tests.
const NAMES = Object.keys(OPERATIONS) as OperationName[]; // Object.keys forgets them.

type Way = 'rpc' | 'api';

let on: TestGateway;
const clock = { at: Date.now() };
const found: Record<string, string> = {};

beforeAll(async () => {
  on = await openTestGateway({ hasPlatform: true, limits: { loginDelayMs: 0 }, kernel: { clock: { now: () => clock.at } } });
  await openForCallers(on);
});

afterAll(async () => {
  await on[Symbol.asyncDispose]();
  if (IS_UPDATED) writeFileSync(PIN, `${JSON.stringify(found, null, 2)}\n`);
});

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

async function ask(name: OperationName, { token, pid }: TestCaller, way: Way): Promise<string> {
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
    const callers = await makeCallers(on, clock);
    for (const [who, caller] of Object.entries(callers)) {
      const said = await ask(name, caller, way);
      if (isUnknown(who)) expect([who, way, said]).toEqual([who, way, 'unauthenticated']);
      else if (isForeign(who)) expect([who, way, said]).toEqual([who, way, 'permission_denied']);
      else expect([who, way, said]).not.toEqual([who, way, 'internal']);
      if (!REFUSED.has(said)) answered[way].push(who);
    }
  }
  const words = KNOWN.filter((who) => answered.rpc.includes(who)).join(', ');
  expect(answered.api).toEqual(answered.rpc);
  found[name] = words;
  if (!IS_UPDATED) expect(PINNED[name]).toBe(words);
});

it('says nothing of operations there are not', () => {
  if (!IS_UPDATED) expect(Object.keys(PINNED)).toEqual(NAMES);
});
