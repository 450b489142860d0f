import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Embedder } from './embedder.ts';
import type { NewMemory, SearchOptions } from './memory.ts';
import { MemoryStore } from './memory-store.ts';
import { openMemory } from './open-memory.ts';

const DAY_MS = 86_400_000;
const NEVER = new AbortController().signal;

async function openTestMemory(embedder?: Embedder) {
  const directory = mkdtempSync(join(tmpdir(), 'warren-memory-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  let at = 1_700_000_000_000;
  let ids = 0;
  const pauses: { readonly ms: number; readonly end: () => void }[] = [];
  const pause = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      pauses.push({ ms, end: resolve });
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const open = (by: Embedder | undefined = embedder) =>
    openMemory({ directory, embedder: by, now: () => at, newId: () => `mem_${++ids}`, pause });
  let memory: ReturnType<typeof open>;
  try {
    memory = open();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    directory,
    pauses,
    get memory() {
      return memory;
    },
    async reopen(by?: Embedder) {
      await memory[Symbol.asyncDispose]();
      memory = open(by);
    },
    pass(ms: number) {
      at += ms;
    },
    async remember(...texts: readonly (string | NewMemory)[]) {
      return (await memory.store(texts.map((text) => (typeof text === 'string' ? { text } : text)))).map(({ id }) => id);
    },
    async texts(query: string, options?: SearchOptions) {
      return (await memory.search(query, options)).map(({ entry }) => entry.text);
    },
    /** Whether it stands in any file. */
    isOnDisk: (text: string) => readdirSync(directory).some((file) => readFileSync(join(directory, file)).includes(text)),
    async [Symbol.asyncDispose]() {
      await memory[Symbol.asyncDispose]();
      await remove();
    },
  };
}

/** A vector of which words a text has: near is what has many in common. */
const BY_WORDS: Embedder = {
  name: 'words',
  async embed(texts) {
    return texts.map((text) => {
      const vector = new Float32Array(256);
      for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
        for (let index = 0; index < 8; index++) {
          const at = [...word].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0) + index * 7_919) % 65_521, 7);
          vector[at % 256] = (vector[at % 256] ?? 0) + (at % 2 === 0 ? 1 : -1);
        }
      }
      return vector;
    });
  },
};

describe('a memory', () => {
  it('gives back what was stored, whole, also after it was opened again', async () => {
    await using t = await openTestMemory();
    const entry = { text: 'Der Schlüssel liegt unter der Matte', tags: ['home', 'keys'], source: 'chat', session: 's1', importance: 0.9, expiresAt: 2e12, isPinned: true, metadata: { by: 'ann' } }; // biome-ignore format: one line
    const [id = ''] = await t.remember(entry);
    await t.reopen();
    expect(await t.memory.find(id)).toEqual({ ...entry, labels: [], id, createdAt: 1_700_000_000_000, updatedAt: 1_700_000_000_000 });
  });

  it.each([
    [
      'English',
      ['The database migration failed on Tuesday', 'Lunch is at noon', 'The parking garage closes early'],
      'when did the migrations fail',
      'The database migration failed on Tuesday',
    ],
    [
      'Spanish',
      ['La contraseña del servidor está en la caja', 'Comemos a las dos'],
      '¿cuál es la contraseña?',
      'La contraseña del servidor está en la caja',
    ],
    ['Portuguese', ['A senha fica no cofre', 'O almoço é ao meio-dia'], 'qual é a senha', 'A senha fica no cofre'],
    ['Arabic', ['كلمة المرور في الخزنة', 'الغداء ظهرا'], 'ما هي كلمة المرور', 'كلمة المرور في الخزنة'],
    ['Chinese', ['我们讨论了数据库迁移方案', '午饭在中午'], '数据库', '我们讨论了数据库迁移方案'],
    ['Chinese, one character', ['我们讨论了数据库迁移方案', '午饭在中午'], '库', '我们讨论了数据库迁移方案'],
    [
      'Japanese',
      ['データベースのバックアップは毎晩行う', '昼食は正午です'],
      'バックアップについて教えて',
      'データベースのバックアップは毎晩行う',
    ],
    ['Korean', ['데이터베이스를 어제 옮겼다', '점심은 정오에 있다'], '데이터베이스는 어디에', '데이터베이스를 어제 옮겼다'],
  ])('finds what is meant in %s', async (_, texts, query, expected) => {
    await using t = await openTestMemory();
    await t.remember(...texts);
    expect((await t.texts(query))[0]).toBe(expected);
  });

  it.each([
    ['of something else', Buffer.from('garbage'.repeat(2_000))],
    ['of another database', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8_176, 0xa5)])],
  ])('whose file is %s says so, names no place and changes nothing', async (_, bytes) => {
    const directory = mkdtempSync(join(tmpdir(), 'warren-damaged-'));
    try {
      const path = join(directory, 'memory.db');
      writeFileSync(path, bytes);
      const { code, message } = thrownBy(() => new MemoryStore(path));
      expect([code, message.includes(directory)]).toEqual(['store_failed', false]);
      expect(readFileSync(path)).toEqual(bytes);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('finds nothing by what it keeps beside the text', async () => {
    await using t = await openTestMemory();
    await t.remember('React and TypeScript', 'Tea at four');
    for (const query of ['memory', 'none', 'mem', 'mem_1', 'source', '1']) expect([query, await t.texts(query)]).toEqual([query, []]);
  });

  it.each([
    '"',
    'a"b c-d',
    'NEAR(x y)',
    'terms:x',
    '*',
    '^x',
    '(((',
    'x OR',
    'NOT',
    '-',
    '\u202e',
    "'; DROP TABLE entries; --",
    'x'.repeat(10_000),
  ])('takes %j for words', async (query) => {
    await using t = await openTestMemory();
    await t.remember('something else');
    expect(await t.texts(query)).toEqual([]);
    expect(await t.memory.count()).toBe(1);
  });

  it('keeps one text once, and what was said of it last', async () => {
    await using t = await openTestMemory();
    const [first] = await t.memory.store([{ text: 'the same', tags: ['a'] }]);
    const [second, third] = await t.memory.store([{ text: ' the same\n', tags: ['b'], importance: 1 }, { text: 'another' }]);
    expect([second, third?.isDuplicate]).toEqual([{ id: first?.id, isDuplicate: true }, false]);
    expect(await t.memory.find(first?.id ?? '')).toMatchObject({ tags: ['a', 'b'], importance: 1 });
    await t.reopen();
    expect((await t.memory.store([{ text: 'the same' }]))[0]?.isDuplicate).toBe(true);
    expect(await t.memory.count()).toBe(2);
  });

  it('finds the part of a long text that is meant', async () => {
    await using t = await openTestMemory();
    const filler = Array.from({ length: 400 }, (_, index) => `Paragraph ${index} says nothing of note about the weather.`);
    await t.remember([...filler.slice(0, 300), 'The vault combination is kept by Aurelia.', ...filler.slice(300)].join('\n'));
    const [found] = await t.memory.search('who keeps the vault combination');
    expect(found?.snippet).toContain('kept by Aurelia');
    expect(found?.snippet.length).toBeLessThanOrEqual(700);
    expect(found?.why.terms).toEqual(expect.arrayContaining(['vault', 'combination']));
  });

  it('holds results to what is asked for', async () => {
    await using t = await openTestMemory();
    await t.remember(
      { text: 'apple one', tags: ['a', 'b'], session: 's1', source: 'chat', createdAt: 1_000 },
      { text: 'apple two', tags: ['a'], session: 's2', createdAt: 2_000 },
    );
    expect(await t.texts('apple', { tags: ['a', 'b'] })).toEqual(['apple one']);
    expect(await t.texts('apple', { session: 's2' })).toEqual(['apple two']);
    expect(await t.texts('apple', { source: 'chat' })).toEqual(['apple one']);
    expect(await t.texts('apple', { since: 1_500 })).toEqual(['apple two']);
    expect(await t.texts('apple', { until: 1_500 })).toEqual(['apple one']);
    expect(await t.texts('apple', { limit: 1 })).toHaveLength(1);
    expect(await t.texts('apple', { minScore: 1 })).toEqual([]);
    expect((await t.memory.list({ tags: ['a'] })).map(({ text }) => text)).toEqual(['apple two', 'apple one']);
  });

  it('counts what is new, important and unlike as it is asked to', async () => {
    await using t = await openTestMemory();
    await t.remember(
      { text: 'the deploy key changed in spring', createdAt: 1_700_000_000_000 - 90 * DAY_MS },
      { text: 'the deploy key changed in autumn' },
    );
    expect((await t.memory.search('deploy key', { halfLifeDays: 30 })).map(({ why }) => why.age)).toEqual([1, 0.125]);
    expect((await t.memory.search('deploy key')).map(({ why }) => why.age)).toEqual([1, 1]);
    await t.remember({ text: 'deploy key: ask Olga', importance: 1 }, { text: 'deploy key: ask Ivan', importance: 0 });
    const scores = new Map((await t.memory.search('ask')).map(({ entry, score }) => [entry.text.slice(-4), score]));
    expect(scores.get('Olga')).toBeGreaterThan(scores.get('Ivan') ?? 1);
  });

  it('forgets for good: in no file is anything of it', async () => {
    await using t = await openTestMemory();
    const [id = ''] = await t.remember({ text: 'the marker is xylophonequartz', tags: ['zirconiumtag'] }, 'another');
    expect(t.isOnDisk('xylophonequartz')).toBe(true);
    expect([await t.memory.forget(id), await t.memory.forget(id)]).toEqual([true, false]);
    for (const marker of ['xylophonequartz', 'xylophonequart', 'zirconiumtag'])
      expect([marker, t.isOnDisk(marker)]).toEqual([marker, false]);
    expect(await t.texts('xylophonequartz')).toEqual([]);
  });

  it('forgets all that a filter names, and nothing else', async () => {
    await using t = await openTestMemory();
    await t.remember(
      ...Array.from({ length: 1_500 }, (_, index) => ({ text: `number ${index}`, session: index < 1_200 ? 'gone' : 'kept' })),
    );
    expect(await t.memory.forgetAll({ session: 'gone' })).toBe(1_200);
    expect([await t.memory.count(), (await t.texts('number', { limit: 100 })).length]).toEqual([300, 100]);
  });

  it('lets go of what has expired, and not of what is pinned', async () => {
    await using t = await openTestMemory();
    const expiresAt = 1_700_000_000_000 + DAY_MS;
    const [gone = '', kept = ''] = await t.remember(
      { text: 'short lived apple', expiresAt },
      { text: 'pinned apple', expiresAt, isPinned: true },
    );
    expect(await t.texts('apple')).toHaveLength(2);
    t.pass(DAY_MS);
    expect(await t.texts('apple')).toEqual(['pinned apple']);
    expect([await t.memory.find(gone), (await t.memory.find(kept))?.text]).toEqual([undefined, 'pinned apple']);
    expect(await t.memory.list()).toHaveLength(1);
    expect(t.isOnDisk('short lived')).toBe(false);
  });

  it('changes an entry, of which the old text is gone', async () => {
    await using t = await openTestMemory();
    const [id = '', other = ''] = await t.remember('the quokka sleeps', 'another');
    expect(await t.memory.update(id, { text: 'the wombat sleeps', tags: ['x'] })).toMatchObject({
      id,
      text: 'the wombat sleeps',
      tags: ['x'],
    });
    expect([await t.texts('quokka'), await t.texts('wombat'), t.isOnDisk('quokka')]).toEqual([[], ['the wombat sleeps'], false]);
    await expect(t.memory.update(id, { text: 'another' })).rejects.toMatchObject({ code: 'already_exists', details: { id: other } });
    await expect(t.memory.update('mem_x', { text: 'y' })).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['text', { text: '' }],
    ['text', { text: 'a\0b' }],
    ['text', { text: '\ud800' }],
    ['text', { text: 'x'.repeat(1_000_001) }],
    ['tags', { text: 'x', tags: Array.from({ length: 33 }, String) }],
    ['importance', { text: 'x', importance: Number.NaN }],
    ['createdAt', { text: 'x', createdAt: 1.5 }],
    ['metadata', { text: 'x', metadata: { big: 'x'.repeat(20_000) } }],
  ])('stores nothing when %s is unfit', async (field, entry) => {
    await using t = await openTestMemory();
    await expect(t.memory.store([{ text: 'good' }, entry])).rejects.toMatchObject({
      code: 'invalid_argument',
      details: { field, index: 1 },
    });
    expect(await t.memory.count()).toBe(0);
  });

  it('says the same as a list of all texts that have a word, whatever is stored, changed and forgotten', async () => {
    const word = fc.constantFrom('apple', 'banana', 'cherry', 'damson', 'elder', 'fig');
    const text = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('store' as const), text }),
      fc.record({ kind: fc.constant('forget' as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant('update' as const), at: fc.nat(20), text }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using t = await openTestMemory(BY_WORDS);
        const model = new Map<string, string>();
        for (const each of steps) {
          const id = each.kind === 'store' ? undefined : [...model.keys()][each.at % Math.max(1, model.size)];
          const isKnown = 'text' in each && [...model.values()].includes(each.text);
          if (each.kind === 'store') for (const stored of await t.memory.store([{ text: each.text }])) model.set(stored.id, each.text);
          else if (id !== undefined && each.kind === 'forget') model.delete((await t.memory.forget(id)) ? id : '');
          else if (id !== undefined && each.kind === 'update' && !isKnown)
            model.set((await t.memory.update(id, { text: each.text })).id, each.text);
        }
        expect(await t.memory.count()).toBe(model.size);
        for (const name of ['apple', 'fig']) {
          const found = (await t.memory.search(name, { limit: 100 }))
            .filter(({ why }) => why.terms.includes(name))
            .map(({ entry }) => entry.text);
          expect(found.toSorted()).toEqual([...model.values()].filter((each) => each.split(' ').includes(name)).toSorted());
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('a memory with vectors', () => {
  it('finds by meaning what has not the words, and says how near it is', async () => {
    const near: Embedder = {
      name: 'two groups',
      embed: async (texts) =>
        texts.map((text) => Float32Array.from({ length: 64 }, (_, index) => (/car|vehicle|auto/.test(text) === index < 32 ? 1 : -1))),
    };
    await using t = await openTestMemory(near);
    await t.remember('the car is red', 'the tea is green');
    await t.memory.embedPending(NEVER);
    const [found] = await t.memory.search('vehicle colour');
    expect(found).toMatchObject({ entry: { text: 'the car is red' }, why: { text: undefined, terms: [] } });
    expect(found?.why.vector).toBeCloseTo(1, 2);
  });

  it('goes by words when vectors cannot be had', async () => {
    let isUp = true;
    const embedder: Embedder = {
      name: 'sometimes',
      embed: (texts, signal) => (isUp ? BY_WORDS.embed(texts, signal) : Promise.reject(new Error('down'))),
    };
    await using t = await openTestMemory(embedder);
    await t.remember('the car is red');
    isUp = false;
    await t.remember('the car is blue');
    expect((await t.texts('car')).toSorted()).toEqual(['the car is blue', 'the car is red']);
  });

  it('ends when it is told to', async () => {
    const embedder: Embedder = {
      name: 'slow',
      embed: (texts, signal) =>
        texts[0] === 'question'
          ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          : BY_WORDS.embed(texts, signal),
    };
    await using t = await openTestMemory(embedder);
    await t.remember('the car is red');
    await t.memory.embedPending(NEVER);
    const controller = new AbortController();
    const searching = t.memory.search('question', {}, controller.signal);
    controller.abort(new Error('enough'));
    await expect(searching).rejects.toThrow('enough');
  });

  /** Each text is near itself only; counts what it was asked for. */
  function counting(name: string, isUp: () => boolean = () => true) {
    const asked: string[] = [];
    const embedder: Embedder = {
      name,
      async embed(texts, signal) {
        signal.throwIfAborted();
        if (!isUp()) throw new Fault('unavailable', 'Cannot embed: it is down');
        asked.push(...texts);
        return await BY_WORDS.embed(texts, signal);
      },
    };
    return { embedder, asked };
  }
  const vectorsOf = async (t: Awaited<ReturnType<typeof openTestMemory>>, query: string) =>
    (await t.memory.search(query, { limit: 100 })).filter(({ why }) => why.vector !== undefined).length;

  it.each([0, 1, 2, 3, 5, 8, 13, 21])('misses nothing that is stored %i turns after it was opened', async (turns) => {
    const { embedder } = counting('one', () => false);
    await using t = await openTestMemory(embedder);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await t.remember('a car');
    await expect.poll(() => t.pauses.length, { timeout: 10_000 }).toBe(1);
  });

  it('gives what was stored while the provider was down its vector when it is back, and asks it no more than it has to', async () => {
    let isUp = false;
    const { embedder, asked } = counting('one', () => isUp);
    await using t = await openTestMemory(embedder);
    await t.remember(...Array.from({ length: 150 }, (_, index) => `car number ${index}`));
    await expect(t.memory.embedPending(NEVER)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await t.texts('number 7')).toContain('car number 7');
    await expect.poll(() => t.pauses.length).toBe(1);
    await t.remember('while it is known to be down');
    isUp = true;
    t.pauses[0]?.end();
    await expect.poll(() => asked.length).toBe(151);
    await t.memory.embedPending(NEVER);
    expect([asked.length, await vectorsOf(t, 'car number')]).toEqual([151, 100]);
    expect(t.pauses[0]?.ms).toBe(5_000);
    await t.reopen(embedder);
    await t.memory.embedPending(NEVER);
    expect(asked).toHaveLength(152);
  });

  it('makes all anew for another model, in parts that outlive a restart, and never compares the two', async () => {
    const one = counting('one');
    await using t = await openTestMemory(one.embedder);
    await t.remember(...Array.from({ length: 200 }, (_, index) => `car number ${index}`));
    await t.memory.embedPending(NEVER);
    expect(await vectorsOf(t, 'car')).toBe(100);
    const stopping = new AbortController();
    const other = counting('other');
    const interrupted: Embedder = {
      name: 'other',
      async embed(texts, signal) {
        if (other.asked.length >= 128) stopping.abort(new Error('enough'));
        stopping.signal.throwIfAborted();
        return await other.embedder.embed(texts, signal);
      },
    };
    await t.reopen(interrupted);
    await expect(t.memory.embedPending(stopping.signal)).rejects.toThrow('enough');
    expect(other.asked.filter((text) => text.startsWith('car number'))).toHaveLength(128);
    await t.reopen(other.embedder);
    await t.memory.embedPending(NEVER);
    expect(new Set(other.asked).size).toBe(other.asked.length);
    expect(await vectorsOf(t, 'car number')).toBe(100);
  });

  it('compares also what words alone found', async () => {
    await using t = await openTestMemory(BY_WORDS);
    await t.remember(...Array.from({ length: 300 }, (_, index) => `red green number${index}`));
    await t.memory.store([{ text: 'rare blue yellow black white', tags: ['asked for'] }]);
    await t.memory.embedPending(NEVER);
    // Three hundred are nearer, and none of them may be it.
    const [found] = await t.memory.search('rare red green', { tags: ['asked for'] });
    expect(found?.why.vector).toBeGreaterThan(0);
  });

  it('lets words speak beside meaning: a match half as good counts half as much', async () => {
    await using t = await openTestMemory(BY_WORDS);
    await t.remember(
      'alpha beta gamma delta',
      'alpha one two three',
      'beta gamma four five',
      ...Array.from({ length: 40 }, (_, n) => `other text ${n}`),
    );
    await t.memory.embedPending(NEVER);
    const shares = (await t.memory.search('alpha beta gamma delta')).map(({ entry, why }) => [entry.text, why.text ?? 0] as const);
    const of = (text: string): number => shares.find(([each]) => each === text)?.[1] ?? 0;
    expect(of('alpha beta gamma delta')).toBeGreaterThan(of('beta gamma four five') * 1.5);
    expect(of('beta gamma four five')).toBeGreaterThan(of('alpha one two three') * 1.2);
  });

  it('goes by words while vectors of another model are left', async () => {
    const one = counting('one');
    await using t = await openTestMemory(one.embedder);
    await t.remember('the car is red');
    await t.memory.embedPending(NEVER);
    await t.reopen(counting('down', () => false).embedder);
    await expect(t.memory.embedPending(NEVER)).rejects.toMatchObject({ code: 'unavailable' });
    const [found] = await t.memory.search('car');
    expect([found?.entry.text, found?.why.vector]).toEqual(['the car is red', undefined]);
  });

  it('is not held up by a text that never will have a vector, nor takes a provider that refuses all for texts that are', async () => {
    let refuses = true;
    const picky: Embedder = {
      name: 'picky',
      async embed(texts, signal) {
        if (refuses || texts.some((text) => text.includes('unfit'))) throw new Fault('invalid_argument', 'Cannot embed: it is refused');
        return await BY_WORDS.embed(texts, signal);
      },
    };
    await using t = await openTestMemory(picky);
    await t.remember('an unfit car', 'a fit car', 'another car');
    await expect(t.memory.embedPending(NEVER)).rejects.toMatchObject({ code: 'unavailable' });
    refuses = false;
    await t.memory.embedPending(NEVER);
    expect([await vectorsOf(t, 'a fit car'), (await t.texts('unfit')).length]).toEqual([2, 1]);
  });

  it('takes no vectors of another length', async () => {
    await using t = await openTestMemory(BY_WORDS);
    await t.remember('the car is red');
    await t.memory.embedPending(NEVER);
    await t.reopen({ name: 'words', embed: async (texts) => texts.map(() => new Float32Array(3).fill(1)) });
    await t.remember('the car is blue');
    await expect(t.memory.embedPending(NEVER)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('3 dimensions, not 256'),
    });
    expect((await t.texts('car')).toSorted()).toEqual(['the car is blue', 'the car is red']);
  });

  it('asks once for a question that is asked again', async () => {
    const { embedder, asked } = counting('one');
    await using t = await openTestMemory(embedder);
    await t.remember('the car is red');
    await t.memory.embedPending(NEVER);
    for (let n = 0; n < 3; n++) await t.memory.search('a question');
    await t.reopen(embedder);
    await t.memory.search('a question');
    expect(asked.filter((text) => text === 'a question')).toHaveLength(1);
  });

  it('finds no forgotten entry by its vector, and new ones beside it', async () => {
    const { embedder } = counting('one');
    await using t = await openTestMemory(embedder);
    const ids = await t.remember('red car', 'blue car', 'green car');
    await t.memory.embedPending(NEVER);
    expect(await vectorsOf(t, 'car')).toBe(3);
    await t.memory.forget(ids[2] ?? '');
    await t.memory.forget(ids[0] ?? '');
    await t.memory.update(ids[1] ?? '', { text: 'blue bicycle car' });
    await t.remember('white car');
    await t.memory.embedPending(NEVER);
    expect((await t.texts('car')).toSorted()).toEqual(['blue bicycle car', 'white car']);
    expect(await vectorsOf(t, 'car')).toBe(2);
  });

  it('closes at once while a provider does not answer', async () => {
    const hanging: Embedder = {
      name: 'hanging',
      embed: (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    };
    await using t = await openTestMemory(hanging);
    await t.remember(...Array.from({ length: 100 }, (_, index) => `car ${index}`));
    await t.reopen(BY_WORDS);
    await t.memory.embedPending(NEVER);
    expect(await vectorsOf(t, 'car')).toBe(100);
  });
});

function thrownBy(act: () => unknown): Fault {
  try {
    act();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('It did not fail');
}
