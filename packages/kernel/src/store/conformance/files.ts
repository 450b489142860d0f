import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { Store, Transaction } from '../store.ts';
import { type FileRow, type PastVersionRow, SHARED_BYTES_MIN } from '../tables/file-table.ts';
import type { OpenStore } from './conformance.ts';

const HASH = { a: 'aa'.repeat(32), b: 'bb'.repeat(32), c: 'cc'.repeat(32) };

function file(path: string, body: number, more: Partial<FileRow> = {}): FileRow {
  const content = { body, size: 1, hash: HASH.a };
  const times = { createdAt: 1, writtenAt: 2, updatedAt: 3, accessedAt: undefined };
  return { path, owner: 1, writer: 1, mode: 'rw', version: 1, metadata: {}, ...times, ...content, ...more };
}

function past(path: string, version: number, body: number | undefined, more: Partial<PastVersionRow> = {}): PastVersionRow {
  const content = body === undefined ? undefined : { body, size: 1, hash: HASH.a };
  return { path, version, owner: 1, writer: 1, content, metadata: {}, createdAt: 1, writtenAt: 2, supersededAt: 3, ...more };
}

function small({ files }: Transaction, hash: string, text: string): number {
  return files.insertSmall({ hash, data: Buffer.from(text) });
}

function large({ files }: Transaction, hash: string, chunks: readonly string[]): number {
  const body = files.insertLarge();
  for (const [seq, chunk] of chunks.entries()) files.insertChunk(body, seq, Buffer.from(chunk));
  files.finishLarge({ body, size: chunks.join('').length, hash });
  return body;
}

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

export function testFiles(name: string, open: OpenStore): void {
  const mineOf = (store: Store) => store.workspace(DEFAULT_WORKSPACE);

  describe(`files of the store on ${name}`, () => {
    it('give back over a restart what was written', async () => {
      await using under = await open();
      const row = file('/é/\u{1f600}', 1, {
        mode: 'ro',
        metadata: { a: [1, { b: null }] },
        accessedAt: 9,
        version: 7,
        owner: 4,
        writer: 5,
      });
      const before = past('/é/\u{1f600}', 6, 1, { metadata: { c: 'd' }, writer: undefined });
      await mineOf(under.store).write((transaction) => {
        small(transaction, HASH.a, 'x');
        transaction.files.retain(1);
        transaction.files.insert(row);
        transaction.files.insertPast(before);
      });
      await under.reopen();
      await mineOf(under.store).read(({ files }) => {
        expect(files.find(row.path)).toEqual(row);
        expect(files.findPast(row.path, 6)).toEqual(before);
        expect(files.newestPast(row.path)).toBe(6);
      });
    });

    it('update all but the owner and the birth of a file, and refuse to change one that is not there', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        const { files } = transaction;
        files.insert(file('/a', small(transaction, HASH.a, 'x')));
        const changed = { writer: 8, mode: 'ro', version: 2, metadata: { x: 1 }, writtenAt: 5, updatedAt: 6, accessedAt: 7 } as const;
        const after = file('/a', small(transaction, HASH.b, 'y'), { ...changed, hash: HASH.b });
        files.update(after);
        expect(files.find('/a')).toEqual(after);
        expect(() => files.update(file('/b', 1))).toThrow('/b');
        expect(() => files.remove('/b')).toThrow('/b');
        files.remove('/a');
        expect(files.find('/a')).toBeUndefined();
      });
    });

    it('move the time of an access forwards only, and only of a file that is there', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        const { files } = transaction;
        files.insert(file('/a', small(transaction, HASH.a, 'x')));
        files.setAccessedAt('/a', 5);
        files.setAccessedAt('/a', 4);
        files.setAccessedAt('/b', 4);
        expect(files.find('/a')?.accessedAt).toBe(5);
        expect(files.find('/b')).toBeUndefined();
      });
    });

    it('list by literal prefix, in the order of code points', async () => {
      await using under = await open();
      const paths = [
        '/%',
        '/A',
        '/_',
        '/a',
        '/a/b',
        '/ab',
        '/a\u{10ffff}',
        '/a\u{10ffff}z',
        '/b',
        '/\ud7ff',
        '/\ud7ffx',
        '/\ue000',
        '/\u{1f600}',
      ];
      await mineOf(under.store).write((transaction) => {
        const body = small(transaction, HASH.a, 'x');
        for (const path of paths) {
          transaction.files.retain(body);
          transaction.files.insert(file(path, body));
        }
      });
      const list = (prefix: string) =>
        mineOf(under.store).read(({ files }) => files.list({ prefix }, { limit: 100, offset: 0 }).map(({ path }) => path));
      expect(await list('')).toEqual(paths.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
      expect(await list('/%')).toEqual(['/%']);
      expect(await list('/_')).toEqual(['/_']);
      expect(await list('/A')).toEqual(['/A']);
      expect(await list('/a')).toEqual(['/a', '/a/b', '/ab', '/a\u{10ffff}', '/a\u{10ffff}z']);
      expect(await list('/a\u{10ffff}')).toEqual(['/a\u{10ffff}', '/a\u{10ffff}z']);
      expect(await list('/\ud7ff')).toEqual(['/\ud7ff', '/\ud7ffx']);
      expect(await list('\u{10ffff}')).toEqual([]);
      expect(await list('/c')).toEqual([]);
    });

    it('list and count by owner, by prefix, by both, and in pages', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        const body = small(transaction, HASH.a, 'x');
        for (const [path, owner] of [
          ['/a/1', 1],
          ['/a/2', 2],
          ['/b/1', 1],
          ['/b/2', 2],
          ['/b/3', 1],
        ] as const) {
          // biome-ignore format: a table
          transaction.files.retain(body);
          transaction.files.insert(file(path, body, { owner }));
        }
      });
      await mineOf(under.store).read(({ files }) => {
        const list = (filter: Parameters<typeof files.list>[0], limit = 100, offset = 0) =>
          files.list(filter, { limit, offset }).map(({ path }) => path);
        expect(list({ owner: 1 })).toEqual(['/a/1', '/b/1', '/b/3']);
        expect(list({ owner: 1, prefix: '/b' })).toEqual(['/b/1', '/b/3']);
        expect(list({ owner: 1, prefix: '\u{10ffff}' })).toEqual([]);
        expect(list({ prefix: '/b' }, 2, 1)).toEqual(['/b/2', '/b/3']);
        expect([
          files.count({}),
          files.count({ owner: 2 }),
          files.count({ prefix: '/b', owner: 1 }),
          files.count({ prefix: '/x' }),
        ]).toEqual([5, 2, 2, 0]);
      });
    });

    it('keep past versions apart from the file, newest first', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        const { files } = transaction;
        const body = small(transaction, HASH.a, 'x');
        files.retain(body);
        files.insertPast(past('/a', 1, body));
        files.insertPast(past('/a', 2, undefined, { writer: undefined }));
        files.insertPast(past('/b', 1, body));
        expect(files.find('/a')).toBeUndefined();
        expect(files.listPast('/a', 10).map(({ version, content }) => [version, content?.hash])).toEqual([[2, undefined], [1, HASH.a]]); // biome-ignore format: one line
        expect(files.listPast('/a', 1)).toHaveLength(1);
        expect([files.newestPast('/a'), files.newestPast('/c')]).toEqual([2, 0]);
        expect(files.pathsWithPast('', 10)).toEqual(['/a', '/b']);
        expect(files.pathsWithPast('/a', 10)).toEqual(['/b']);
      });
    });

    it('delete past versions of a path, or of an age, oldest first and no more than asked for', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        const { files } = transaction;
        for (let version = 1; version <= 4; version++) {
          for (const path of ['/a', '/b']) {
            const body = small(transaction, `${version}${path === '/a' ? 'a' : 'b'}`.repeat(32), path);
            files.insertPast(past(path, version, body, { supersededAt: version * 10 }));
          }
        }
        expect(files.deletePast('/a', 3, 2)).toBe(2);
        expect(files.listPast('/a', 10).map(({ version }) => version)).toEqual([4, 3]);
        expect(files.deletePast('/a', 0, 2)).toBe(0);
        expect(files.deletePastBefore(40, 2)).toBe(2);
        expect(files.listPast('/b', 10).map(({ version }) => version)).toEqual([4, 3]);
        expect(files.deletePastBefore(40, 10)).toBe(2);
        expect(files.usedBytes()).toBe(4);
      });
    });

    it('count the bytes of each body once, for as long as something names it', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        const { files } = transaction;
        const content = 'x'.repeat(SHARED_BYTES_MIN);
        const body = small(transaction, HASH.a, content);
        expect(files.usedBytes()).toBe(SHARED_BYTES_MIN);
        expect(files.findBody(HASH.a)).toEqual({ body, size: SHARED_BYTES_MIN, hash: HASH.a });
        expect(files.findBody(HASH.b)).toBeUndefined();
        files.retain(body);
        files.insertPast(past('/a', 1, body));
        files.insertPast(past('/a', 2, body));
        files.deletePast('/a', 1, 10);
        expect([files.usedBytes(), files.isNamed(body), text(files.readSmall(body))]).toEqual([SHARED_BYTES_MIN, true, content]);
        files.deletePast('/a', 2, 10);
        expect([files.usedBytes(), files.isNamed(body), files.readSmall(body), files.findBody(HASH.a)]).toEqual([0, false, undefined, undefined]); // biome-ignore format: one line
      });
    });

    it('keep a tiny body as often as it is written', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        expect(small(transaction, HASH.a, 'abc')).not.toBe(small(transaction, HASH.a, 'abc'));
        expect([transaction.files.usedBytes(), transaction.files.findBody(HASH.a)]).toEqual([6, undefined]);
      });
    });

    it('keep an empty body', async () => {
      await using under = await open();
      await mineOf(under.store).write((transaction) => {
        const body = small(transaction, HASH.a, '');
        transaction.files.insertPast(past('/a', 1, body));
        expect(transaction.files.readSmall(body)).toEqual(new Uint8Array());
        transaction.files.deletePast('/a', 1, 1);
        expect(transaction.files.listUnnamed(0, 10)).toEqual([]);
      });
    });

    it('show a large body to nobody before it is finished, and keep its chunks until they are deleted in steps', async () => {
      await using under = await open();
      const mine = mineOf(under.store);
      const body = await mine.write((transaction) => {
        const { files } = transaction;
        const unfinished = files.insertLarge();
        files.insertChunk(unfinished, 0, Buffer.from('half'));
        expect([files.usedBytes(), files.isNamed(unfinished)]).toEqual([0, false]);
        expect(files.listUnnamed(0, 10)).toEqual([{ body: unfinished, isComplete: false }]);
        return large(transaction, HASH.b, ['one', 'two', 'x'.repeat(SHARED_BYTES_MIN)]);
      });
      await under.reopen();
      await mineOf(under.store).write(({ files }) => {
        expect([files.usedBytes(), files.findBody(HASH.b)?.body, text(files.readChunk(body, 2)), files.readChunk(body, 3)]).toEqual([6 + SHARED_BYTES_MIN, body, 'x'.repeat(SHARED_BYTES_MIN), undefined]); // biome-ignore format: one line
        files.insertPast(past('/a', 1, body));
        files.deletePast('/a', 1, 1);
        expect([files.usedBytes(), files.findBody(HASH.b), text(files.readChunk(body, 0))]).toEqual([0, undefined, 'one']);
        expect(files.listUnnamed(1, 10)).toEqual([{ body, isComplete: true }]);
        expect(files.deleteUnnamed(body, 2)).toBe(false);
        expect([text(files.readChunk(body, 0)), files.readChunk(body, 1)]).toEqual(['one', undefined]);
        expect(files.deleteUnnamed(body, 2)).toBe(true);
        expect(files.deleteUnnamed(1, 2)).toBe(true);
        expect(files.listUnnamed(0, 10)).toEqual([]);
      });
    });

    it('never give the number of a body twice', async () => {
      await using under = await open();
      const first = await mineOf(under.store).write((transaction) => {
        const body = small(transaction, HASH.a, 'x');
        transaction.files.insertPast(past('/a', 1, body));
        return body;
      });
      await mineOf(under.store).write(({ files }) => files.deletePast('/a', 1, 1));
      await under.reopen();
      expect(await mineOf(under.store).write((transaction) => small(transaction, HASH.a, 'x'))).toBeGreaterThan(first);
    });

    it('are those of one workspace: another has its own paths, bodies and bytes', async () => {
      await using under = await open();
      const other = 'other' as WorkspaceId; // Valid.
      await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: other, createdAt: now, settings: {} }));
      await mineOf(under.store).write((transaction) => {
        const body = small(transaction, HASH.a, 'x');
        transaction.files.insert(file('/a', body));
        transaction.files.insertPast(past('/a', 1, body));
      });
      await under.store.workspace(other).write((transaction) => {
        const { files } = transaction;
        expect([files.find('/a'), files.findPast('/a', 1), files.findBody(HASH.a), files.usedBytes(), files.count({})]).toEqual([undefined, undefined, undefined, 0, 0]); // biome-ignore format: one line
        expect([files.readSmall(1), files.listUnnamed(0, 10), files.pathsWithPast('', 10), files.deletePastBefore(100, 10)]).toEqual([undefined, [], [], 0]); // biome-ignore format: one line
        small(transaction, HASH.a, 'yy');
        expect(files.usedBytes()).toBe(2);
      });
      expect(await mineOf(under.store).read(({ files }) => files.usedBytes())).toBe(1);
    });
  });
}
