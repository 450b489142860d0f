import { describe, expect, it } from 'vitest';
import { isFault } from '../fault.ts';
import type { OperationName } from './operations.ts';
import { parseParams } from './parse-params.ts';

/** What it says instead of parsing. */
function refusal(name: OperationName, params: unknown): unknown {
  try {
    return { parsed: parseParams(name, params) };
  } catch (error) {
    if (!isFault(error, 'invalid_argument')) throw error;
    return [error.message, error.details];
  }
}

describe('parseParams', () => {
  it('fills in what is left out, and takes null for left out', () => {
    const complete = { pid: 1, priority: 0, runnable_at: 0, deadline: undefined, trigger: 'manual', payload: {} };
    expect(parseParams('kernel.sched.enqueue', { pid: 1 })).toEqual(complete);
    expect(
      parseParams('kernel.sched.enqueue', { pid: 1, priority: null, runnable_at: null, deadline: null, trigger: null, payload: null }),
    ).toEqual(complete);
  });

  it.each([undefined, null, {}])('takes %j for no parameters', (params) => {
    expect(parseParams('kernel.info', params)).toEqual({});
    expect(parseParams('kernel.agent.list', params)).toMatchObject({ limit: 100, offset: 0 });
  });

  it.each([
    ['kernel.agent.list', { limit: 0, offset: -1 }, { limit: 1, offset: 0 }],
    ['kernel.agent.list', { limit: 'x', offset: 'x' }, { limit: 100, offset: 0 }],
    ['kernel.agent.list', { limit: 99_999 }, { limit: 10_000 }],
    [
      'kernel.sched.enqueue',
      { pid: 1, priority: '5', runnable_at: '1.5', deadline: '2e3' },
      { priority: 5, runnable_at: 1.5, deadline: 2000 },
    ],
    ['kernel.sched.claim', { worker_id: 'w' }, { max_n: 1, admission_check: true, starts_process: false }],
    ['kernel.sched.claim', { worker_id: 'w', max_n: '5000' }, { max_n: 1000 }],
    ['kernel.sched.claim', { worker_id: 'w', max_n: 0 }, { max_n: 0 }], // For the kernel to refuse.
    ['kernel.mbox.create', { pid: 1 }, { queue_size: 1024, retention_s: 3600 }],
    ['kernel.mbox.create', { pid: 1, queue_size: '2', retention_s: '0' }, { queue_size: 2, retention_s: 0 }],
    ['kernel.mbox.recv', { pid: 1 }, { since_msg_id: 0, limit: 100, mark_delivered: true }],
    ['kernel.mbox.send', { sender_pid: null, recipient_pid: 2, kind: 'k' }, { payload: {} }],
    ['kernel.events.tail', {}, { since_event_id: 0, limit: 100 }],
    ['kernel.cap.create', { pid: 1 }, { sub_agent: false }],
    ['kernel.ledger.create', { pid: 1, grants: { tokens: 1 } }, { warn_at: 0.8 }],
    ['kernel.fs.write', { pid: 1, path: '/a', content: '' }, { mode: 'rw', if_absent: false }],
    ['kernel.observe.trace', { event_id: 1 }, { depth: 10 }],
    ['kernel.observe.trace', { event_id: 1, depth: 0 }, { depth: 10 }],
    ['kernel.observe.trace', { event_id: 1, depth: 1000 }, { depth: 100 }],
  ] as const)('takes %s %j for %j', (name, params, parsed) => {
    expect(parseParams(name, params)).toMatchObject(parsed);
  });

  it('leaves to the kernel what only the kernel knows', () => {
    expect(parseParams('kernel.agent.create', { name: '', template: '' })).toMatchObject({ name: '' });
    expect(parseParams('kernel.events.append', { pid: -5, kind: 'kernel.x', payload: {} })).toMatchObject({ pid: -5 });
    expect(parseParams('kernel.ledger.create', { pid: 1, grants: { tokens: 0 }, warn_at: 1.5 })).toMatchObject({ warn_at: 1.5 });
    expect(parseParams('kernel.fs.stat', { path: '/../x\u0000' })).toMatchObject({ path: '/../x\u0000' });
    expect(parseParams('kernel.registry.register', { name: 'x', pid: 1, tags: new Array(40).fill('t') })).toHaveProperty('tags.length', 40);
  });

  it('leaves out what it does not know of the parameters of kernel.*', () => {
    expect(parseParams('kernel.agent.get', JSON.parse('{"pid": 1, "newer": {"a": 1}, "__proto__": {"pid": 2}}'))).toEqual({ pid: 1 });
    expect(refusal('kernel.agent.get', JSON.parse('{"__proto__": {"pid": 2}}'))).toEqual([
      'Cannot call kernel.agent.get: "pid" is missing',
      { field: 'pid' },
    ]);
  });

  it.each([
    ['token.create', { rol: 'viewer' }, '"rol" is no parameter of it, did you mean "role"', 'rol'],
    ['token.create', { Role: 'viewer' }, '"Role" is no parameter of it, did you mean "role"', 'Role'],
    [
      'token.create',
      { principal: { kind: 'member', role: 'viewer' } },
      '"principal" is no parameter of it: it takes pid, agent, role, workspace, label, owner, groups, expires_at',
      'principal',
    ],
    ['token.create', { rol: null }, '"rol" is no parameter of it, did you mean "role"', 'rol'],
    ['person.create', { name: 'ada', rolle: 'viewer' }, '"rolle" is no parameter of it, did you mean "role"', 'rolle'],
    ['workspace.create', { workspace: 'a', settings: { wieght: 1 } }, '"settings.wieght" is no parameter of it', 'settings.wieght'],
    [
      'agent.create',
      { agent: 'a', fs_grants: [{ prefix: '/a', mode: 'r', until: 7 }] },
      '"fs_grants.0.until" is no parameter of it',
      'fs_grants.0.until',
    ],
    [
      'ledger.account.update_grant',
      { account: { kind: 'agent', agent: 'a', pid: 1 }, dim: 'd', new_grant: 1 },
      '"account.pid" is no parameter of it',
      'account.pid',
    ],
    ['capability.reload', { all: true }, '"all" is no parameter of it', 'all'],
  ] as const)('refuses what %s does not know: %j', (name, params, problem, field) => {
    expect(refusal(name, params)).toEqual([`Cannot call ${name}: ${problem}`, { field }]);
  });

  it.each([
    ['kernel.agent.get', {}, '"pid" is missing', 'pid'],
    ['kernel.agent.get', { pid: null }, '"pid" is null, expected a number', 'pid'],
    ['kernel.agent.get', { pid: true }, '"pid" is a boolean, expected a number', 'pid'],
    ['kernel.agent.get', { pid: '5' }, '"pid" is text, expected a number', 'pid'],
    ['kernel.agent.get', { pid: 1.5 }, '"pid" is a number, expected a whole number', 'pid'],
    ['kernel.agent.get', { pid: 2 ** 53 }, '"pid" is larger than 9007199254740991', 'pid'],
    ['kernel.agent.create', { template: 't' }, '"name" is missing', 'name'],
    ['kernel.agent.create', { name: 'n', template: 5 }, '"template" is a number, expected text', 'template'],
    ['kernel.agent.create', { name: 'n', template: 't', metadata: [] }, '"metadata" is not an object', 'metadata'],
    ['kernel.agent.list', { state: 'ready' }, '"state" is none of READY, RUNNING, WAITING, SUSPENDED, DEAD', 'state'],
    ['kernel.agent.terminate', { pid: 1 }, '"exit_kind" is missing', 'exit_kind'],
    ['kernel.cap.create', { pid: 1, tool_grants: 'a' }, '"tool_grants" is text, expected a list', 'tool_grants'],
    ['kernel.cap.create', { pid: 1, fs_grants: [{ prefix: '/a', mode: 'w' }] }, '"fs_grants.0.mode" is none of r, rw', 'fs_grants.0.mode'],
    ['kernel.ledger.charge', { pid: 1, dim: 'tokens', amount: true }, '"amount" is a boolean, expected a number', 'amount'],
    ['kernel.sched.enqueue', { pid: 1, priority: 'high' }, '"priority" is not a whole number', 'priority'],
    ['kernel.sched.enqueue', { pid: 1, priority: true }, '"priority" is not a whole number', 'priority'],
    ['kernel.sched.enqueue', { pid: 1, deadline: 'soon' }, '"deadline" is not a number of seconds', 'deadline'],
    ['kernel.fs.write', { pid: 1, path: '/a', content: '!' }, '"content" is not base 64', 'content'],
    ['kernel.api.list_methods', { tier: 'gold' }, '"tier" is none of stable, experimental, deprecated', 'tier'],
    [
      'kernel.events.append',
      { pid: 1, kind: 'k', payload: { a: Number.NaN } },
      '"payload" has a number that JSON does not have',
      'payload',
    ],
    [
      'ledger.account.create',
      { account: { kind: 'workspace' }, grants: {} },
      '"account.kind" is none of the kinds there are',
      'account.kind',
    ],
    ['queue.claim', { worker_id: 'w', wait_ms: 60_001 }, '"wait_ms" is larger than 60000', 'wait_ms'],
  ] as const)('refuses %s %j', (name, params, problem, field) => {
    expect(refusal(name, params)).toEqual([`Cannot call ${name}: ${problem}`, { field }]);
  });

  it('says which bound was exceeded', () => {
    expect(refusal('kernel.agent.create', { name: 'x'.repeat(4_097), template: 't' })).toEqual([
      'Cannot call kernel.agent.create: "name" has a number of characters larger than 4096',
      { field: 'name' },
    ]);
    expect(refusal('kernel.cap.create', { pid: 1, tool_grants: new Array(1_001).fill('a') })).toEqual([
      'Cannot call kernel.cap.create: "tool_grants" has a number of items larger than 1000',
      { field: 'tool_grants' },
    ]);
  });

  it.each([
    [[1], 'a list'],
    ['pid', 'text'],
    [5, 'a number'],
    [true, 'a boolean'],
  ])('refuses %j as the parameters', (params, kind) => {
    expect(refusal('kernel.agent.get', params)).toEqual([
      `Cannot call kernel.agent.get: what is given as its parameters is ${kind}, expected an object`,
      undefined,
    ]);
  });

  it('repeats nothing of what was given, and of a key no more than fits', () => {
    const secret = 'hunter2';
    expect(JSON.stringify(refusal('kernel.agent.get', { pid: secret }))).not.toContain(secret);
    const [message] = refusal('kernel.ledger.create', { pid: 1, grants: { ['k'.repeat(1_000_000)]: 1 } }) as [string]; // It is refused, as all of these.
    expect(message.length).toBeLessThan(300);
  });
});
