import { OPERATIONS, verifyContract } from '@warren/protocol/contract';
import { expect } from 'vitest';
import type { Answer, Client } from './client.ts';
import { shareDaemon, VERSION } from './daemon.ts';
import { proves } from './proves.ts';

const BODY_BYTES_MAX = 100_000;
const daemon = shareDaemon({ limits: { bodyBytesMax: BODY_BYTES_MAX } });

function request(method: string, params: unknown = {}, id: unknown = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

/** The status and the code of the error, if it is one. */
function gist({ status, text }: Answer): readonly unknown[] {
  const { error, id } = JSON.parse(text) as { readonly error?: { readonly code: number }; readonly id: unknown }; // An answer to one request.
  return [status, error?.code, id];
}

proves('wire:errors', async () => {
  const os = await daemon.workspace();
  const { pid } = await os.call('kernel.agent.create', { name: 'a', template: 't' });
  expect(gist(await os.post(request('kernel.agent.get', { pid: 99 })))).toEqual([200, -32102, 1]);
  expect(gist(await os.post(request('kernel.agent.transition', { pid, target_state: 'WAITING' })))).toEqual([200, -32103, 1]);
  expect(gist(await os.post(request('kernel.agent.create', { template: 't' })))).toEqual([200, -32602, 1]);
  expect(gist(await os.post(request('kernel.agent.fly')))).toEqual([200, -32601, 1]);
  expect(gist(await os.post(request('toString')))).toEqual([200, -32601, 1]);
});

proves('wire:errors', 'another version is refused before anything is looked at; none is fine', async () => {
  const os = await daemon.workspace();
  for (const got of ['1', '00', '']) {
    const answer = await os.post('this is not even JSON', { 'cheetahclaws-api-version': got });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      426,
      { error: 'api_version_mismatch', expected: '0', got, header: 'Cheetahclaws-Api-Version' },
    ]);
  }
});

proves('wire:errors', 'a notification is carried out and not answered, whether it succeeds or fails', async () => {
  const os = await daemon.workspace();
  const params = { name: 'a', template: 't' };
  for (const notification of [{ params }, { params: { name: '' } }, { params: [] }]) {
    const { status, text, headers } = await os.post(JSON.stringify({ jsonrpc: '2.0', method: 'kernel.agent.create', ...notification }));
    expect([status, text, headers['content-type']]).toEqual([204, '', undefined]);
  }
  expect((await os.call('kernel.info')).agent_count).toBe(1);
  const answered = await os.post(request('kernel.agent.create', params, null));
  expect([answered.status, JSON.parse(answered.text)]).toEqual([200, { jsonrpc: '2.0', id: null, result: { pid: 2, state: 'READY' } }]);
});

proves('wire:errors', 'what is no request says so, and an id comes back as it was', async () => {
  const os = await daemon.workspace();
  for (const [body, expected] of [
    ['{"jsonrpc":', [200, -32700, null]],
    ['nothing', [200, -32700, null]],
    ['', [400, -32700, null]],
    ['"text"', [200, -32600, null]],
    ['{}', [200, -32600, null]],
    ['{"jsonrpc":"1.0","id":7,"method":"kernel.info"}', [200, -32600, 7]],
    ['{"jsonrpc":"2.0","id":7,"method":5}', [200, -32600, 7]],
    ['{"jsonrpc":"2.0","id":7}', [200, -32600, 7]],
    [request('kernel.info', [], 'x'), [200, -32602, 'x']],
    [request('kernel.info', 'x', 'x'), [200, -32602, 'x']],
    [request('kernel.info', null, 'x'), [200, undefined, 'x']],
    [request('kernel.info', {}, 0), [200, undefined, 0]],
    [request('kernel.info', {}, ''), [200, undefined, '']],
    [request('kernel.info', {}, 1.5), [200, undefined, 1.5]],
    ['{"jsonrpc":"2.0","id":1,"method":"kernel.info"}', [200, undefined, 1]],
    [request('kernel.info', { unheard_of: 1 }), [200, undefined, 1]],
  ] as const) {
    expect(gist(await os.post(body)), body).toEqual(expected);
  }
});

proves('wire:errors', 'who says who it is hears it again', async () => {
  const os = await daemon.workspace();
  const answer = await os.post(request('kernel.info'), { 'x-client-id': 'abcdef0123456789', 'x-client-kind': 'cli' });
  expect([answer.status, answer.headers['x-client-id']]).toEqual([200, 'abcdef0123456789']);
});

proves('wire:errors', 'other paths and other ways to ask are refused', async () => {
  const os = await daemon.workspace();
  expect((await os.send({ method: 'GET', path: '/rpc' })).status).toBe(405);
  expect((await os.send({ method: 'POST', path: '/nowhere' }, '{}')).status).toBe(404);
});

/** What was promised, written out once more. */
const METHODS: Readonly<Record<string, string>> = {
  agent: 'create get list terminate transition',
  api: 'list_methods version_info',
  cap: 'check_fs check_model check_net check_tool create derive get',
  events: 'append tail',
  fs: 'delete exists gc_orphaned list read set_mode stat write',
  ledger: 'charge check create get list_breached refund update_grant',
  mbox: 'create delete gc_expired list_subscriptions peek publish recv send subscribe unsubscribe',
  observe: 'proc prometheus summary trace',
  registry: 'list lookup register unregister unregister_pid',
  sched: 'cancel claim complete enqueue gc_expired get list',
};
const NAMES = [
  ...Object.entries(METHODS).flatMap(([noun, verbs]) => verbs.split(' ').map((verb) => `kernel.${noun}.${verb}`)),
  'kernel.info',
].toSorted();
/** The system's own, which earlier clients do not know of. */
const OWN = Object.keys(OPERATIONS)
  .filter((name) => !name.startsWith('kernel.'))
  .toSorted();

proves('wire:contract', async () => {
  const os = await daemon.workspace();
  expect(NAMES).toHaveLength(58);
  const counts = { stable: 58, experimental: OWN.length, deprecated: 0 };
  const list = (tier?: unknown) => os.call('kernel.api.list_methods', { tier });
  expect(await list()).toEqual({ methods: NAMES, tier_counts: counts });
  expect(await list(null)).toEqual({ methods: NAMES, tier_counts: counts });
  expect(await list('stable')).toEqual({ methods: NAMES, tier_counts: counts });
  expect(await list('experimental')).toEqual({ methods: OWN, tier_counts: counts });
  expect(await list('deprecated')).toEqual({ methods: [], tier_counts: counts });
  expect(await os.refused('kernel.api.list_methods', { tier: 'golden' })).toEqual({
    code: -32602,
    data: { field: 'tier', fault: 'invalid_argument' },
  });
});

proves('wire:contract', 'the versions are said', async () => {
  const os = await daemon.workspace();
  const documents = [3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32];
  expect(await os.call('kernel.api.version_info')).toEqual({
    kernel_version: VERSION,
    schema_version: 5,
    api_version: '0',
    method_count: 58,
    tier_counts: { stable: 58, experimental: OWN.length, deprecated: 0 },
    rfcs_implemented: documents,
  });
});

proves('wire:contract', 'every promised method is served', async () => {
  const os = await daemon.workspace();
  for (const name of NAMES) {
    const [, code] = gist(await os.post(request(name, { pid: [] })));
    expect(code, name).not.toBe(-32601);
  }
});

proves('wire:contract', "what is missing and what was never promised is reported, and other names are nobody's business", () => {
  const served = Object.keys(OPERATIONS);
  expect(verifyContract(served)).toEqual({ missing: [], extra: [], by_tier: { stable: NAMES, experimental: [], deprecated: [] } });
  const strayed = served.filter((name) => name !== 'kernel.info').concat('kernel.agent.fly', 'agent.fly');
  expect(verifyContract(strayed)).toMatchObject({ missing: ['kernel.info'], extra: ['kernel.agent.fly'] });
});

proves('wire:typed-errors', 'each kind of failure has its number, its word and its details', async () => {
  const os = await daemon.workspace();
  const { pid } = await os.call('kernel.agent.create', { name: 'a', template: 't' });
  const answer = await os.post(request('kernel.agent.transition', { pid, target_state: 'WAITING' }));
  expect(JSON.parse(answer.text)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: -32103,
      message: `Cannot move process ${pid} from READY to WAITING`,
      data: { pid, prev_state: 'READY', target_state: 'WAITING', fault: 'illegal_transition' },
    },
  });
});

async function batch(os: Client, requests: readonly unknown[]): Promise<readonly [status: number, answers: unknown]> {
  const { status, text } = await os.post(JSON.stringify(requests));
  return [status, text === '' ? undefined : JSON.parse(text)];
}

proves('wire:typed-errors', 'a batch is answered in its order, without its notifications', async () => {
  const os = await daemon.workspace();
  const create = { jsonrpc: '2.0', method: 'kernel.agent.create', params: { name: 'a', template: 't' } };
  const [status, answers] = await batch(os, [
    { ...create, id: 'one' },
    create,
    { ...create, id: 2, method: 'kernel.nothing' },
    5,
    { ...create, id: 3 },
  ]);
  expect(status).toBe(200);
  expect(answers).toMatchObject([
    { id: 'one', result: { pid: 1 } },
    { id: 2, error: { code: -32601 } },
    { id: null, error: { code: -32600 } },
    { id: 3, result: { pid: 3 } },
  ]);
  expect(await batch(os, [create, create])).toEqual([204, undefined]);
  expect((await batch(os, []))[1]).toMatchObject({ id: null, error: { code: -32600 } });
  expect((await os.call('kernel.info')).agent_count).toBe(5);
});

proves('wire:typed-errors', 'a body that is too large or too deep is refused, and the daemon goes on', async () => {
  const os = await daemon.workspace();
  const large = await os.post(request('kernel.agent.create', { name: 'a', template: 't', metadata: { text: 'x'.repeat(BODY_BYTES_MAX) } }));
  expect(large.status).toBe(413);
  expect(JSON.parse(large.text)).toMatchObject({ id: null, error: { code: -32009, data: { fault: 'too_large', limit: BODY_BYTES_MAX } } });
  const deep = await os.post(`{"jsonrpc":"2.0","id":1,"method":"kernel.info","params":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_001)}`);
  expect(gist(deep)).toEqual([200, -32009, null]);
  expect((await os.call('kernel.info')).agent_count).toBe(0);
});
