import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSessions } from './open-sessions.ts';
import { readEarlierTranscript } from './read-earlier-transcript.ts';
import type { EntryBody, SessionEntry } from './sessions.ts';
import { textOf } from './text-of.ts';

const user = (content: string): EntryBody => ({ type: 'message', role: 'user', content });
const texts = (entries: readonly SessionEntry[]) => entries.map(textOf);

function openTestSessions(bytesMax?: number) {
  const folder = join(mkdtempSync(join(tmpdir(), 'warren-sessions-')), 'sessions');
  let ids = 0;
  let at = 1_700_000_000_000;
  const open = () => openSessions({ folder, newId: () => `e${++ids}`, now: () => at++, bytesMax });
  let sessions = open();
  return {
    folder,
    fileOf: (id: string) => join(folder, `${id}.jsonl`),
    get sessions() {
      return sessions;
    },
    async reopen() {
      await sessions[Symbol.asyncDispose]();
      sessions = open();
    },
    async [Symbol.asyncDispose]() {
      await sessions[Symbol.asyncDispose]();
      await rm(join(folder, '..'), { recursive: true, force: true });
    },
  };
}

describe('a session', () => {
  it('has what was said, in order, also after it was opened again', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat', { agent: 'ann', title: 'About tea' });
    await session.append([user('hello'), { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Привет 😀' }] }]);
    await session.append([
      { type: 'model', provider: 'p', model: 'm' },
      { type: 'note', kind: 'cost', data: { micro: 3 } },
    ]);
    await t.reopen();
    expect(texts((await t.sessions.open('chat')).path())).toEqual(['About tea', 'hello', 'Привет 😀', 'p m', '']);
    expect(await t.sessions.list()).toMatchObject([{ id: 'chat', agent: 'ann', title: 'About tea' }]);
  });

  it('is one object, whose appends at once come one after the other', async () => {
    await using t = openTestSessions();
    await t.sessions.create('chat');
    const opened = await Promise.all([t.sessions.open('chat'), t.sessions.open('chat')]);
    await Promise.all(Array.from({ length: 20 }, (_, index) => opened[index % 2]?.append([user(`${index}`), user(`${index}b`)])));
    const path = (await t.sessions.open('chat')).path();
    expect(texts(path)).toEqual(Array.from({ length: 20 }, (_, index) => [`${index}`, `${index}b`]).flat());
    expect(path.map(({ parent }) => parent)).toEqual([undefined, ...path.slice(0, -1).map(({ id }) => id)]);
  });

  it('goes on from an earlier entry, and keeps what came after it', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat');
    const [one] = await session.append([user('one'), user('two'), user('three')]);
    await session.branch(one?.id ?? '');
    await session.append([user('other')]);
    await t.reopen();
    const again = await t.sessions.open('chat');
    expect([texts(again.path()), texts(again.entries())]).toEqual([['one', 'other'], ['one', 'two', 'three', 'other']]); // biome-ignore format: one line
    await expect(again.branch('nowhere')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('tells a model a summary in the place of what it stands for, and keeps all of it', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat');
    const said = await session.append([user('one'), user('two'), user('three')]);
    await session.append([{ type: 'summary', text: 'one and two', first: said[2]?.id }, user('four')]);
    expect(texts(session.context())).toEqual(['one and two', 'three', 'four']);
    await session.append([{ type: 'summary', text: 'all' }, user('five')]);
    expect(texts(session.context())).toEqual(['all', 'five']);
    expect(texts(session.path()).slice(0, 3)).toEqual(['one', 'two', 'three']);
    await expect(session.append([{ type: 'summary', text: 'x', first: 'nowhere' }])).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is forked at an entry, and both go on alone', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat');
    const [, two] = await session.append([user('one'), user('two'), user('three')]);
    const fork = await t.sessions.fork('chat', two?.id ?? '', 'fork');
    await fork.append([user('elsewhere')]);
    expect([texts(fork.path()), texts(session.path())]).toEqual([['one', 'two', 'elsewhere'], ['one', 'two', 'three']]); // biome-ignore format: one line
    expect((await t.sessions.list()).find(({ id }) => id === 'fork')?.origin).toEqual({ session: 'chat', entry: two?.id });
    await expect(t.sessions.fork('chat', 'nowhere', 'another')).rejects.toMatchObject({ code: 'not_found' });
    await expect(t.sessions.fork('chat', two?.id ?? '', 'fork')).rejects.toMatchObject({ code: 'already_exists' });
  });

  it.each<[string, unknown]>([
    ['role', { type: 'message', role: 'root', content: 'x' }],
    ['content', { type: 'message', role: 'user', content: 1n }],
    ['type', { type: 'tip', entry: 'e1' }],
    ['type', { type: 'session' }],
    ['entry', { type: 'note', kind: 'deep', data: Array.from({ length: 100 }).reduce((inner) => [inner], []) }],
  ])('refuses an entry of which %s is unfit, and appends nothing', async (field, body) => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat');
    await expect(session.append([user('good'), body as EntryBody])).rejects.toMatchObject({ code: 'invalid_argument', details: { field } });
    expect([session.path(), readFileSync(t.fileOf('chat'), 'utf8').split('\n').length]).toEqual([[], 2]);
    await session.append([user('after')]);
    expect(texts(session.path())).toEqual(['after']);
  });

  it('does not take more than fits', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat');
    await expect(session.append([user('x'.repeat(8_388_608))])).rejects.toMatchObject({ code: 'too_large' });
    expect(session.path()).toEqual([]);
  });

  it('grows to its limit, and is read again as it is then', async () => {
    await using t = openTestSessions(2_000);
    const session = await t.sessions.create('chat');
    const appended: string[] = [];
    const fill = async (): Promise<void> => {
      for (;;) {
        await session.append([user(`said ${appended.length}`)]);
        appended.push(`said ${appended.length}`);
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining('begin a new one') });
    expect(statSync(t.fileOf('chat')).size).toBeLessThanOrEqual(2_000);
    await t.reopen();
    const again = await t.sessions.open('chat');
    expect([texts(again.path()), appended.length > 5]).toEqual([appended, true]);
    await expect(again.append([user('x'.repeat(2_000))])).rejects.toMatchObject({ code: 'too_large' });
  });

  it('gives the path of a model whatever is appended and branched', async () => {
    const step = fc.oneof(fc.record({ say: fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }) }), fc.record({ back: fc.nat(30) }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await using t = openTestSessions();
        const session = await t.sessions.create('chat');
        const paths = new Map<string, readonly string[]>();
        let path: readonly string[] = [];
        for (const each of steps) {
          if ('say' in each) {
            path = [...path, each.say];
            paths.set((await session.append([user(each.say)]))[0]?.id ?? '', path);
          } else if (paths.size > 0) {
            const [id, back] = [...paths][each.back % paths.size] ?? ['', []];
            await session.branch(id);
            path = back;
          }
        }
        expect(texts(session.path())).toEqual(path);
        await t.reopen();
        expect(texts((await t.sessions.open('chat')).path())).toEqual(path);
      }),
      { numRuns: 20 },
    );
  });
});

describe('sessions', () => {
  it.each(['', '.', '..', '../x', '../../../x', 'a/b', 'a\\b', 'a\0b', 'a b', '-a', '.a', 'é', 'x'.repeat(129), '__proto__'])(
    'refuse %j as an id before anything is made',
    async (id) => {
      await using t = openTestSessions();
      for (const use of [
        () => t.sessions.create(id),
        () => t.sessions.open(id),
        () => t.sessions.delete(id),
        () => t.sessions.export(id, 'jsonl'),
      ])
        await expect((async () => use())()).rejects.toMatchObject({ code: 'invalid_argument' });
      expect(existsSync(t.folder)).toBe(false);
    },
  );

  it('are made once', async () => {
    await using t = openTestSessions();
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => t.sessions.create('chat')));
    expect(made.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'rejected']);
    await expect(t.sessions.open('other')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('do not follow a link that stands in the place of one', async () => {
    await using t = openTestSessions();
    await t.sessions.create('chat');
    const outside = join(t.folder, '..', 'outside');
    writeFileSync(outside, readFileSync(t.fileOf('chat'), 'utf8').replace('chat', 'link'));
    symlinkSync(outside, t.fileOf('link'));
    await expect(t.sessions.open('link')).rejects.toMatchObject({ code: 'store_failed' });
    expect((await t.sessions.list()).map(({ id }) => id)).toEqual(['chat']);
  });

  it('are found by their words, in any of them', async () => {
    await using t = openTestSessions();
    await (await t.sessions.create('a')).append([user('the Quick brown fox'), user('nothing')]);
    await (await t.sessions.create('b')).append([
      { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'a brown bear' }] },
    ]);
    const found = await t.sessions.search('BROWN');
    expect(found.map(({ session, snippet }) => [session, snippet]).toSorted()).toEqual([['a', 'the Quick brown fox'], ['b', 'a brown bear']]); // biome-ignore format: one line
    expect(await t.sessions.search('brown fox')).toHaveLength(1);
    expect([await t.sessions.search('...'), await t.sessions.search('type text role')]).toEqual([[], []]);
    await expect(t.sessions.search('brown', {}, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  it('are listed and searched though one is larger than any may be, and others are none', async () => {
    await using t = openTestSessions(2_000);
    await (await t.sessions.create('whole', { title: 'Tea' })).append([user('a brown bear')]);
    await (await t.sessions.create('large', { title: 'Coffee' })).append([user('another brown bear')]);
    await t.reopen();
    appendFileSync(t.fileOf('large'), `${'x'.repeat(2_000)}\n`);
    mkdirSync(t.fileOf('folder'));
    symlinkSync(t.fileOf('circle'), t.fileOf('circle'));
    const listed = (await t.sessions.list()).map(({ id, title, bytes }) => ({ id, title, isLarge: bytes > 2_000 }));
    expect(listed.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'large', title: undefined, isLarge: true },
      { id: 'whole', title: 'Tea', isLarge: false },
    ]);
    expect((await t.sessions.search('brown')).map(({ session }) => session)).toEqual(['whole']);
    await expect(t.sessions.open('large')).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringContaining('the limit is 2000'),
    });
    await t.sessions.delete('large');
    expect((await t.sessions.list()).map(({ id }) => id)).toEqual(['whole']);
  });

  it('are gone when they are deleted', async () => {
    await using t = openTestSessions();
    await (await t.sessions.create('chat')).append([user('secret')]);
    await t.sessions.delete('chat');
    expect([existsSync(t.fileOf('chat')), await t.sessions.list()]).toEqual([false, []]);
    await expect(t.sessions.delete('chat')).rejects.toMatchObject({ code: 'not_found' });
    await t.sessions.create('chat');
    expect((await t.sessions.open('chat')).path()).toEqual([]);
  });

  it('are exported as they are, as Markdown and as HTML, and what was said is text in both', async () => {
    await using t = openTestSessions();
    const said = '<script>alert(1)</script> ``` "quoted" \0';
    await (await t.sessions.create('chat')).append([user(said), { type: 'note', kind: '<b>\n# x', data: '````\n# not a heading' }]);
    expect(await t.sessions.export('chat', 'jsonl')).toBe(readFileSync(t.fileOf('chat'), 'utf8'));
    const html = await t.sessions.export('chat', 'html');
    expect(html).not.toMatch(/<script|<b>|\0/);
    expect(html).toContain('&#60;script&#62;');
    const markdown = await t.sessions.export('chat', 'markdown');
    expect(markdown).toContain('````text\n<script>');
    expect(markdown).toContain('`````text\n````\n# not a heading\n`````');
    expect(markdown.split('\n').filter((line) => line.startsWith('## '))).toHaveLength(2);
  });
});

describe('a long session', () => {
  const LARGE = '😀<'.repeat(500_000); // Pieces end in the middle of it, and would in the middle of a character.

  it.each(['markdown', 'html', 'jsonl'] as const)('is exported in pieces as %s, whatever is said meanwhile', async (format) => {
    await using t = openTestSessions();
    const session = await t.sessions.create('long');
    const [first] = await session.append([user('the first')]);
    for (let count = 0; count < 3; count++) await session.append([user(`${'x'.repeat(count)}${LARGE}`)]);
    const whole = await t.sessions.export('long', format);
    const pieces: string[] = [];
    let cursor: string | undefined;
    do {
      const { text, next } = await t.sessions.exportPiece('long', format, cursor);
      expect([text.length > 0, text.length <= 1_048_576, text.isWellFormed()]).toEqual([true, true, true]);
      pieces.push(text);
      cursor = next;
      // What is appended to its file is appended to that document too; a way to a tip stays what it is.
      if (format !== 'jsonl' && pieces.length === 1) {
        await session.append([user('said meanwhile')]);
        await session.branch(first?.id ?? '');
      }
    } while (cursor !== undefined);
    expect(pieces.length).toBeGreaterThan(4);
    expect(pieces.join('') === whole).toBe(true);
  });

  it.each(['', 'x', '1.1', '0.0.none', '-1.0.', '9999999999.0.', `0.0.${'x'.repeat(200)}`, '0.0.../../x'])(
    'is not exported from the cursor %j, which is none of its own',
    async (cursor) => {
      await using t = openTestSessions();
      await (await t.sessions.create('long')).append([user('x')]);
      await expect(t.sessions.exportPiece('long', 'markdown', cursor)).rejects.toMatchObject({
        code: 'invalid_argument',
        details: { field: 'cursor' },
      });
    },
  );

  it('ends where a cursor is beyond its end', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('long');
    await session.append([user('x')]);
    expect(await t.sessions.exportPiece('long', 'html', `999.999.${session.tip}`)).toEqual({ text: '', next: undefined });
  });
});

describe('a transcript on disk', () => {
  it('loses at most what was not acknowledged, wherever it is cut off', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat');
    for (const text of ['one', 'zwei', '三']) await session.append([user(text)]);
    await t.reopen();
    const whole = readFileSync(t.fileOf('chat'));
    const ends = [...whole.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1);
    for (let length = ends[0] ?? 0; length <= whole.byteLength; length++) {
      writeFileSync(t.fileOf('chat'), whole.subarray(0, length));
      const cut = await t.sessions.open('chat');
      const kept = ends.filter((end) => end <= length).length - 1;
      expect([length, texts(cut.path())]).toEqual([length, ['one', 'zwei', '三'].slice(0, kept)]);
      await cut.append([user('after')]);
      await t.reopen();
      expect(texts((await t.sessions.open('chat')).path())).toEqual([...['one', 'zwei', '三'].slice(0, kept), 'after']);
      await t.reopen();
    }
  });

  it('has all that was acknowledged when its process is killed in the middle', { timeout: 60_000 }, async () => {
    await using t = openTestSessions();
    await t.sessions.create('chat');
    await t.reopen();
    const program = `
      import { openSessions } from ${JSON.stringify(join(import.meta.dirname, 'open-sessions.ts'))};
      let ids = 0;
      const session = await openSessions({ folder: process.argv[1], newId: () => 'p' + process.pid + '-' + ++ids, now: () => 1 }).open('chat');
      for (let index = 0; ; index++) { await session.append([{ type: 'message', role: 'user', content: 'x'.repeat(3000) + index }]); console.log(session.tip); }`;
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, ['--conditions=warren-source', '--input-type=module', '-e', program, t.folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      const many = 3 + round * 7;
      let count = 0;
      for await (const line of createInterface(child.stdout)) {
        acknowledged.push(line);
        if (++count === many) child.kill('SIGKILL');
      }
      await ended;
    }
    const session = await t.sessions.open('chat');
    expect(session.damage).toEqual([]);
    const ids = new Set(session.path().map(({ id }) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
  });

  it('says which lines are damaged and goes on with the others', async () => {
    await using t = openTestSessions();
    const session = await t.sessions.create('chat');
    await session.append([user('one')]);
    await t.reopen();
    const first = JSON.parse(readFileSync(t.fileOf('chat'), 'utf8').split('\n')[1] ?? '') as { id: string };
    for (const line of ['garbage', '{"type":"message"}', JSON.stringify(first), '{"id":"x","parent":"nowhere","at":1,"type":"title","title":"t"}', '[]', 'null', `${'['.repeat(5_000)}`, `{"id":"y","parent":"${first.id}","at":2,"type":"title","title":"kept"}`])
      appendFileSync(t.fileOf('chat'), `${line}\n`); // biome-ignore format: one line
    const again = await t.sessions.open('chat');
    expect(again.damage.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(texts(again.path())).toEqual(['one', 'kept']);
  });

  it.each(['', 'x', '{}\n', '{"type":"session","version":3,"id":"chat"}\n', '{"type":"session","format":1,"id":"other","created_at":1}\n'])(
    'that is none of ours is left alone: %j',
    async (content) => {
      await using t = openTestSessions();
      await t.sessions.create('chat');
      await t.reopen();
      truncateSync(t.fileOf('chat'));
      writeFileSync(t.fileOf('chat'), content);
      await expect(t.sessions.open('chat')).rejects.toMatchObject({ code: 'store_failed' });
      expect(readFileSync(t.fileOf('chat'), 'utf8')).toBe(content);
    },
  );
});

describe('a transcript of the earlier system', () => {
  const lines = (...records: readonly unknown[]) =>
    records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join('\n');
  const message = (id: string, parentId: string | null, role: string, text: string) => ({
    type: 'message',
    id,
    parentId,
    timestamp: '2026-04-05T00:00:00Z',
    message: { role, content: [{ type: 'text', text }] },
  });

  it('is read along the branch that was written to last', () => {
    const read = readEarlierTranscript(
      lines(
        { type: 'session', version: 3, id: 's1', cwd: '/x' },
        { type: 'model_change', id: 'm', parentId: null, provider: 'anthropic', modelId: 'claude' },
        message('a', 'm', 'user', 'hello'),
        message('b', 'a', 'assistant', 'left'),
        'cut off {',
        { type: 'thinking_level_change', id: 't', parentId: 'a', thinkingLevel: 'low' },
        message('c', 't', 'toolResult', 'right'),
      ),
    );
    expect(read).toMatchObject({ id: 's1', unread: [5] });
    expect(
      read?.entries.map((entry) =>
        entry.type === 'message' ? [entry.role, textOf({ ...entry, id: '', parent: undefined, at: 0 })] : entry.type,
      ),
    ).toEqual(['model', ['user', 'hello'], 'note', ['tool', 'right']]);
  });

  it('is none when it does not begin as one, and ends where its records run in a circle', () => {
    expect([readEarlierTranscript(''), readEarlierTranscript('{}'), readEarlierTranscript('x')]).toEqual([undefined, undefined, undefined]);
    expect(
      readEarlierTranscript(lines({ type: 'session', id: 's' }, message('a', 'b', 'user', '1'), message('b', 'a', 'user', '2')))?.entries,
    ).toHaveLength(2);
  });
});
