import { describe, expect, it } from 'vitest';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';

async function create(test: TestKernel, parentPid?: number): Promise<number> {
  return (await test.mine.processes.create({ name: 'a', template: 't', parentPid })).pid;
}

async function listed({ mine }: TestKernel, filter: Parameters<typeof mine.names.list>[0] = {}): Promise<readonly string[]> {
  return (await mine.names.list(filter)).entries.map(({ name }) => name);
}

async function nameEvents(test: TestKernel) {
  const { events } = await test.mine.events.tail({});
  return events.filter(({ kind }) => kind.startsWith('kernel.name.')).map(({ kind, pid, payload, causationId }) => ({ kind, pid, payload, causationId })); // biome-ignore format: one line
}

describe('registering a name', () => {
  it('makes it found, by whoever looks, also after a restart', async () => {
    await using test = await openTestKernel();
    const pid = await create(test);
    const entry = await test.mine.names.register('/agents/ключ', pid, { tags: ['b', 'a', 'b'], metadata: { port: 5 } });
    expect(entry).toEqual({ name: '/agents/ключ', pid, tags: ['b', 'a'], metadata: { port: 5 }, registeredAt: test.clock.now() });
    await test.reopen();
    expect(await test.mine.names.lookup('/agents/ключ')).toEqual(entry);
    expect(await nameEvents(test)).toEqual([
      { kind: 'kernel.name.registered', pid, payload: { name: '/agents/ключ', tags: ['b', 'a'] }, causationId: undefined },
    ]);
  });

  it('is refused when somebody has it, be it the same process', async () => {
    await using test = await openTestKernel();
    const [one, other] = [await create(test), await create(test)];
    await test.mine.names.register('db', one);
    for (const pid of [one, other]) {
      await expect(test.mine.names.register('db', pid)).rejects.toMatchObject({ code: 'name_taken', details: { name: 'db', pid: one } });
    }
    expect((await test.mine.names.lookup('db')).pid).toBe(one);
  });

  it('needs a process, and one that lives', async () => {
    await using test = await openTestKernel();
    await expect(test.mine.names.register('db', 9)).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 9 } });
    const pid = await create(test);
    await test.mine.processes.end(pid, 'completed');
    await expect(test.mine.names.register('db', pid)).rejects.toMatchObject({
      code: 'illegal_transition',
      details: { pid, prev_state: 'DEAD' },
    });
  });

  it.each(['', 'a\0b', 'a\nb', 'x'.repeat(257), 'é'.repeat(129), '\ud800', 5 as unknown as string])('refuses the name %j', async (name) => {
    await using test = await openTestKernel();
    const pid = await create(test);
    const shown = typeof name === 'string' ? name.slice(0, 256).toWellFormed() : null;
    await expect(test.mine.names.register(name, pid)).rejects.toMatchObject({
      code: 'name_invalid',
      details: { field: 'name', name: shown },
    });
  });

  it.each(['x', 'é'.repeat(128), "'; DROP TABLE names; --", '__proto__', '%', '名前 🎉'])('takes the name %j', async (name) => {
    await using test = await openTestKernel();
    const pid = await create(test);
    await test.mine.names.register(name, pid, { tags: [name], metadata: JSON.parse('{"__proto__":1}') });
    expect(JSON.stringify((await test.mine.names.lookup(name)).metadata)).toBe('{"__proto__":1}');
    expect(await listed(test, { tag: name })).toEqual([name]);
  });

  it.each([
    ['tags', { tags: Array.from({ length: 40 }, (_, index) => `t${index}`) }],
    ['tags', { tags: [''] }],
    ['tags', { tags: [5 as unknown as string] }],
    ['tags', { tags: 'tag' as unknown as string[] }],
    ['metadata', { metadata: [] as unknown as { [key: string]: null } }],
  ])('refuses bad %s: %j', async (field, options) => {
    await using test = await openTestKernel();
    const pid = await create(test);
    await expect(test.mine.names.register('db', pid, options)).rejects.toMatchObject({ code: 'name_invalid', details: { field } });
    await expect(test.mine.names.lookup('db')).rejects.toMatchObject({ code: 'name_not_found', details: { name: 'db' } });
  });

  it('is bounded for each process, and metadata is too', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const [full, free] = [await create(test), await create(test)];
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => test.mine.names.register(`n${index}`, full)));
    await expect(test.mine.names.register('more', full)).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { pid: full, dim: 'names', used: 1_000, hard_limit: 1_000 },
    });
    await test.mine.names.register('more', free);
    const metadata = { text: 'x'.repeat(1_100_000) };
    await expect(test.mine.names.register('large', free, { metadata })).rejects.toMatchObject({ code: 'too_large' });
  });
});

describe('a name', () => {
  it('goes when it is unregistered, once, by its owner only', async () => {
    await using test = await openTestKernel();
    const [owner, other] = [await create(test), await create(test)];
    await test.mine.names.register('db', owner);
    await expect(test.mine.names.unregister('db', other)).rejects.toMatchObject({
      code: 'permission_denied',
      details: { name: 'db', pid: owner },
    });
    expect(await test.mine.names.unregister('db', owner)).toBe(true);
    expect([await test.mine.names.unregister('db', other), await test.mine.names.unregister('db')]).toEqual([false, false]);
    await test.mine.names.register('db', other);
    expect(await test.mine.names.unregister('db')).toBe(true);
    await expect(test.mine.names.lookup('db')).rejects.toMatchObject({ code: 'name_not_found' });
  });

  it('goes with all others of its process, and no others', async () => {
    await using test = await openTestKernel();
    const [one, other] = [await create(test), await create(test)];
    for (const name of ['b', 'a']) await test.mine.names.register(name, one);
    await test.mine.names.register('c', other);
    expect([await test.mine.names.unregisterAll(one), await test.mine.names.unregisterAll(one)]).toEqual([2, 0]);
    expect(await listed(test)).toEqual(['c']);
    expect((await nameEvents(test)).slice(3).map(({ kind, payload }) => [kind, payload])).toEqual([
      ['kernel.name.unregistered', { name: 'a' }],
      ['kernel.name.unregistered', { name: 'b' }],
    ]);
  });

  it('dies with its process, also when that ends with its parent, and the event says why', async () => {
    await using test = await openTestKernel();
    const parent = await create(test);
    const child = await create(test, parent);
    await test.mine.names.register('db', child, { tags: ['t'] });
    await test.mine.processes.signal(parent, 'kill');
    await expect(test.mine.names.lookup('db')).rejects.toMatchObject({ code: 'name_not_found' });
    expect(await listed(test, { tag: 't' })).toEqual([]);
    const [ended] = await test.mine.events.newest({ pid: child, kind: 'kernel.process.terminated' });
    expect((await nameEvents(test)).at(-1)).toEqual({
      kind: 'kernel.name.unregistered',
      pid: child,
      payload: { name: 'db' },
      causationId: ended?.id,
    });
    await test.mine.names.register('db', await create(test));
  });
});

describe('listing names', () => {
  it('is by literal prefix, exact tag and owner, where case counts', async () => {
    await using test = await openTestKernel();
    const [one, other] = [await create(test), await create(test)];
    const names: readonly (readonly [string, number, readonly string[]])[] = [
      ['/agents/100%', one, ['größe']],
      ['/agents/1000', one, ['a_c']],
      ['/agents/100x', other, ['abc']],
      ['/Agents/100', other, ['Größe', 'a%']],
    ];
    for (const [name, pid, tags] of names) await test.mine.names.register(name, pid, { tags });
    expect(await listed(test, { prefix: '/agents/100%' })).toEqual(['/agents/100%']);
    expect(await listed(test, { prefix: '/agents/' })).toEqual(['/agents/100%', '/agents/1000', '/agents/100x']);
    expect([await listed(test, { tag: 'größe' }), await listed(test, { tag: 'a_c' }), await listed(test, { tag: '%' })]).toEqual([['/agents/100%'], ['/agents/1000'], []]); // biome-ignore format: one line
    expect(await listed(test, { pid: other, prefix: '/agents' })).toEqual(['/agents/100x']);
    expect(await listed(test, { prefix: '' })).toHaveLength(4);
  });

  it('is by name, in pages, and counts all', async () => {
    await using test = await openTestKernel();
    const pid = await create(test);
    for (const name of ['c', 'a', 'b']) await test.mine.names.register(name, pid);
    const page = await test.mine.names.list({}, { limit: 1, offset: 1 });
    expect([page.entries.map(({ name }) => name), page.total]).toEqual([['b'], 3]);
    expect((await test.mine.names.list({}, { limit: -5, offset: -5 })).entries).toHaveLength(1);
  });
});
