import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createFaultPlan } from '../chaos/fault-plan.ts';
import { PlayedCrash } from '../internal/fault-points.ts';
import { CHUNK_BYTES } from '../store/tables/file-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { READERS_MAX, UPLOADS_MAX } from './open-bodies.ts';

const MIB = 1_048_576;

/** Bytes that repeat only after a long while. */
function noise(size: number, seed = 1): Uint8Array {
  const content = new Uint32Array(Math.ceil(size / 4));
  let state = seed;
  for (let index = 0; index < content.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    content[index] = state;
  }
  return new Uint8Array(content.buffer, 0, size);
}

async function* inPieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < content.length; offset += size) yield content.subarray(offset, offset + size);
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

const sha = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function spawn({ mine }: TestKernel): Promise<number> {
  return (await mine.processes.create({ name: 'a', template: 't' })).pid;
}

/** What bodies take, and those that nothing names. */
async function bodies({ kernel }: TestKernel) {
  return await kernel.store
    .workspace(DEFAULT_WORKSPACE)
    .read(({ files }) => ({ usedBytes: files.usedBytes(), unnamed: files.listUnnamed(0, 100).map(({ body }) => body) }));
}

/** Whether the first chunk of a body is there: the numbers of bodies begin at 1. */
async function hasChunk({ kernel }: TestKernel, body: number): Promise<boolean> {
  return (await kernel.store.workspace(DEFAULT_WORKSPACE).read(({ files }) => files.readChunk(body, 0))) !== undefined;
}

/** A source that gives what it is told to, when it is told to. */
function createSource() {
  const pieces: Uint8Array[] = [];
  const events = new EventEmitter();
  let [isEnded, isReturned] = [false, false];
  let asked = 0;
  return {
    give(piece: Uint8Array) {
      pieces.push(piece);
      events.emit('given');
    },
    end() {
      isEnded = true;
      events.emit('given');
    },
    get asked() {
      return asked;
    },
    /** It was asked this often: all but the last piece it gave are where they shall be. */
    async untilAsked(count: number) {
      while (asked < count) await once(events, 'asked');
    },
    get isReturned() {
      return isReturned;
    },
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<Uint8Array>> {
        asked++;
        events.emit('asked');
        while (pieces.length === 0 && !isEnded) await once(events, 'given');
        const value = pieces.shift();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      async return(): Promise<IteratorResult<Uint8Array>> {
        isReturned = true;
        return { done: true, value: undefined };
      },
    }),
  };
}

describe('a large body', () => {
  it.each([
    [CHUNK_BYTES - 1],
    [CHUNK_BYTES],
    [CHUNK_BYTES + 1],
    [4 * CHUNK_BYTES - 1],
    [4 * CHUNK_BYTES],
    [4 * CHUNK_BYTES + 1],
    [9 * CHUNK_BYTES + 77],
  ])('of %i bytes is the same at once and as a stream, in and out', async (size) => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    const content = noise(size);
    const whole = await under.mine.files.write(pid, { path: '/whole' }, content);
    const streamed = await under.mine.files.write(pid, { path: '/streamed' }, inPieces(content, 100_003));
    expect([whole.size, whole.hash]).toEqual([size, sha(content)]);
    expect([streamed.size, streamed.hash]).toEqual([size, sha(content)]);
    await under.reopen();
    for (const path of ['/whole', '/streamed']) {
      expect(Buffer.compare((await under.mine.files.read(path)).content, content)).toBe(0);
      const { stat, content: pieces } = await under.mine.files.open(path);
      expect([stat.size, Buffer.compare(await collect(pieces), content)]).toEqual([size, 0]);
    }
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: size, unnamed: [] });
  });

  it('comes as a stream of nothing, of empty pieces, and of one huge one', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    const write = (path: string, pieces: readonly Uint8Array[]) =>
      under.mine.files.write(pid, { path }, (async function* () { yield* pieces; })()); // biome-ignore format: one line
    expect(await write('/none', [])).toMatchObject({ size: 0, hash: sha(new Uint8Array()) });
    expect(await write('/empty', [new Uint8Array(), noise(3), new Uint8Array()])).toMatchObject({ size: 3, hash: sha(noise(3)) });
    expect(await write('/huge', [noise(3 * MIB)])).toMatchObject({ size: 3 * MIB, hash: sha(noise(3 * MIB)) });
    expect(await collect((await under.mine.files.open('/none')).content)).toEqual(new Uint8Array());
  });

  it('is seen by nobody before all of it is there', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(under);
    await mine.files.write(pid, { path: '/a' }, Buffer.from('before'));
    const source = createSource();
    const writing = mine.files.write(pid, { path: '/a' }, source);
    for (let index = 0; index < 3; index++) source.give(noise(MIB, index));
    await source.untilAsked(4); // Everything given is on disk now.
    expect(await hasChunk(under, 2)).toBe(true);
    expect(Buffer.from((await mine.files.read('/a')).content).toString()).toBe('before');
    expect((await mine.files.list()).files).toMatchObject([{ size: 6, version: 1 }]);
    source.end();
    expect(await writing).toMatchObject({ version: 2, size: 3 * MIB });
  });

  it('is taken only as fast as it is written', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    let flushed = 0;
    const plan = createFaultPlan();
    await under.reopen({ faults: { reach: (point) => (point === 'store.committed' ? flushed++ : plan.reach(point)) } });
    const flushesAt: number[] = [];
    await under.mine.files.write(pid, { path: '/a' }, (async function* () {
      for (let index = 0; index < 5; index++) {
        flushesAt.push(flushed);
        yield noise(MIB, index);
      }
    })()); // biome-ignore format: the generator stands where it is used
    const first = flushesAt[0] ?? 0;
    expect(flushesAt.map((count) => count - first)).toEqual([0, 1, 2, 3, 4]);
  });

  it('of 100 MiB goes in and out in little memory, while others do the same', { timeout: 120_000 }, async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { mine } = under;
    const pid = await spawn(under);
    const piece = noise(MIB);
    const stream = async function* (count: number, salt: number) {
      for (let index = 0; index < count; index++) {
        new DataView(piece.buffer).setUint32(0, index * 16 + salt);
        yield piece;
      }
    };
    const run = async (count: number, names: readonly string[]) => {
      await Promise.all(names.map((path, salt) => mine.files.write(pid, { path }, stream(count, salt))));
      for (const path of names) {
        let size = 0;
        for await (const chunk of (await mine.files.open(path)).content) size += chunk.length;
        expect(size).toBe(count * MIB);
      }
    };
    await run(16, ['/warm/1', '/warm/2', '/warm/3']);
    const before = process.memoryUsage.rss();
    await run(40, ['/a', '/b', '/c']);
    await run(100, ['/d']);
    expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(80);
  });

  it('that the workspace has already is kept once', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(under);
    const content = noise(2 * MIB);
    await mine.files.write(pid, { path: '/a' }, content);
    await mine.files.write(pid, { path: '/b' }, inPieces(content, MIB));
    await mine.files.write(pid, { path: '/b' }, content);
    await mine.files.restore(pid, '/b', 1);
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 2 * MIB, unnamed: [] });
    for (const path of ['/a', '/b']) {
      await mine.files.delete(path);
      expect((await bodies(under)).usedBytes).toBe(2 * MIB);
      await mine.files.purgeHistory(path);
    }
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
    expect(await hasChunk(under, 1)).toBe(false);
  });
});

describe('a large body that does not arrive', () => {
  it('because its source fails leaves nothing, and the writer hears of that failure', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    const failure = new Error('the network is gone');
    const failing = (async function* () {
      yield noise(2 * MIB);
      throw failure;
    })();
    await expect(under.mine.files.write(pid, { path: '/a' }, failing)).rejects.toBe(failure);
    await under.kernel.purger.purge();
    expect(await under.mine.files.find('/a')).toBeUndefined();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
    expect(await hasChunk(under, 1)).toBe(false);
  });

  it('because the writer gives up leaves nothing, and the source is told', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    const source = createSource();
    const controller = new AbortController();
    const writing = under.mine.files.write(pid, { path: '/a' }, source, controller.signal);
    source.give(noise(MIB));
    await source.untilAsked(2);
    controller.abort(new Error('enough'));
    await expect(writing).rejects.toMatchObject({ code: 'aborted', cause: new Error('enough') });
    expect(source.isReturned).toBe(true);
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
    await expect(under.mine.files.write(pid, { path: '/a' }, createSource(), controller.signal)).rejects.toMatchObject({ code: 'aborted' });
  });

  it('because it is too large, or no bytes, is refused as soon as that is known', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    const stream = (piece: unknown) => (async function* () { yield piece as Uint8Array; })(); // biome-ignore format: one line
    await expect(under.mine.files.write(pid, { path: '/a' }, stream(new Uint8Array(1024 * MIB + 1)))).rejects.toMatchObject({
      code: 'too_large',
    });
    for (const piece of ['text', null, 7, [1, 2]]) {
      await expect(under.mine.files.write(pid, { path: '/a' }, stream(piece))).rejects.toMatchObject({ code: 'invalid_payload' });
    }
  });

  it('because the workspace is full is refused on the way', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await under.kernel.workspaces.update(DEFAULT_WORKSPACE, { fileBytesMax: 3 * MIB });
    const source = createSource();
    const writing = under.mine.files.write(pid, { path: '/a' }, source);
    for (let index = 0; index < 4; index++) source.give(noise(MIB, index));
    await expect(writing).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { pid, dim: 'workspace_bytes', used: 0, hard_limit: 3 * MIB },
    });
    expect(source.isReturned).toBe(true);
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
    await under.mine.files.write(pid, { path: '/a' }, noise(3 * MIB));
  });

  it('counts towards the limit of the workspace together with others on their way', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await under.kernel.workspaces.update(DEFAULT_WORKSPACE, { fileBytesMax: 3 * MIB });
    const [first, second] = [createSource(), createSource()];
    const one = under.mine.files.write(pid, { path: '/a' }, first);
    first.give(noise(2 * MIB));
    await first.untilAsked(2);
    const other = under.mine.files.write(pid, { path: '/b' }, second);
    second.give(noise(2 * MIB, 2));
    await expect(other).rejects.toMatchObject({ code: 'quota_exceeded' });
    first.end();
    expect(await one).toMatchObject({ size: 2 * MIB });
  });

  it('because its writer may not, or has spent its budget, is refused before it is asked for', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(under);
    await mine.ledger.create({ kind: 'process', pid }, { fs_w_bytes: MIB });
    const source = createSource();
    await expect(mine.files.write(99, { path: '/a' }, source)).rejects.toMatchObject({ code: 'unknown_pid' });
    await expect(mine.files.write(pid, { path: '/a', expectedVersion: 3 }, source)).rejects.toMatchObject({ code: 'conflict' });
    await expect(mine.files.write(pid, { path: '/a' }, noise(2 * MIB))).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { dim: 'fs_w_bytes' },
    });
    expect(source.asked).toBe(0);
    source.give(noise(MIB));
    source.give(noise(MIB));
    await expect(mine.files.write(pid, { path: '/a' }, source)).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { dim: 'fs_w_bytes', used: 0 },
    });
    expect(await mine.ledger.list({ kind: 'process', pid })).toMatchObject([{ used: 0 }]);
  });

  it('because somebody else wrote meanwhile is a conflict in the end', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    const source = createSource();
    const writing = under.mine.files.write(pid, { path: '/a', expectedVersion: 0 }, source);
    source.give(noise(MIB));
    await source.untilAsked(2);
    await under.mine.files.write(pid, { path: '/a' }, Buffer.from('first'));
    source.end();
    await expect(writing).rejects.toMatchObject({ code: 'conflict', details: { version: 1 } });
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 5, unnamed: [] });
  });

  it('because the disk is full says so, and the next one arrives', async () => {
    const faults = createFaultPlan();
    await using under = await openTestKernel({ faults });
    const pid = await spawn(under);
    faults.plan('body.chunk', 6, { kind: 'disk_full' });
    await expect(under.mine.files.write(pid, { path: '/a' }, noise(3 * MIB))).rejects.toMatchObject({ code: 'storage_full' });
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
    expect(await under.mine.files.write(pid, { path: '/a' }, noise(3 * MIB))).toMatchObject({ version: 1 });
  });

  it.each([1, 4, 9, 12])('because the process died at chunk %i is not there after a restart, and its chunks go', async (nth) => {
    const faults = createFaultPlan();
    await using under = await openTestKernel({ faults, isRehearsing: false });
    const pid = await spawn(under);
    await under.mine.files.write(pid, { path: '/a' }, noise(MIB, 7));
    faults.plan('body.chunk', nth, { kind: 'crash' });
    await expect(under.mine.files.write(pid, { path: '/a' }, noise(3 * MIB))).rejects.toBeInstanceOf(PlayedCrash);
    await under.reopen();
    expect(await under.mine.files.stat('/a')).toMatchObject({ version: 1, hash: sha(noise(MIB, 7)) });
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: MIB, unnamed: [] });
    expect(await hasChunk(under, 2)).toBe(false);
    expect(await under.mine.files.write(pid, { path: '/a' }, noise(3 * MIB))).toMatchObject({ version: 2 });
  });

  it('is swept up by the next start, without being asked', async () => {
    const faults = createFaultPlan();
    await using under = await openTestKernel({ faults, isRehearsing: false });
    const pid = await spawn(under);
    faults.plan('body.chunk', 9, { kind: 'crash' });
    await expect(under.mine.files.write(pid, { path: '/a' }, noise(3 * MIB))).rejects.toBeInstanceOf(PlayedCrash);
    await under.reopen();
    for (let write = 0; write < 2; write++) await spawn(under); // Writes are done in the order they were asked for.
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
  });

  it('because the process died when it was to be linked is not there after a restart either', async () => {
    const faults = createFaultPlan();
    await using under = await openTestKernel({ faults, isRehearsing: false });
    const pid = await spawn(under);
    const source = createSource();
    const writing = under.mine.files.write(pid, { path: '/a' }, source);
    source.give(noise(MIB));
    await source.untilAsked(2);
    faults.plan('store.commit', 1, { kind: 'crash' });
    source.end();
    await expect(writing).rejects.toBeInstanceOf(PlayedCrash);
    await under.reopen();
    expect(await under.mine.files.find('/a')).toBeUndefined();
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
  });
});

describe('a reader of a large body', () => {
  it('reads on while others overwrite, delete and purge, and the body goes with the last of them', async () => {
    await using under = await openTestKernel();
    const { mine, kernel } = under;
    const pid = await spawn(under);
    const content = noise(3 * MIB);
    await mine.files.write(pid, { path: '/a' }, content);
    const [one, other] = [await mine.files.open('/a'), await mine.files.open('/a')];
    const iterator = one.content[Symbol.asyncIterator]();
    const first = (await iterator.next()).value;
    await mine.files.write(pid, { path: '/a' }, Buffer.from('new'));
    await mine.files.delete('/a');
    await mine.files.purgeHistory('/a');
    await kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [1] });
    const rest = await collect({ [Symbol.asyncIterator]: () => iterator });
    expect(Buffer.compare(Buffer.concat([first, rest]), content)).toBe(0);
    await kernel.purger.purge();
    expect(Buffer.compare(await collect(other.content), content)).toBe(0);
    await kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
    expect(await hasChunk(under, 1)).toBe(false);
  });

  it('that stops early lets go of it, and gets no half of it that looks like all', async () => {
    await using under = await openTestKernel();
    const { mine, kernel } = under;
    const pid = await spawn(under);
    await mine.files.write(pid, { path: '/a' }, noise(3 * MIB));
    {
      await using unread = await mine.files.open('/a');
      expect(unread.stat.size).toBe(3 * MIB);
    }
    for await (const _ of (await mine.files.open('/a')).content) break;
    const disposed = await mine.files.open('/a');
    await disposed[Symbol.asyncDispose]();
    await disposed[Symbol.asyncDispose]();
    await expect(collect(disposed.content)).rejects.toMatchObject({ code: 'aborted' });
    await mine.files.delete('/a');
    await mine.files.purgeHistory('/a');
    await kernel.purger.purge();
    expect((await bodies(under)).unnamed).toEqual([]);
  });

  it('leaves nothing behind when the process dies', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await under.mine.files.write(pid, { path: '/a' }, noise(MIB));
    await under.mine.files.open('/a');
    await under.mine.files.delete('/a');
    await under.mine.files.purgeHistory('/a');
    await under.reopen();
    await under.kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
  });

  it('cannot have more than 16 MiB at once, but all of it in pieces', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const pid = await spawn(under);
    const content = noise(16 * MIB + 1);
    await under.mine.files.write(pid, { path: '/a' }, inPieces(content, MIB));
    await expect(under.mine.files.read('/a')).rejects.toMatchObject({ code: 'too_large', details: { path: '/a', size: 16 * MIB + 1 } });
    expect(Buffer.compare(await collect((await under.mine.files.open('/a')).content), content)).toBe(0);
    await under.mine.files.write(pid, { path: '/a' }, content.subarray(1));
    expect((await under.mine.files.read('/a')).content.length).toBe(16 * MIB);
  });
});

describe('large bodies at the same time', () => {
  it('are as many readers as there is room for, and one more is refused until one goes', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await under.mine.files.write(pid, { path: '/a' }, noise(MIB));
    const open = await Promise.all(Array.from({ length: READERS_MAX }, () => under.mine.files.open('/a')));
    await expect(under.mine.files.open('/a')).rejects.toMatchObject({ code: 'busy' });
    await expect(under.mine.files.read('/a')).rejects.toMatchObject({ code: 'busy' });
    await open[0]?.[Symbol.asyncDispose]();
    expect((await under.mine.files.read('/a')).stat.size).toBe(MIB);
  });

  it('are as many writers as there is room for, each with its own body, and one more is refused until one is done', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(under);
    const sources = Array.from({ length: UPLOADS_MAX }, createSource);
    const writing = sources.map((source, index) => mine.files.write(pid, { path: `/${index}` }, source));
    for (let round = 0; round < 3; round++)
      for (const [index, source] of sources.entries()) source.give(noise(500_000, index * 10 + round));
    await Promise.all(sources.map((source) => source.untilAsked(4)));
    await expect(mine.files.write(pid, { path: '/more' }, createSource())).rejects.toMatchObject({ code: 'busy' });
    await expect(mine.files.write(pid, { path: '/more' }, noise(MIB))).rejects.toMatchObject({ code: 'busy' });
    await mine.files.write(pid, { path: '/small' }, noise(100));
    for (const source of sources) source.end();
    for (const [index, stat] of (await Promise.all(writing)).entries()) {
      const content = Buffer.concat([0, 1, 2].map((round) => noise(500_000, index * 10 + round)));
      expect(stat.hash).toBe(sha(content));
    }
    await mine.files.write(pid, { path: '/more' }, noise(MIB));
  });

  it('come and go by the hundred and leave what is named', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { mine, kernel } = under;
    const pid = await spawn(under);
    const turn = async (index: number): Promise<void> => {
      const path = `/${index % 3}`;
      for (let round = 0; round < 8; round++) {
        const content = noise(CHUNK_BYTES + 1 + ((index * 7 + round) % 5), (index + round) % 4);
        await mine.files.write(pid, { path }, inPieces(content, 90_000));
        const found = await mine.files.read(path).catch(({ code }) => code);
        if (typeof found !== 'string') expect(sha(found.content)).toBe(found.stat.hash);
        if (round % 3 === 0) await mine.files.delete(path);
        if (round % 2 === 0) await mine.files.purgeHistory(path);
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => turn(index)));
    for (const path of ['/0', '/1', '/2']) {
      await mine.files.delete(path);
      await mine.files.purgeHistory(path);
    }
    await kernel.purger.purge();
    expect(await bodies(under)).toEqual({ usedBytes: 0, unnamed: [] });
    expect(await kernel.store.check()).toEqual([]);
  });
});
