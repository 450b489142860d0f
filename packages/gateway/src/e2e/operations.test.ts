import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { isOperationName, OPERATIONS, type OperationName, type ParamsInput, type Result, verifyContract } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

/** Every operation is called over the unix socket by something below; the last test says so. */
const called = new Set<string>();

type As = { readonly token?: string; readonly workspace?: string };

/** The result, which must be exactly of its schema: nothing missing, nothing more. */
async function ok<Name extends OperationName>(on: TestGateway, name: Name, params: ParamsInput<Name>, as?: As): Promise<Result<Name>> {
  called.add(name);
  const { result, error } = await on.call(name, params, as);
  expect(error).toBeUndefined();
  expect(OPERATIONS[name].result.parse(result)).toEqual(result);
  return result as Result<Name>; // It was just parsed as one.
}

/** What any operation may answer, whatever its definition says. */
const ALWAYS_POSSIBLE = ['invalid_argument', 'unauthenticated', 'permission_denied', 'rate_limited', 'aborted', 'internal'];

async function fails(
  on: TestGateway,
  name: OperationName,
  params: object,
  as?: As,
): Promise<{ code: number; data: Record<string, unknown> }> {
  called.add(name);
  const { error } = await on.call(name, params, as);
  if (error === undefined) throw new Error(`${name} did not fail`);
  expect([...OPERATIONS[name].faults, ...ALWAYS_POSSIBLE]).toContain(error.data?.['fault']);
  return { code: error.code, data: { ...error.data } };
}

const create = async (on: TestGateway, more: Partial<ParamsInput<'kernel.agent.create'>> = {}): Promise<number> =>
  (await ok(on, 'kernel.agent.create', { name: 'a', template: 't', ...more })).pid;

describe('processes and events', () => {
  it('live as their states allow, and leave events', async () => {
    await using on = await openTestGateway();
    const pid = await create(on, { metadata: { a: 1 }, agent: 'writer' });
    expect(await ok(on, 'kernel.agent.get', { pid })).toMatchObject({
      pid,
      state: 'READY',
      agent: 'writer',
      metadata: { a: 1 },
      started_at: null,
    });
    expect(await ok(on, 'kernel.agent.transition', { pid, target_state: 'RUNNING', reason: 'go' })).toMatchObject({
      pid,
      prev_state: 'READY',
      state: 'RUNNING',
    });
    expect(await fails(on, 'kernel.agent.transition', { pid, target_state: 'READY' })).toEqual({
      code: -32103,
      data: { fault: 'illegal_transition', pid, prev_state: 'RUNNING', target_state: 'READY' },
    });
    const child = await create(on, { parent_pid: pid, on_parent_end: 'detach' });
    expect((await ok(on, 'kernel.agent.list', { parent_pid: pid })).agents.map((agent) => agent.pid)).toEqual([child]);
    expect((await ok(on, 'process.tree', { pid })).processes.map((process) => process.pid)).toEqual([pid, child]);
    expect(await ok(on, 'process.signal', { pid, signal: 'stop' })).toMatchObject({ state: 'SUSPENDED' });
    const { event_id } = await ok(on, 'kernel.events.append', { pid, kind: 'note', payload: { text: 'hi' }, correlation_id: 'c' });
    const tail = await ok(on, 'kernel.events.tail', { pid, kind: 'note' });
    expect(tail).toMatchObject({
      events: [{ event_id, pid, kind: 'note', payload: { text: 'hi' }, correlation_id: 'c' }],
      next_cursor: event_id,
    });
    expect((await ok(on, 'event.newest', { limit: 1 })).events).toMatchObject([{ event_id }]);
    expect(await ok(on, 'event.extent', {})).toEqual({ first_event_id: 1, next_event_id: event_id + 1, count: event_id });
    expect(await ok(on, 'kernel.observe.trace', { event_id, depth: 5 })).toMatchObject({ depth: 5, truncated: false });
    expect(await ok(on, 'kernel.agent.terminate', { pid, exit_kind: 'failed', exit_detail: { err: 'oom' } })).toMatchObject({
      prev_state: 'SUSPENDED',
      state: 'DEAD',
    });
    expect(await ok(on, 'kernel.agent.get', { pid })).toMatchObject({ exit_kind: 'failed', exit_detail: { err: 'oom' } });
    expect(await ok(on, 'kernel.info', {})).toMatchObject({ next_pid: 3, agent_count: 2, live_states: { READY: 1, RUNNING: 0 } });
    expect(await fails(on, 'kernel.agent.get', { pid: 99 })).toEqual({ code: -32102, data: { fault: 'unknown_pid', pid: 99 } });
  });

  it('have times in seconds', async () => {
    await using on = await openTestGateway();
    const before = Date.now() / 1_000;
    const { created_at } = await ok(on, 'kernel.agent.get', { pid: await create(on) });
    expect(created_at).toBeGreaterThanOrEqual(Math.floor(before * 1_000) / 1_000);
    expect(created_at).toBeLessThanOrEqual(Date.now() / 1_000);
  });
});

describe('grants', () => {
  it('are given, derived, asked for, narrowed and revoked', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const grants = {
      tool_grants: ['b', 'a'],
      fs_grants: [{ prefix: '/data', mode: 'rw' as const }],
      net_grants: ['*.example.com'],
      model_grants: ['m'],
      sub_agent: true,
    };
    const { cap_id } = await ok(on, 'kernel.cap.create', { pid, ...grants });
    expect(await ok(on, 'kernel.cap.get', { pid })).toMatchObject({
      cap_id,
      parent_cap_id: null,
      tool_grants: ['a', 'b'],
      sub_agent: true,
    });
    const child = await create(on, { parent_pid: pid });
    const derived = await ok(on, 'kernel.cap.derive', { parent_pid: pid, child_pid: child, tool_grants: ['a'] });
    expect(derived).toMatchObject({ pid: child, parent_cap_id: cap_id });
    expect(await ok(on, 'kernel.cap.check_tool', { pid: child, tool: 'b' })).toEqual({ allowed: false });
    expect(await ok(on, 'kernel.cap.check_model', { pid, model: 'm' })).toEqual({ allowed: true });
    expect(await ok(on, 'kernel.cap.check_net', { pid, host: 'api.example.com', port: 443 })).toEqual({ allowed: true });
    expect(await ok(on, 'kernel.cap.check_fs', { pid, path: '/data/../etc/passwd', mode: 'r' })).toEqual({ allowed: false });
    const narrowed = await ok(on, 'grant.narrow', { pid, ...grants, tool_grants: ['b'] });
    expect(narrowed).toMatchObject({ grant: { tool_grants: ['b'] }, narrowed: [pid, child] });
    expect((await ok(on, 'grant.revoke', { pid })).revoked).toContain(pid);
    expect(await fails(on, 'kernel.cap.create', { pid, ...grants })).toMatchObject({ code: -32112, data: { fault: 'grant_exists', pid } });
  });
});

describe('ledgers', () => {
  it('of a process are charged, checked, breached, refunded and raised', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    expect(await ok(on, 'kernel.ledger.create', { pid, grants: { tokens: 1_000 }, on_breach: 'deny' })).toEqual({ pid, dims: ['tokens'] });
    expect(await ok(on, 'kernel.ledger.charge', { pid, dim: 'tokens', amount: 900 })).toMatchObject({
      used: 900,
      warned: true,
      over_limit: false,
    });
    expect(await ok(on, 'kernel.ledger.check', { pid, dim: 'tokens', amount: 200 })).toMatchObject({
      would_use: 1_100,
      would_exceed: true,
    });
    expect(await ok(on, 'kernel.ledger.charge', { pid, dim: 'tokens', amount: 200 })).toMatchObject({
      over_limit: true,
      first_breach: true,
    });
    expect((await ok(on, 'kernel.ledger.list_breached', {})).entries).toMatchObject([
      { pid, dim: 'tokens', used: 1_100, hard_limit: 1_000 },
    ]);
    expect(await ok(on, 'kernel.ledger.refund', { pid, dim: 'tokens', amount: 100 })).toMatchObject({ used: 1_000 });
    expect(await ok(on, 'kernel.ledger.update_grant', { pid, dim: 'tokens', new_grant: 2_000 })).toMatchObject({
      granted: 2_000,
      used: 1_000,
    });
    expect((await ok(on, 'kernel.ledger.get', { pid })).entries).toMatchObject([{ dim: 'tokens', warn_at: 0.8, on_breach: 'deny' }]);
    const reserved = await ok(on, 'ledger.reserve', { pid, amounts: { tokens: 500 } });
    if (reserved.kind !== 'reserved') throw new Error('denied');
    expect(await ok(on, 'ledger.reserve', { pid, amounts: { tokens: 600 } })).toMatchObject({
      kind: 'denied',
      dim: 'tokens',
      reserved: 500,
    });
    const settle = { reservation_id: reserved.reservation_id, used: { tokens: 10 } };
    expect([await ok(on, 'ledger.settle', settle), await ok(on, 'ledger.settle', settle)]).toEqual([{ settled: true }, { settled: false }]);
    expect(await fails(on, 'kernel.ledger.refund', { pid, dim: 'tokens', amount: 5_000 })).toMatchObject({
      code: -32124,
      data: { fault: 'ledger_refund_invalid', pid, dim: 'tokens' },
    });
  });

  it('of agents and workspaces are kept beside them', async () => {
    await using on = await openTestGateway();
    const account = { kind: 'agent', agent: 'writer' } as const;
    expect((await ok(on, 'ledger.account.create', { account, grants: { tokens: 10 } })).entries).toMatchObject([{ account, granted: 10 }]);
    expect(await ok(on, 'ledger.account.update_grant', { account, dim: 'tokens', new_grant: 20 })).toMatchObject({ granted: 20 });
    expect((await ok(on, 'ledger.workspace.create', { grants: { tokens: 1 } })).entries).toMatchObject([
      { account: { kind: 'workspace' } },
    ]);
    expect(await ok(on, 'ledger.workspace.update_grant', { dim: 'tokens', new_grant: 5 })).toMatchObject({ granted: 5 });
    const pid = await create(on, { agent: 'writer' });
    await ok(on, 'kernel.ledger.create', { pid, grants: { tokens: 100 } });
    await ok(on, 'kernel.ledger.charge', { pid, dim: 'tokens', amount: 8 });
    expect((await ok(on, 'ledger.account.list', { account })).entries).toMatchObject([{ used: 8 }]);
    expect((await ok(on, 'ledger.account.list_breached', {})).entries).toMatchObject([{ account: { kind: 'workspace' }, used: 8 }]);
    expect(await ok(on, 'ledger.account.refund', { account, dim: 'tokens', amount: 8 })).toMatchObject({ used: 0 });
    expect(await ok(on, 'ledger.workspace.refund', { dim: 'tokens', amount: 8 })).toMatchObject({ used: 0 });
  });
});

describe('the queue', () => {
  it('as an earlier system had it', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const { sched_id } = await ok(on, 'kernel.sched.enqueue', { pid, priority: '5', payload: { a: 1 } });
    expect(await ok(on, 'kernel.sched.get', { sched_id })).toMatchObject({
      pid,
      priority: 5,
      state: 'queued',
      trigger: 'manual',
      deadline: null,
    });
    const { entries } = await ok(on, 'kernel.sched.claim', { worker_id: 'w', lease_s: 60 });
    expect(entries).toMatchObject([{ sched_id, state: 'dispatched', worker_id: 'w', payload: { a: 1 } }]);
    expect(await ok(on, 'kernel.sched.complete', { sched_id, exit_kind: 'completed' })).toEqual({
      sched_id,
      prev_state: 'dispatched',
      state: 'completed',
    });
    const later = await ok(on, 'kernel.sched.enqueue', { pid });
    expect(await ok(on, 'kernel.sched.cancel', later)).toMatchObject({ prev_state: 'queued', state: 'cancelled' });
    expect(await fails(on, 'kernel.sched.complete', { ...later, exit_kind: 'completed' })).toMatchObject({
      code: -32131,
      data: { fault: 'queue_illegal_transition', prev_state: 'cancelled', op: 'complete' },
    });
    expect(await ok(on, 'kernel.sched.list', { state: 'cancelled' })).toMatchObject({ entries: [later], total: 1 });
    expect(await ok(on, 'kernel.sched.gc_expired', {})).toEqual({ swept: 0 });
  });

  it('as workers of Warren use it', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const { sched_id } = await ok(on, 'queue.enqueue', { pid, attempts_max: 2, backoff_ms: 0, dedupe_key: 'k' });
    expect(await ok(on, 'queue.enqueue', { pid, dedupe_key: 'k' })).toMatchObject({ sched_id });
    const claim = async () => (await ok(on, 'queue.claim', { worker_id: 'w', lease_ms: 60_000 })).claims[0];
    const first = await claim();
    expect(first).toMatchObject({ workspace: 'default', entry: { sched_id, attempts: 1 } });
    const held = { sched_id, fence: first?.fence ?? 0 };
    expect(await ok(on, 'queue.heartbeat', { ...held, lease_ms: 90_000 })).toMatchObject({ pending_signal: null });
    expect(await ok(on, 'queue.release', held)).toMatchObject({ state: 'queued', attempts: 0 });
    for (let attempt = 1; attempt <= 2; attempt++) {
      const again = await claim();
      expect(again?.fence).toBeGreaterThan(held.fence);
      await ok(on, 'queue.fail', { sched_id, fence: again?.fence ?? 0, error: 'broken' });
      await on.kernel.scheduler.tick();
    }
    expect(await ok(on, 'kernel.sched.get', { sched_id })).toMatchObject({ state: 'dead', error: 'broken' });
    expect(await ok(on, 'queue.retry', { sched_id })).toMatchObject({ state: 'queued', attempts: 0 });
    const last = await claim();
    const done = { sched_id, fence: last?.fence ?? 0, exit_kind: 'completed', detail: { ok: true } } as const;
    expect(await fails(on, 'queue.complete', { ...done, fence: held.fence })).toMatchObject({
      code: -32017,
      data: { fault: 'lease_lost' },
    });
    expect(await ok(on, 'queue.complete', done)).toMatchObject({ state: 'completed', exit_kind: 'completed' });
  });
});

describe('claiming', () => {
  it('as a member takes work of its own workspace only, and as an operator of all', async () => {
    await using on = await openTestGateway();
    await ok(on, 'workspace.create', { workspace: 'acme' });
    const member = await ok(on, 'token.create', { workspace: 'acme' });
    const enqueueIn = async (workspace: string): Promise<void> => {
      const { pid } = await ok(on, 'kernel.agent.create', { name: 'a', template: 't' }, { workspace });
      await ok(on, 'queue.enqueue', { pid }, { workspace });
    };
    await enqueueIn('default');
    const claim = async (as?: As) =>
      (await ok(on, 'queue.claim', { worker_id: 'w', max_n: 10 }, as)).claims.map(({ workspace }) => workspace).toSorted();
    expect(await claim(member)).toEqual([]);
    await enqueueIn('acme');
    expect(await claim({ workspace: 'acme' })).toEqual(['acme']);
    await enqueueIn('acme');
    expect(await claim()).toEqual(['acme', 'default']);
  });

  it('waits for work in the own workspace, which is heard of at once, and for the time given', async () => {
    await using on = await openTestGateway();
    await ok(on, 'workspace.create', { workspace: 'acme' });
    const member = await ok(on, 'token.create', { workspace: 'acme' });
    expect(await ok(on, 'queue.claim', { worker_id: 'w', wait_ms: 20 }, member)).toEqual({ claims: [] });
    const waiting = [1, 2].map(() => ok(on, 'queue.claim', { worker_id: 'w', wait_ms: 60_000 }, member));
    const pids = [await create(on), await create(on)];
    await ok(on, 'queue.enqueue', { pid: pids[0] ?? 0 });
    for (const workspace of ['acme', 'acme']) {
      const { pid } = await ok(on, 'kernel.agent.create', { name: 'a', template: 't' }, { workspace });
      await ok(on, 'queue.enqueue', { pid, priority: 3 }, { workspace });
    }
    const claims = (await Promise.all(waiting)).flatMap((answer) => answer.claims);
    expect(claims.map(({ workspace, entry }) => [workspace, entry.pid]).toSorted()).toEqual([
      ['acme', 1],
      ['acme', 2],
    ]);
    expect(await ok(on, 'kernel.sched.list', { state: 'queued' })).toMatchObject({ entries: [{ pid: pids[0] }], total: 1 });
  });
});

describe('mail', () => {
  it('as an earlier system had it', async () => {
    await using on = await openTestGateway();
    const [sender_pid, pid] = [await create(on), await create(on)];
    await ok(on, 'kernel.mbox.create', { pid, queue_size: 2, retention_s: 60 });
    expect(await ok(on, 'kernel.mbox.subscribe', { pid, topic: 'news' })).toEqual({ pid, topic: 'news' });
    expect(await ok(on, 'kernel.mbox.list_subscriptions', { pid })).toEqual({ topics: ['news'] });
    const { msg_id } = await ok(on, 'kernel.mbox.send', { sender_pid, recipient_pid: pid, kind: 'hello', payload: { a: 1 } });
    const published = await ok(on, 'kernel.mbox.publish', { topic: 'news', kind: 'extra' });
    expect(published).toMatchObject({ delivered: 1, rejected: 0 });
    expect(await fails(on, 'kernel.mbox.send', { recipient_pid: pid, kind: 'more' })).toMatchObject({
      code: -32143,
      data: { fault: 'mailbox_full', pid, queue_size: 2 },
    });
    const peeked = await ok(on, 'kernel.mbox.peek', { pid });
    expect(peeked.messages).toMatchObject([
      { msg_id, sender_pid, recipient_pid: pid, topic: null, kind: 'hello', payload: { a: 1 }, delivered_at: null },
      { msg_id: published.msg_ids[0], sender_pid: null, topic: 'news' },
    ]);
    expect(await ok(on, 'kernel.mbox.recv', { pid, limit: 1 })).toMatchObject({ messages: [{ msg_id }], next_cursor: msg_id });
    expect(await ok(on, 'kernel.mbox.gc_expired', {})).toEqual({ purged: 0 });
    expect(await ok(on, 'kernel.mbox.unsubscribe', { pid, topic: 'news' })).toEqual({ pid, topic: 'news' });
    expect(await ok(on, 'kernel.mbox.delete', { pid })).toEqual({ pid, removed_messages: 2 });
    expect(await fails(on, 'kernel.mbox.recv', { pid })).toMatchObject({ code: -32141, data: { fault: 'mailbox_not_found', pid } });
  });

  it('that is acknowledged, asked and answered', async () => {
    await using on = await openTestGateway();
    const [asker, answerer] = [await create(on), await create(on)];
    for (const pid of [asker, answerer]) await ok(on, 'kernel.mbox.create', { pid });
    const { msg_id } = await ok(on, 'mail.send', { sender_pid: asker, recipient_pid: answerer, kind: 'a', dedupe_key: 'k', priority: 3 });
    expect(await ok(on, 'mail.send', { sender_pid: asker, recipient_pid: answerer, kind: 'a', dedupe_key: 'k' })).toEqual({ msg_id });
    expect(await ok(on, 'mail.publish', { topic: 'nobody.hears', kind: 'a' })).toEqual({ delivered: 0, rejected: 0, msg_ids: [] });
    expect((await ok(on, 'mail.receive', { pid: answerer, limit: 5 })).messages).toMatchObject([{ msg_id, priority: 3, deliveries: 1 }]);
    expect(await ok(on, 'mail.ack', { pid: answerer, msg_ids: [msg_id, 999] })).toEqual({ acknowledged: 1 });
    const asking = ok(on, 'mail.request', { sender_pid: asker, recipient_pid: answerer, kind: 'question', timeout_ms: 10_000 });
    const [question] = (await ok(on, 'mail.receive', { pid: answerer, wait_ms: 10_000 })).messages;
    if (question === undefined) throw new Error('nobody asked');
    const { sender_pid, correlation_id } = question;
    const message = { msg_id: question.msg_id, sender_pid: sender_pid ?? 0, correlation_id };
    await ok(on, 'mail.reply', { pid: answerer, message, kind: 'answer', payload: { text: 'yes' } });
    expect(await asking).toMatchObject({ kind: 'answer', payload: { text: 'yes' }, correlation_id });
  });
});

describe('names', () => {
  it('are registered, found and taken away', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    expect(await ok(on, 'kernel.registry.register', { name: '/a', pid, tags: ['x'], metadata: { m: 1 } })).toEqual({ name: '/a', pid });
    expect(await ok(on, 'kernel.registry.lookup', { name: '/a' })).toMatchObject({ name: '/a', pid, tags: ['x'], metadata: { m: 1 } });
    expect(await fails(on, 'kernel.registry.register', { name: '/a', pid })).toMatchObject({
      code: -32152,
      data: { fault: 'name_taken', name: '/a' },
    });
    await ok(on, 'kernel.registry.register', { name: '/b', pid });
    expect(await ok(on, 'kernel.registry.list', { prefix: '/', tag: 'x' })).toMatchObject({ entries: [{ name: '/a' }], total: 1 });
    expect(await ok(on, 'kernel.registry.unregister', { name: '/a' })).toEqual({ name: '/a', removed: 1 });
    expect(await ok(on, 'kernel.registry.unregister', { name: '/a' })).toEqual({ name: '/a', removed: 0 });
    expect(await ok(on, 'kernel.registry.unregister_pid', { pid })).toEqual({ pid, removed: 1 });
  });
});

describe('files', () => {
  it('are written, read, listed and deleted', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const bytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, index) => index));
    const file = { path: '/memory/a', content: bytes.toString('base64') };
    expect(await ok(on, 'kernel.fs.write', { pid, ...file })).toEqual({
      path: file.path,
      size: 256,
      owner_pid: pid,
      mode: 'rw',
      version: 1,
    });
    expect(await ok(on, 'kernel.fs.read', { path: file.path })).toMatchObject({ ...file, size: 256 });
    expect(await ok(on, 'kernel.fs.stat', { path: file.path })).toMatchObject({ owner_pid: pid, version: 1 });
    expect(await ok(on, 'kernel.fs.exists', { path: '/memory/b' })).toEqual({ path: '/memory/b', exists: false });
    expect(await fails(on, 'kernel.fs.write', { pid, ...file, if_absent: true })).toMatchObject({
      code: -32162,
      data: { fault: 'file_exists', path: file.path },
    });
    expect(await ok(on, 'kernel.fs.set_mode', { path: file.path, mode: 'ro' })).toEqual({ path: file.path, mode: 'ro' });
    expect(await fails(on, 'kernel.fs.write', { pid, ...file })).toMatchObject({ code: -32164, data: { fault: 'file_read_only' } });
    expect(await ok(on, 'kernel.fs.list', { prefix: '/memory/', owner_pid: pid })).toMatchObject({
      entries: [{ path: file.path }],
      total: 1,
    });
    expect(await ok(on, 'kernel.fs.delete', { path: file.path })).toEqual({ path: file.path, removed: true });
    expect(await ok(on, 'kernel.fs.delete', { path: file.path })).toEqual({ path: file.path, removed: false });
    await ok(on, 'kernel.fs.write', { pid, ...file });
    expect(await ok(on, 'kernel.fs.gc_orphaned', { pid })).toEqual({ pid, removed: 1 });
  });

  it('keep their versions', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const write = (text: string, expected_version: number) =>
      ok(on, 'file.write', { pid, path: '/a', content: Buffer.from(text).toString('base64'), expected_version });
    await write('one', 0);
    expect(await write('two', 1)).toMatchObject({ version: 2, size: 3 });
    expect(await fails(on, 'file.write', { pid, path: '/a', content: '', expected_version: 1 })).toMatchObject({
      code: -32007,
      data: { fault: 'conflict', version: 2 },
    });
    expect(Buffer.from((await ok(on, 'file.read', { path: '/a', version: 1 })).content, 'base64').toString()).toBe('one');
    expect((await ok(on, 'file.history', { path: '/a' })).versions.map(({ version }) => version)).toEqual([2, 1]);
    expect(await ok(on, 'file.restore', { pid, path: '/a', version: 1 })).toMatchObject({ version: 3, size: 3 });
    expect(await ok(on, 'file.purge_history', { path: '/a', keep: 1 })).toEqual({ path: '/a', removed: 1 });
  });

  it('of 16 MiB pass in one call, there and back', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const content = Buffer.alloc(16 * 2 ** 20, 'warren').toString('base64');
    expect(await ok(on, 'kernel.fs.write', { pid, path: '/large', content })).toMatchObject({ size: 16 * 2 ** 20 });
    expect((await ok(on, 'kernel.fs.read', { path: '/large' })).content === content).toBe(true);
  });
});

describe('what the kernel says about itself', () => {
  it('is a view, a summary, metrics, and the list of what it answers', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    expect(await ok(on, 'kernel.observe.proc', { pid })).toMatchObject({ process: { pid }, capability: null, mailbox: { exists: false } });
    expect(await ok(on, 'kernel.observe.proc', { pid: 99 })).toMatchObject({ process: null, recent_events: [] });
    expect(await ok(on, 'kernel.observe.summary', {})).toMatchObject({ kernel_version: '1.2.3', agents: { READY: 1, total: 1 } });
    const { text } = await ok(on, 'kernel.observe.prometheus', {});
    expect(text).toContain('cheetahclaws_kernel_agents{state="READY"} 1\n');
    expect(text).toContain('warren_operation_seconds_count{operation="kernel.observe.summary"} 1\n');
    const { methods, tier_counts } = await ok(on, 'kernel.api.list_methods', {});
    const own = Object.keys(OPERATIONS).filter((name) => !name.startsWith('kernel.'));
    expect(tier_counts).toEqual({ stable: 58, experimental: own.length, deprecated: 0 });
    expect(methods).toHaveLength(58);
    expect(await ok(on, 'kernel.api.list_methods', { tier: 'experimental' })).toEqual({ methods: own.toSorted(), tier_counts });
    expect(verifyContract(methods)).toMatchObject({ missing: [], extra: [] });
    expect(methods).toEqual(methods.toSorted());
    expect(await ok(on, 'kernel.api.list_methods', { tier: 'deprecated' })).toMatchObject({ methods: [] });
    expect(await fails(on, 'kernel.api.list_methods', { tier: 'bogus' })).toMatchObject({ code: -32602, data: { field: 'tier' } });
    expect(await ok(on, 'kernel.api.version_info', {})).toMatchObject({
      api_version: '0',
      method_count: 58,
      rfcs_implemented: { length: 27 },
    });
  });
});

describe('workspaces and tokens', () => {
  it('are made, changed and listed', async () => {
    await using on = await openTestGateway();
    const made = await ok(on, 'workspace.create', { workspace: 'acme', settings: { weight: 3, retention: { events_max: 7 } } });
    expect(made.settings).toMatchObject({ weight: 3, retention: { events_max: 7 } });
    expect(await fails(on, 'workspace.create', { workspace: 'acme' })).toMatchObject({ code: -32006, data: { fault: 'already_exists' } });
    const updated = await ok(on, 'workspace.update', { workspace: 'acme', settings: { running_max: 5 } });
    expect(updated.settings).toEqual({ ...made.settings, running_max: 5 });
    expect(await ok(on, 'workspace.get', {})).toMatchObject({ workspace: 'default' });
    expect(await ok(on, 'workspace.get', { workspace: 'acme' })).toEqual(updated);
    expect((await ok(on, 'workspace.list', {})).workspaces.map(({ workspace }) => workspace)).toEqual(['acme', 'default']);
    expect(await create(on)).toBe(1);
    expect((await ok(on, 'kernel.agent.create', { name: 'b', template: 't' }, { workspace: 'acme' })).pid).toBe(1);
    expect(await fails(on, 'kernel.info', {}, { workspace: 'nobody' })).toMatchObject({ code: -32004, data: { fault: 'not_found' } });
  });

  it('let in who has one, as what it is, until it is revoked', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const member = await ok(on, 'token.create', { label: 'laptop' });
    const process = await ok(on, 'token.create', { pid, expires_at: Date.now() / 1_000 + 60 });
    const operator = await ok(on, 'token.create_operator', { label: 'root' });
    expect([member, process, operator].map(({ principal }) => principal.kind)).toEqual(['member', 'process', 'operator']);
    expect(await ok(on, 'kernel.agent.get', { pid }, process)).toMatchObject({ pid });
    expect(await fails(on, 'kernel.info', {}, process)).toMatchObject({ code: -32005 });
    expect((await ok(on, 'token.list', {}, member)).tokens.map(({ token_id }) => token_id).toSorted()).toEqual(
      [member.token_id, process.token_id].toSorted(),
    );
    expect((await ok(on, 'token.list', {}, operator)).tokens).toHaveLength(3);
    expect(await ok(on, 'token.revoke', { token_id: operator.token_id }, member)).toEqual({ revoked: false, also_revoked: [] });
    expect(await ok(on, 'token.revoke', { token_id: process.token_id }, member)).toEqual({ revoked: true, also_revoked: [] });
    expect(await fails(on, 'kernel.agent.get', { pid }, process)).toMatchObject({ code: -32014, data: { fault: 'unauthenticated' } });
    expect(await fails(on, 'token.create', { pid: 99 })).toMatchObject({ code: -32102, data: { fault: 'unknown_pid', pid: 99 } });
    expect(await fails(on, 'token.create', { expires_at: 1 })).toMatchObject({ code: -32602, data: { field: 'expires_at' } });
    expect(await fails(on, 'token.create', { groups: ['security'] }, member)).toEqual({
      code: -32005,
      data: { fault: 'permission_denied', field: 'groups' },
    });
    expect(await ok(on, 'token.create', { groups: ['security'] })).toMatchObject({ groups: ['security'] });
    expect(await fails(on, 'token.create', { owner: 'root' }, member)).toMatchObject({
      data: { fault: 'permission_denied', field: 'owner' },
    });
    expect(await fails(on, 'token.create', { label: 'laptop' }, member)).toMatchObject({ data: { fault: 'conflict', field: 'label' } });
    const phone = await ok(on, 'token.create', { label: 'phone' }, member);
    expect(phone).toMatchObject({ label: 'phone', owner: 'laptop', made_by: member.token_id });
    await ok(on, 'kernel.agent.terminate', { pid, exit_kind: 'completed' });
    expect(await fails(on, 'token.create', { pid })).toMatchObject({ code: -32103, data: { fault: 'illegal_transition', pid } });
  });
});

describe('agents as they are kept', () => {
  it('are made with a token, shown, changed, revoked, restored and deleted', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const grants = { tool_grants: ['filesystem.*'], fs_grants: [{ prefix: '/workspace', mode: 'rw' as const }] };
    const { agent, token } = await ok(on, 'agent.create', { agent: 'ada', purpose: 'writes', ...grants, budgets: { tool_calls: 9 } });
    expect(agent).toMatchObject({ agent: 'ada', purpose: 'writes', state: 'active', paused: false, budgets: { tool_calls: 9 } });
    expect(token.principal).toEqual({ kind: 'agent', workspace: 'default', agent: 'ada' });
    expect((await fails(on, 'agent.create', { agent: 'ada' })).data).toMatchObject({ fault: 'already_exists' });
    expect((await fails(on, 'agent.create', { agent: 'x', budgets: { tool_call: 1 } })).data).toMatchObject({ fault: 'invalid_argument' });
    // It is kept, and has no process before somebody needs one.
    expect((await ok(on, 'agent.list', {})).agents).toMatchObject([{ agent: 'ada', kept: true, pid: null, state: null }]);
    expect((await fails(on, 'agent.find', { agent: 'ada' })).data).toMatchObject({ fault: 'not_found', idle: true });
    // Of the many that ask at once each gets the same.
    const opened = await Promise.all(Array.from({ length: 8 }, () => ok(on, 'agent.open', { agent: 'ada' })));
    const { pid } = opened[0] ?? { pid: 0 };
    expect(new Set(opened.map((each) => each.pid))).toEqual(new Set([pid]));
    expect((await fails(on, 'agent.open', { agent: 'adda' })).data).toMatchObject({
      fault: 'not_found',
      fix: 'warren agent create adda',
    });
    expect(await ok(on, 'kernel.cap.get', { pid })).toMatchObject({ tool_grants: ['filesystem.*'] });
    expect(await ok(on, 'agent.update', { agent: 'ada', tool_grants: ['git.*'] })).toMatchObject({ purpose: 'writes', tool_grants: ['git.*'], fs_grants: grants.fs_grants }); // biome-ignore format: one line
    expect(await ok(on, 'kernel.cap.get', { pid })).toMatchObject({ tool_grants: ['filesystem.*'] });
    expect(await ok(on, 'agent.get', { agent: 'ada' })).toMatchObject({ tool_grants: ['git.*'] });

    const rotated = await ok(on, 'agent.rotate_token', { agent: 'ada' });
    expect((await on.call('capability.list', {}, { token: token.token })).error?.code).toBe(-32_014);
    expect((await on.call('capability.list', {}, { token: rotated.token })).error).toBeUndefined();
    expect(await ok(on, 'agent.revoke', { agent: 'ada' })).toEqual({ agent: 'ada', changed: true });
    expect((await on.call('capability.list', {}, { token: rotated.token })).error).toBeDefined();
    expect((await fails(on, 'agent.start', { agent: 'ada' })).data).toMatchObject({ fault: 'illegal_transition' });
    expect((await fails(on, 'agent.open', { agent: 'ada' })).data).toMatchObject({ fault: 'illegal_transition' });
    expect((await ok(on, 'agent.list', {})).agents).toMatchObject([{ agent: 'ada', revoked: true, pid: null }]);
    const restored = await ok(on, 'agent.restore', { agent: 'ada' });
    expect((await on.call('capability.list', {}, { token: restored.token })).error).toBeUndefined();
    expect((await fails(on, 'agent.restore', { agent: 'ada' })).data).toMatchObject({ fault: 'conflict' });
    expect(await ok(on, 'agent.delete', { agent: 'ada' })).toEqual({ agent: 'ada', deleted: true });
    expect((await fails(on, 'agent.get', { agent: 'ada' })).data).toMatchObject({ fault: 'not_found' });
    expect((await on.call('capability.list', {}, { token: restored.token })).error).toBeDefined();
  });

  it('are not made by being started by a name that nobody made: nothing is, unless grants are given', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const unknown = { data: { fault: 'not_found', agent: 'adda', fix: 'warren agent create adda' } };
    for (const more of [{}, { budgets: { tool_calls: 9 } }, { sub_agent: false }, { sub_agent: null }])
      expect([more, await fails(on, 'agent.start', { agent: 'adda', ...more })]).toMatchObject([more, unknown]);
    expect(await ok(on, 'agent.list', {})).toEqual({ agents: [] });
    expect((await ok(on, 'kernel.agent.list', {})).total).toBe(0);
    await ok(on, 'agent.start', { agent: 'adda', tool_grants: [] });
    expect((await ok(on, 'agent.list', {})).agents).toMatchObject([{ agent: 'adda', kept: true }]);
  });

  it('act with their token for themselves, and for no other', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const made = await Promise.all(['ada', 'bob'].map((agent) => ok(on, 'agent.create', { agent, tool_grants: ['agent.*'] })));
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((agent) => ok(on, 'agent.start', { agent })));
    const token = made[0]?.token.token ?? '';
    const whoami = { capability: 'agent.whoami', input: {} };
    expect(await ok(on, 'call.make', { pid: ada?.pid ?? 0, ...whoami }, { token })).toMatchObject({ state: 'done' });
    const denied = { data: { fault: 'permission_denied' } };
    expect(await fails(on, 'call.make', { pid: bob?.pid ?? 0, ...whoami }, { token })).toMatchObject(denied);
    expect(await fails(on, 'kernel.mbox.create', { pid: ada?.pid ?? 0 }, { token })).toMatchObject(denied);
    expect(await fails(on, 'agent.update', { agent: 'ada', tool_grants: ['*'] }, { token })).toMatchObject(denied);
    expect(await fails(on, 'agent.rotate_token', { agent: 'ada' }, { token })).toMatchObject(denied);
    expect(await fails(on, 'token.create', {}, { token })).toMatchObject(denied);
  });
});

describe('servers of others', () => {
  it('are listed and read again; what is not mounted is not there', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    expect(await ok(on, 'mcp_server.list', {})).toEqual({ servers: [] });
    expect(await ok(on, 'mcp_server.reload', {})).toEqual({ servers: [] });
    const unknown = { data: { fault: 'not_found' } };
    expect(await fails(on, 'mcp_server.get', { name: 'nobody' })).toMatchObject(unknown);
    expect(await fails(on, 'mcp_server.approve', { name: 'nobody', hash: 'x' })).toMatchObject(unknown);
    expect(await fails(on, 'mcp_server.begin_login', { name: 'nobody', redirect_uri: 'http://127.0.0.1:1/' })).toMatchObject(unknown);
    expect(await fails(on, 'mcp_server.finish_login', { name: 'nobody', state: 'x', code: 'x' })).toMatchObject(unknown);
    expect(await fails(on, 'mcp_server.remove', { name: 'nobody' })).toMatchObject(unknown);
  });
});

describe('people', () => {
  it('are made, changed, disabled and deleted, by whoever may', async () => {
    await using on = await openTestGateway();
    const olga = await ok(on, 'person.create_operator', { name: 'olga', passphrase: 'correct horse battery', groups: ['ops'] });
    expect(olga).toMatchObject({ workspace: null, role: null, has_passphrase: true, groups: ['ops'] });
    expect(JSON.stringify(olga)).not.toContain('argon2');
    const ann = await ok(on, 'person.create', { name: 'ann', role: 'viewer', identity: { issuer: 'https://id.example', subject: '7' } });
    expect(ann).toMatchObject({ workspace: 'default', role: 'viewer', has_passphrase: false });
    expect((await ok(on, 'person.list', {})).people.map(({ name }) => name)).toEqual(['ann', 'olga']);
    expect((await ok(on, 'person.list', { workspace: 'default' })).people.map(({ name }) => name)).toEqual(['ann']);
    expect(await ok(on, 'person.update', { name: 'ann', role: 'admin', identity: null })).toMatchObject({ role: 'admin', identity: null });
    expect(await ok(on, 'person.disable', { name: 'ann' })).toEqual({ changed: true });
    expect((await ok(on, 'person.list', {})).people[0]?.disabled_at).toBeTypeOf('number');
    expect(await ok(on, 'person.enable', { name: 'ann' })).toEqual({ changed: true });
    expect(await ok(on, 'person.delete', { name: 'ann' })).toEqual({ deleted: true });
    expect((await fails(on, 'person.delete', { name: 'ann' })).data).toMatchObject({ fault: 'not_found' });
  });

  it('of a workspace are its admins to make, and give themselves neither groups nor those of others', async () => {
    await using on = await openTestGateway();
    await ok(on, 'workspace.create', { workspace: 'other' });
    await ok(on, 'person.create', { name: 'eve', role: 'admin', workspace: 'other' });
    await ok(on, 'person.create', { name: 'ops', role: 'approver', groups: ['ops'] });
    await ok(on, 'person.create_operator', { name: 'olga' });
    const token = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
    const denied = { data: { fault: 'permission_denied' } };
    expect(await ok(on, 'person.create', { name: 'bob', role: 'admin' }, { token })).toMatchObject({ workspace: 'default' });
    expect((await ok(on, 'person.list', {}, { token })).people.map(({ name }) => name)).toEqual(['bob', 'ops']);
    expect(await fails(on, 'person.create', { name: 'x', role: 'admin', groups: ['ops'] }, { token })).toMatchObject(denied);
    expect(await fails(on, 'person.create', { name: 'x', role: 'admin', workspace: 'other' }, { token })).toMatchObject(denied);
    expect(await fails(on, 'person.create_operator', { name: 'x' }, { token })).toMatchObject(denied);
    expect(await fails(on, 'person.update', { name: 'bob', groups: ['ops'] }, { token })).toMatchObject(denied);
    // Whoever can set how somebody signs in can sign in as them.
    expect(await fails(on, 'person.update', { name: 'ops', passphrase: 'a passphrase of mine' }, { token })).toMatchObject(denied);
    expect(await fails(on, 'person.update', { name: 'ops', identity: { issuer: 'i', subject: 's' } }, { token })).toMatchObject(denied);
    for (const name of ['eve', 'olga']) {
      expect((await fails(on, 'person.update', { name, passphrase: 'a passphrase of mine' }, { token })).data).toMatchObject({
        fault: 'not_found',
      });
      expect((await fails(on, 'person.delete', { name }, { token })).data).toMatchObject({ fault: 'not_found' });
    }
    const viewer = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' });
    expect((await ok(on, 'person.list', {}, { token: viewer })).people).toHaveLength(2);
    expect(await fails(on, 'person.disable', { name: 'bob' }, { token: viewer })).toMatchObject(denied);
  });
});

describe('the daemon', () => {
  it('says how it is, checks and copies what it keeps, and passes on that it shall stop', async () => {
    const asked: number[] = [];
    await using on = await openTestGateway({ onStopAsked: (drainMs) => asked.push(drainMs) });
    expect(await ok(on, 'daemon.status', {})).toMatchObject({
      version: '1.2.3',
      system_pid: process.pid,
      state: 'running',
      addresses: on.served.addresses,
      workspaces: 1,
    });
    expect(await ok(on, 'store.check', {})).toEqual({ problems: [] });
    const path = join(on.directory, 'copy.db');
    expect(await ok(on, 'store.backup', { path })).toEqual({ path, bytes: readFileSync(path).length });
    expect(await fails(on, 'store.backup', { path })).toMatchObject({ data: { fault: 'already_exists' } });
    expect(await fails(on, 'store.backup', { path: 'copy.db' })).toMatchObject({ code: -32602, data: { field: 'path' } });
    expect(existsSync('copy.db')).toBe(false);
    expect(await ok(on, 'daemon.stop', { drain_ms: 7 })).toEqual({ state: 'draining' });
    expect(asked).toEqual([7]);
  });
});

describe('the gate', () => {
  const ASK_FIRST = 'rules: [{ id: ask-first, capability: alerts.send, tier: approval_required }]';

  /** A call that waits for a person. */
  async function ask(on: TestGateway, pid: number, message: string) {
    const answer = await ok(on, 'call.make', { pid, capability: 'alerts.send', input: { message }, on_ask: 'return' });
    if (answer.state !== 'pending' || answer.approval_id === null) throw new Error(`the call is ${answer.state}`);
    return { call_id: answer.call_id, approval_id: answer.approval_id };
  }

  it('lets calls of an agent through as its policies say, and tells what it did', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const { pid } = await ok(on, 'agent.start', { agent: 'writer', tool_grants: ['*'] });
    expect(await ok(on, 'agent.find', { agent: 'writer' })).toMatchObject({ pid });
    expect(await ok(on, 'agent.list', {})).toMatchObject({ agents: [{ agent: 'writer', pid, paused: false }] });
    expect(await ok(on, 'agent.pause', { agent: 'writer' })).toEqual({ agent: 'writer', paused: true, changed: true });
    expect(await ok(on, 'agent.find', { agent: 'writer' })).toMatchObject({ state: 'READY', paused: true });
    const held = await ok(on, 'call.make', { pid, capability: 'system.echo', input: { text: 'x' } });
    expect(held).toMatchObject({ state: 'failed', error: { type: 'ProcessSuspended', retryable: true, context: { paused: true } } });
    expect(await ok(on, 'agent.resume', { agent: 'writer' })).toEqual({ agent: 'writer', paused: false, changed: true });
    expect(await fails(on, 'agent.pause', { agent: 'nobody' })).toMatchObject({ data: { fault: 'not_found' } });
    const made = await ok(on, 'call.make', {
      ...{ pid, capability: 'alerts.send', idempotency_key: 'one' },
      input: { message: 'hello', severity: 'warning' },
    });
    expect(made).toMatchObject({ state: 'done', output: { severity: 'warning' } });
    expect(await ok(on, 'call.result', { pid, call_id: made.call_id })).toMatchObject({ output: { severity: 'warning' } });
    expect(await fails(on, 'call.result', { pid, call_id: 'call_0000000000000000' })).toMatchObject({ data: { fault: 'not_found' } });
    expect(await ok(on, 'call.list', {})).toEqual({ calls: [] });

    const { alerts } = await ok(on, 'alert.list', { status: 'pending' });
    expect(alerts).toMatchObject([{ agent: 'writer', message: 'hello' }]);
    expect(await ok(on, 'alert.acknowledge', { alert_id: alerts[0]?.alert_id ?? '' })).toEqual({ acknowledged: true });

    const other = await ok(on, 'agent.start', { agent: 'other', tool_grants: ['*'] });
    const mail = { pid: other.pid, capability: 'comms.send', input: { to: 'writer', message: 'hello' } };
    expect(await ok(on, 'call.make', mail)).toMatchObject({ state: 'done' });
    expect(await ok(on, 'call.make', { pid, capability: 'comms.receive', input: {} })).toMatchObject({ state: 'done' });
    expect(await ok(on, 'taint.list', { pid })).toMatchObject({ labels: [{ label: 'agent' }] });
    expect(await ok(on, 'taint.clear', { pid })).toEqual({ cleared: 1 });
    expect(await ok(on, 'taint.list_files', {})).toEqual({ labels: [] });
    expect(await ok(on, 'taint.clear_files', {})).toEqual({ cleared: 0 });

    const { head } = await ok(on, 'audit.head', {});
    const { entries } = await ok(on, 'audit.search', { pid, action: 'alerts.send' });
    const seq = entries.at(-1)?.seq ?? -1;
    expect(await ok(on, 'audit.get', { seq })).toMatchObject({ action: 'alerts.send' });
    expect(await fails(on, 'audit.get', { seq: 1_000_000 })).toMatchObject({ data: { fault: 'not_found' } });
    expect(await ok(on, 'audit.prove_inclusion', { seq })).toMatchObject({ seq });
    expect(await ok(on, 'audit.prove_consistency', { from: 1, to: head.size })).toMatchObject({ from: { size: 1 } });
  });

  it('say what a workspace has, and delete it', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    await ok(on, 'workspace.create', { workspace: 'acme' });
    const acme = { workspace: 'acme' };
    await ok(on, 'memory.store', { text: 'Releases are cut on Tuesdays' }, acme);
    const usage = await ok(on, 'workspace.usage', acme);
    expect(usage).toMatchObject({ ...acme, agents: 0, processes: 0, memories: { count: 1 }, files: { count: 0, bytes: 0 }, secrets: 0 });
    expect(await ok(on, 'workspace.delete', acme)).toEqual(acme);
    for (const name of ['workspace.delete', 'workspace.get', 'workspace.usage'] as const)
      expect(await fails(on, name, acme)).toMatchObject({ code: -32004, data: { fault: 'not_found' } });
    expect(await fails(on, 'workspace.delete', { workspace: 'default' })).toMatchObject({ data: { fault: 'invalid_argument' } });
    expect(existsSync(join(on.directory, 'workspaces', 'acme'))).toBe(false);
    // Who deleted it is known; what was said in it is not.
    const { entries } = await ok(on, 'audit.search', { action: 'workspace.delete' });
    expect(entries.map(({ outcome }) => outcome)).toContain('success');
  });

  it('remember, find, show, list and forget, each workspace for itself', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    await ok(on, 'workspace.create', { workspace: 'acme' });
    const text = 'Releases are cut on Tuesdays';
    const stored = await ok(on, 'memory.store', { text, tags: ['release'], source: 'ann' });
    expect(await ok(on, 'memory.store', { text })).toEqual({ memory_id: stored.memory_id, duplicate: true });
    const { memories } = await ok(on, 'memory.search', { query: 'when are releases cut', tags: ['release'] });
    expect(memories).toMatchObject([{ memory: { ...{ text, source: 'ann', labels: [], pinned: false } }, why: { vector: null, age: 1 } }]);
    expect(await ok(on, 'memory.list', { source: 'ann' })).toMatchObject({ count: 1, memories: [{ text }] });
    const acme = { workspace: 'acme' };
    expect(await ok(on, 'memory.search', { query: 'releases' }, acme)).toEqual({ memories: [] });
    expect(await fails(on, 'memory.get', { memory_id: stored.memory_id }, acme)).toMatchObject({ data: { fault: 'not_found' } });
    expect(await ok(on, 'memory.forget', { memory_id: stored.memory_id }, acme)).toEqual({ forgotten: false });
    expect(await ok(on, 'memory.get', { memory_id: stored.memory_id })).toMatchObject({ text, tags: ['release'], expires_at: null });
    expect(await ok(on, 'memory.forget', { memory_id: stored.memory_id })).toEqual({ forgotten: true });
    expect(await fails(on, 'memory.list', {}, { workspace: 'none' })).toMatchObject({ data: { fault: 'not_found' } });
    expect(existsSync(join(on.directory, 'workspaces', 'none'))).toBe(false);
    expect(await fails(on, 'memory.store', { text: 'x', importance: 2 })).toMatchObject({ data: { fault: 'invalid_argument' } });
  });

  it('keep conversations, each workspace its own', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    await ok(on, 'workspace.create', { workspace: 'acme' });
    expect(await ok(on, 'transcript.create', { session: 'chat', agent: 'writer', title: 'Plans' })).toEqual({ session: 'chat' });
    expect(await fails(on, 'transcript.create', { session: 'chat' })).toMatchObject({ data: { fault: 'already_exists' } });
    const said = [
      { type: 'message', role: 'user', content: 'When do we release?' },
      { type: 'message', role: 'assistant', content: 'On Tuesdays <b>' },
      { type: 'note', kind: 'tool', data: { ok: true } },
    ] as const;
    const { entry_ids: ids } = await ok(on, 'transcript.append', { session: 'chat', entries: [...said] });
    const got = await ok(on, 'transcript.get', { session: 'chat', offset: 1, limit: 1 });
    expect(got).toMatchObject({ tip_id: ids[2], count: 4, next: 2, entries: [{ entry_id: ids[0], role: 'user', text: said[0].content }] });
    expect(await ok(on, 'transcript.search', { query: 'release tuesdays' })).toEqual({ matches: [] });
    expect(await ok(on, 'transcript.search', { query: 'TUESDAYS' })).toMatchObject({ matches: [{ session: 'chat', entry_id: ids[1] }] });
    const [first = '', second = ''] = ids;
    expect(await ok(on, 'transcript.branch', { session: 'chat', entry_id: first })).toEqual({ session: 'chat', tip_id: first });
    expect(await ok(on, 'transcript.branch', { session: 'chat', entry_id: second, as: 'other' })).toEqual({
      session: 'other',
      tip_id: second,
    });
    expect(await fails(on, 'transcript.branch', { session: 'chat', entry_id: 'none' })).toMatchObject({ data: { fault: 'not_found' } });
    const { entry_id: summary } = await ok(on, 'transcript.compact', { session: 'chat', summary: 'They asked about releases' });
    expect((await ok(on, 'transcript.get', { session: 'chat', view: 'context' })).entries).toMatchObject([
      { entry_id: summary, type: 'summary' },
    ]);
    expect((await ok(on, 'transcript.get', { session: 'chat', view: 'all' })).count).toBe(5);
    expect((await ok(on, 'transcript.export', { session: 'other', format: 'html' })).text).toContain('On Tuesdays &#60;b&#62;');
    expect((await ok(on, 'transcript.list', {})).transcripts).toMatchObject([{ session: 'chat', title: 'Plans', agent: 'writer', origin: null }, { session: 'other', origin: { session: 'chat', entry_id: second } }]); // biome-ignore format: one line
    const acme = { workspace: 'acme' };
    expect(await ok(on, 'transcript.list', {}, acme)).toEqual({ transcripts: [] });
    expect(await ok(on, 'transcript.search', { query: 'tuesdays' }, acme)).toEqual({ matches: [] });
    expect(await fails(on, 'transcript.get', { session: 'chat' }, acme)).toMatchObject({ data: { fault: 'not_found' } });
    expect(await ok(on, 'transcript.delete', { session: 'chat' }, acme)).toEqual({ deleted: false });
    expect(await ok(on, 'transcript.delete', { session: 'chat' })).toEqual({ deleted: true });
    expect(await fails(on, 'transcript.append', { session: 'chat', entries: [said[0]] })).toMatchObject({ data: { fault: 'not_found' } });
    await ok(on, 'transcript.create', { session: 'chat', title: 'Theirs' }, acme);
    await ok(on, 'workspace.delete', { workspace: 'acme' });
    expect(existsSync(join(on.directory, 'workspaces', 'acme'))).toBe(false);
    await ok(on, 'workspace.create', { workspace: 'acme' });
    expect(await fails(on, 'transcript.get', { session: 'chat' }, acme)).toMatchObject({ data: { fault: 'not_found' } });
    expect(await fails(on, 'transcript.list', {}, { workspace: 'none' })).toMatchObject({ data: { fault: 'not_found' } });
  });

  it.each(['', '.', '..', '../x', 'a/b', '/etc/passwd', 'a\0b', '-x', 'a\nb', 'é', 'x'.repeat(129), '__proto__/x', '.hidden'])(
    'make nothing of a conversation called %j',
    async (session) => {
      await using on = await openTestGateway({ hasPlatform: true });
      expect(await fails(on, 'transcript.create', { session })).toMatchObject({ data: { fault: 'invalid_argument' } });
      await ok(on, 'transcript.create', { session: 'chat' });
      const { entry_ids: ids } = await ok(on, 'transcript.append', { session: 'chat', entries: [{ type: 'title', title: 'x' }] });
      const forked = { session: 'chat', entry_id: ids[0] ?? '', as: session };
      expect(await fails(on, 'transcript.branch', forked)).toMatchObject({ data: { fault: 'invalid_argument' } });
      for (const name of ['transcript.get', 'transcript.export', 'transcript.delete'] as const)
        expect(await fails(on, name, { session })).toMatchObject({ data: { fault: 'invalid_argument' } });
      expect(
        readdirSync(join(on.directory, 'workspaces', 'default'), { recursive: true })
          .map(String)
          .toSorted(),
      ).toEqual(['sessions', 'sessions/chat.jsonl']);
    },
  );

  it('add skills, approve them as they are, enable them for themselves, and remove them', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    await ok(on, 'workspace.create', { workspace: 'acme' });
    const folder = join(on.directory, 'source');
    mkdirSync(folder);
    const declares = 'warren: { secrets: { KEY: billing/key }, mounts: [{ path: out, writable: true }] }';
    writeFileSync(join(folder, 'SKILL.md'), `---\nname: invoice\ndescription: Makes an invoice\n${declares}\n---\nGive it an order.\n`);
    writeFileSync(join(folder, 'execute.sh'), 'cat');
    const name = 'invoice';
    const added = await ok(on, 'skill.add', { path: folder });
    expect(added).toMatchObject({
      ...{
        name,
        state: 'approved',
        enabled: false,
        runnable: true,
        program: 'execute.sh',
        instructions: 'Give it an order.',
        problems: [],
      },
      ...{ secrets: [{ variable: 'KEY', secret: 'billing/key' }], mounts: [{ path: 'out', writable: true }], timeout_ms: 30_000 },
    });

    const token = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
    expect(await ok(on, 'skill.enable', { name }, { token })).toEqual({ changed: true });
    expect(await ok(on, 'skill.enable', { name }, { token })).toEqual({ changed: false });
    expect((await ok(on, 'skill.list', {}, { token })).skills).toMatchObject([{ name, enabled: true }]);
    expect((await ok(on, 'skill.list', {}, { workspace: 'acme' })).skills).toMatchObject([{ name, enabled: false }]);
    for (const [operation, params] of [
      ['skill.add', { path: folder }],
      ['skill.approve', { name, hash: added.hash }],
      ['skill.remove', { name }],
      ['skill.test', { name }],
    ] as const)
      expect(await fails(on, operation, params, { token })).toMatchObject({ data: { fault: 'permission_denied' } });

    writeFileSync(join(on.directory, 'skills', name, 'execute.sh'), 'echo 1');
    const changed = await ok(on, 'skill.get', { name });
    expect(changed.state).toBe('changed');
    expect(await fails(on, 'skill.approve', { name, hash: added.hash })).toMatchObject({ data: { fault: 'conflict' } });
    expect(await ok(on, 'skill.approve', { name, hash: changed.hash })).toMatchObject({ state: 'approved', hash: changed.hash });
    const { entries } = await ok(on, 'audit.search', { action: 'skill.add', outcome: 'success' });
    expect(entries).toMatchObject([{ details: { result: { hash: added.hash } } }]);

    expect(await ok(on, 'skill.test', { name })).toMatchObject({ output: null, error: { type: 'SecretUnavailable' } });
    const unknown = { data: { fault: 'not_found' } };
    for (const operation of ['skill.get', 'skill.enable', 'skill.test'] as const)
      for (const nobody of ['nobody', '../invoice', '__proto__', ''])
        expect(await fails(on, operation, { name: nobody })).toMatchObject(unknown);
    for (const path of ['/', '/nowhere', on.directory]) expect(await fails(on, 'skill.add', { path })).toMatchObject(unknown);
    for (const path of ['source', '', `${folder}\0`, '/etc/passwd'])
      expect(await fails(on, 'skill.add', { path })).toMatchObject({ data: { fault: 'invalid_argument' } });
    expect(await fails(on, 'skill.list', {}, { workspace: 'none' })).toMatchObject(unknown);
    expect(await fails(on, 'skill.enable', { name }, { workspace: 'none' })).toMatchObject(unknown);
    expect(existsSync(join(on.directory, 'workspaces', 'none'))).toBe(false);

    expect(await ok(on, 'skill.disable', { name }, { token })).toEqual({ changed: true });
    expect(await ok(on, 'skill.disable', { name })).toEqual({ changed: false });
    expect(await ok(on, 'skill.remove', { name })).toEqual({ removed: true });
    expect(await ok(on, 'skill.remove', { name })).toEqual({ removed: false });
    expect(await ok(on, 'skill.list', {})).toEqual({ skills: [] });
  });

  it('list hooks and try them', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    expect(await ok(on, 'hook.list', {})).toEqual({ hooks: [] });
    writeFileSync(
      join(on.directory, 'hooks.yaml'),
      'hooks: [{ name: told, on: after_tool_call, webhook: "http://127.0.0.1:1/x?key=1", secret_file: key }]',
    );
    await on.platform.hooks.reload();
    const [told] = (await ok(on, 'hook.list', {})).hooks;
    expect(told).toMatchObject({
      name: 'told',
      on: ['after_tool_call'],
      kind: 'webhook',
      webhook: 'http://127.0.0.1:1/x',
      timeout_ms: 10_000,
    });
    expect(await ok(on, 'hook.test', { name: 'told' })).toMatchObject({ outcome: 'fails', reason: expect.stringContaining('secret file') });
    expect(await fails(on, 'hook.test', { name: 'none' })).toMatchObject({ data: { fault: 'not_found' } });
    expect(await fails(on, 'hook.test', { name: 'told', point: 'before_tool_call' })).toMatchObject({ data: { fault: 'conflict' } });
  });

  it('keep secrets, of which nobody is told the value', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    await ok(on, 'workspace.create', { workspace: 'acme' });
    expect(await ok(on, 'vault.status', {})).toEqual({ state: 'absent', key: null, key_beside: true, reason: null });
    const bindings = { hosts: ['api.example.com'], capabilities: ['network.credentialed_request'] };
    const set = await ok(on, 'secret.set', { name: 'ci/github', value: 'first value', type: 'api_key', purpose: 'for CI', bindings });
    expect(set).toMatchObject({ version: 1, bindings: { ...bindings, skills: [] }, revoked_at: null });
    expect(await ok(on, 'vault.status', {})).toEqual({ state: 'unlocked', key: 'file', key_beside: true, reason: null });
    await ok(on, 'secret.set', { name: 'ci/github', value: Buffer.from([1, 2, 255]).toString('base64'), value_encoding: 'base64' });
    expect(await fails(on, 'secret.set', { name: 'x', value: 'a*', value_encoding: 'base64' })).toMatchObject({ code: -32602 });
    const change = { bind: { skills: ['issues'] }, unbind: { hosts: ['api.example.com'] }, bindings: { capabilities: [] } };
    expect((await ok(on, 'secret.change', { name: 'ci/github', ...change })).bindings).toEqual({
      hosts: [],
      capabilities: [],
      skills: ['issues'],
    });
    expect(await ok(on, 'secret.rollback', { name: 'ci/github', version: 1 })).toMatchObject({ version: 3 });
    expect((await ok(on, 'secret.revoke', { name: 'ci/github' })).revoked_at).not.toBeNull();
    expect((await ok(on, 'secret.restore', { name: 'ci/github' })).revoked_at).toBeNull();
    expect(await ok(on, 'secret.rotate_key', {})).toEqual({ sealed: 1 });
    const { versions, name } = await ok(on, 'secret.get', { name: 'ci/github' });
    expect([name, versions.map(({ version }) => version)]).toEqual(['ci/github', [3, 2, 1]]);
    expect((await ok(on, 'secret.list', { limit: 5 })).secrets).toHaveLength(1);
    expect(await ok(on, 'secret.list', {}, { workspace: 'acme' })).toEqual({ secrets: [] });
    expect(await fails(on, 'secret.get', { name: 'ci/github' }, { workspace: 'acme' })).toMatchObject({ data: { fault: 'not_found' } });
    expect(await fails(on, 'secret.list', {}, { workspace: 'none' })).toMatchObject({ data: { fault: 'not_found' } });
    expect(await ok(on, 'vault.rotate_root', {})).toEqual({ rotated: true });
    expect(await ok(on, 'vault.change_passphrase', { passphrase: 'correct horse' })).toMatchObject({
      key: 'passphrase',
      key_beside: false,
    });
    expect(await fails(on, 'vault.change_passphrase', { passphrase: 'x', current: 'wrong' })).toMatchObject({ code: -32005 });
    expect(await ok(on, 'vault.unlock', {})).toMatchObject({ state: 'unlocked' });
    expect(await ok(on, 'secret.delete', { name: 'ci/github' })).toEqual({ deleted: true });
    expect(await ok(on, 'secret.delete', { name: 'ci/github' })).toEqual({ deleted: false });
  });

  it('says what can be called, and what would be decided', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const { pid } = await ok(on, 'agent.start', { agent: 'writer', tool_grants: ['alerts.*'] });
    const { capabilities } = await ok(on, 'capability.list', { category: 'alerts' });
    expect(capabilities.map(({ name }) => name)).toContain('alerts.send');
    const offered = await ok(on, 'capability.offered', { pid });
    expect(offered.capabilities.every(({ name }) => name.startsWith('alerts.'))).toBe(true);
    expect(await ok(on, 'capability.describe', { name: 'alerts.send' })).toMatchObject({ name: 'alerts.send', effect: 'once' });
    expect(await ok(on, 'capability.reload', {})).toMatchObject({ problems: [] });
    const { names } = await ok(on, 'tool.list', { format: 'openai', agent: 'writer', category: 'alerts' });
    expect(names).toContainEqual({ name: 'alerts__send', capability: 'alerts.send' });
    const sent = { name: 'alerts__send', arguments: '{"message":"hello","severity":null}', agent: 'writer' };
    expect(await ok(on, 'tool.call', sent)).toMatchObject({ state: 'done', capability: 'alerts.send' });
    expect(await fails(on, 'tool.call', { ...sent, arguments: '[1]' })).toMatchObject({ data: { fault: 'invalid_argument' } });

    const question = { agent: 'writer', capability: 'alerts.send', input: { message: 'hello' } };
    expect(await ok(on, 'policy.explain', question)).toMatchObject({ tier: 'autonomous' });
    mkdirSync(join(on.directory, 'policies'), { recursive: true });
    writeFileSync(join(on.directory, 'policies', 'workspace.yaml'), ASK_FIRST);
    expect(await ok(on, 'policy.reload', {})).toMatchObject({ problems: [] });
    expect(await ok(on, 'policy.explain', question)).toMatchObject({ tier: 'approval_required' });
    expect(JSON.stringify(await ok(on, 'policy.show', {}))).toContain('workspace.yaml');
    expect(await ok(on, 'policy.simulate', { files: [{ path: 'workspace.yaml', text: ASK_FIRST }] })).toMatchObject({ problems: [] });
  });

  it('asks people, who say yes, no, always or never mind', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    mkdirSync(join(on.directory, 'policies'), { recursive: true });
    writeFileSync(join(on.directory, 'policies', 'workspace.yaml'), ASK_FIRST);
    await ok(on, 'policy.reload', {});
    const { pid } = await ok(on, 'agent.start', { agent: 'writer', tool_grants: ['*'] });

    const first = await ask(on, pid, 'one');
    expect(await ok(on, 'approval.list', { state: 'pending' })).toMatchObject({ pending: 1, approvals: [{ agent: 'writer' }] });
    const always = { scope: 'capability', for_ms: 60_000 } as const;
    expect(await ok(on, 'approval.approve', { approval_id: first.approval_id, always })).toMatchObject({ state: 'approved' });
    expect(await ok(on, 'call.result', { pid, call_id: first.call_id, wait_ms: 60_000 })).toMatchObject({ state: 'done' });
    const { rules } = await ok(on, 'approval.list_rules', {});
    expect(rules).toHaveLength(1);
    expect(await ok(on, 'approval.revoke_rule', { rule_id: rules[0]?.rule_id ?? '' })).toEqual({ revoked: true });

    const second = await ask(on, pid, 'two');
    expect(await ok(on, 'approval.reject', { approval_id: second.approval_id, reason: 'not now' })).toMatchObject({ state: 'rejected' });
    expect(await fails(on, 'approval.approve', { approval_id: second.approval_id })).toMatchObject({ data: { fault: 'conflict' } });

    const third = await ask(on, pid, 'three');
    expect(await ok(on, 'approval.cancel', { approval_id: third.approval_id })).toMatchObject({ state: 'cancelled' });
    expect(await ok(on, 'approval.get', { approval_id: third.approval_id })).toMatchObject({ state: 'cancelled' });

    const fourth = await ask(on, pid, 'four');
    expect(await ok(on, 'call.cancel', { pid, call_id: fourth.call_id })).toEqual({ cancelled: true });
  });
});

it('every operation there is was called by one of these', () => {
  expect([...called].filter((name) => !isOperationName(name))).toEqual([]);
  expect(Object.keys(OPERATIONS).filter((name) => !called.has(name))).toEqual([]);
});
