import { expect } from 'vitest';
import type { Client } from './client.ts';
import { shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

type Params = Readonly<Record<string, unknown>>;

async function create(os: Client): Promise<number> {
  return (await os.call('kernel.agent.create', { name: 'a', template: 't' })).pid;
}

async function register(os: Client, pid: number, name: string, more: Params = {}): Promise<void> {
  expect(await os.call('kernel.registry.register', { name, pid, ...more })).toEqual({ name, pid });
}

async function list(os: Client, params: Params = {}): Promise<readonly string[]> {
  return (await os.call('kernel.registry.list', params)).entries.map(({ name }) => name);
}

proves('name:register', async () => {
  const os = await daemon.workspace();
  const [pid, other] = [await create(os), await create(os)];
  await register(os, pid, '/agents/älice', { tags: ['b', 'a', 'b'], metadata: { n: 1 } });
  expect(await os.call('kernel.registry.lookup', { name: '/agents/älice' })).toEqual({
    name: '/agents/älice',
    pid,
    tags: ['b', 'a'],
    metadata: { n: 1 },
    registered_at: daemon.now,
  });
  const taken = await os.refused('kernel.registry.register', { name: '/agents/älice', pid: other });
  expect(taken).toEqual({ code: -32152, data: { name: '/agents/älice', pid, fault: 'name_taken' } });
  expect(await os.refused('kernel.registry.register', { name: 'x', pid: 99 })).toEqual({
    code: -32102,
    data: { pid: 99, fault: 'unknown_pid' },
  });
  expect(await os.refused('kernel.registry.lookup', { name: 'nobody' })).toEqual({
    code: -32151,
    data: { name: 'nobody', fault: 'name_not_found' },
  });
});

proves('name:register', 'what is no name, and too many tags, are refused', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const refused = (params: Params) => os.refused('kernel.registry.register', { pid, ...params });
  for (const name of ['', 'a\0b', 'a\nb', 'x'.repeat(257), 'ä'.repeat(129)]) {
    expect(await refused({ name })).toEqual({ code: -32153, data: { field: 'name', name: name.slice(0, 256), fault: 'name_invalid' } });
  }
  const tags = { code: -32153, data: { field: 'tags', fault: 'name_invalid' } };
  expect(await refused({ name: 'a', tags: Array.from({ length: 40 }, (_, index) => `t${index}`) })).toEqual(tags);
  expect(await refused({ name: 'a', tags: [''] })).toEqual(tags);
  expect(await refused({ name: 'a', tags: 'one' })).toEqual({ code: -32602, data: { field: 'tags', fault: 'invalid_argument' } });
  expect(await list(os)).toEqual([]);
  await register(os, pid, 'ä'.repeat(128), { tags: Array.from({ length: 32 }, (_, index) => `t${index}`) });
});

proves('name:register', 'a prefix and a tag are what they say, letter by letter', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  for (const [name, tag] of [
    ['/agents/100%', 'a%'],
    ['/agents/1000', 'ab'],
    ['/Agents/x', 'A%'],
    ['/agents/100_', 'ä'],
    ['b', 'a%'],
  ] as const) {
    await register(os, pid, name, { tags: [tag] });
  }
  expect(await list(os)).toEqual(['/Agents/x', '/agents/1000', '/agents/100%', '/agents/100_', 'b'].toSorted());
  expect(await list(os, { prefix: '/agents/100%' })).toEqual(['/agents/100%']);
  expect(await list(os, { prefix: '/agents/100_' })).toEqual(['/agents/100_']);
  expect(await list(os, { prefix: '/agents/' })).toEqual(['/agents/100%', '/agents/1000', '/agents/100_']);
  expect(await list(os, { tag: 'a%' })).toEqual(['/agents/100%', 'b']);
  expect(await list(os, { tag: 'ä' })).toEqual(['/agents/100_']);
  expect(await list(os, { prefix: '/agents/', tag: 'a%' })).toEqual(['/agents/100%']);
  expect(await os.call('kernel.registry.list', { limit: 1, offset: 1 })).toMatchObject({ entries: [{ name: '/agents/100%' }], total: 5 });
});

proves('name:register', 'names are taken away one by one, or all of a process and of no other', async () => {
  const os = await daemon.workspace();
  const [pid, other] = [await create(os), await create(os)];
  for (const name of ['a', 'b', 'c']) await register(os, pid, name);
  await register(os, other, 'd');
  expect(await os.call('kernel.registry.unregister', { name: 'a' })).toEqual({ name: 'a', removed: 1 });
  expect(await os.call('kernel.registry.unregister', { name: 'a' })).toEqual({ name: 'a', removed: 0 });
  expect(await os.call('kernel.registry.unregister_pid', { pid })).toEqual({ pid, removed: 2 });
  expect(await os.call('kernel.registry.unregister_pid', { pid })).toEqual({ pid, removed: 0 });
  expect(await list(os)).toEqual(['d']);
  await register(os, other, 'a');
});

proves('name:register', 'names go with their process', async () => {
  const os = await daemon.workspace();
  const [pid, other] = [await create(os), await create(os)];
  await register(os, pid, 'service');
  await os.call('kernel.agent.terminate', { pid, exit_kind: 'crashed' });
  expect((await os.refused('kernel.registry.lookup', { name: 'service' })).code).toBe(-32151);
  await register(os, other, 'service');
  expect(await os.refused('kernel.registry.register', { name: 'ghost', pid })).toEqual({
    code: -32103,
    data: { pid, prev_state: 'DEAD', target_state: null, fault: 'illegal_transition' },
  });
});
