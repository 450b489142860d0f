import { type FaultCode, isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { LIST_ENTRIES_MAX } from './files.ts';
import { FRAME } from './frame-types.ts';
import { flagValue, parseFakeRequest } from './test-support/fake-request.ts';
import { encodeRecord } from './test-support/fake-stat-record.ts';
import { RawGuest, settle } from './test-support/raw-guest.ts';

const FIELDS = { kind: 'f', mode: 0o644, uid: 1, gid: 2, size: 3, mtimeMs: 4 };
const FAILED = { kind: 'failed', stage: 'file', call: 'open', path: '/somewhere/else', errno: 13 } as const;

async function codeOf(promise: Promise<unknown>): Promise<FaultCode | 'none'> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (isFault(error)) return error.code;
    throw error;
  }
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString();
  return text;
}

describe('readFile', () => {
  it('asks when it is iterated, and resolves paths from the default directory', async () => {
    const raw = new RawGuest({ cwd: '/w' });
    const content = raw.guest.readFile('a/../b', { offset: 1, user: { uid: 9, gid: 8 } });
    expect(await raw.take()).toEqual([]);
    const text = all(content);
    const [frame] = await raw.take();
    const request = parseFakeRequest(FRAME.READ, frame?.payload ?? Buffer.alloc(0));
    expect([flagValue(request, '--path'), flagValue(request, '--offset'), flagValue(request, '--uid')]).toEqual(['/w/a/../b', '1', '9']);
    raw.send(FRAME.STDOUT, 1, 'con');
    raw.send(FRAME.STDOUT, 1, 'tent');
    raw.ends(1);
    raw.exit(1);
    expect(await text).toBe('content');
  });

  it('fails after what came, whichever end comes first', async () => {
    const raw = new RawGuest();
    for (const isExitFirst of [true, false]) {
      const iterator = raw.guest.readFile('/f')[Symbol.asyncIterator]();
      const first = iterator.next();
      await settle();
      raw.send(FRAME.STDOUT, 1, 'part');
      if (isExitFirst) raw.exit(1, FAILED);
      raw.ends(1);
      if (!isExitFirst) raw.exit(1, FAILED);
      expect((await first).value).toHaveLength(4);
      await expect(iterator.next()).rejects.toMatchObject({
        code: 'permission_denied',
        message: 'Cannot read "/f": permission denied (open EACCES)',
        details: { path: '/f', call: 'open', errno: 'EACCES', stage: 'file' },
      });
      await settle();
    }
  });

  it('is not over before all of it has come', async () => {
    const raw = new RawGuest();
    const text = all(raw.guest.readFile('/f'));
    const listing = raw.guest.list('/d');
    await settle();
    for (const channel of [1, 2]) raw.exit(channel);
    await settle();
    raw.send(FRAME.STDOUT, 1, 'late');
    raw.send(FRAME.STDOUT, 2, encodeRecord('late', FIELDS));
    for (const channel of [1, 2]) raw.ends(channel);
    expect(await text).toBe('late');
    expect((await listing).map(({ name }) => name)).toEqual(['late']);
  });

  it('stops the read when its reader stops', async () => {
    const raw = new RawGuest();
    const reading = (async () => {
      for await (const _ of raw.guest.readFile('/f')) break;
    })();
    await settle();
    raw.send(FRAME.STDOUT, 1, Buffer.alloc(65_536));
    await reading;
    expect((await raw.takeType(FRAME.SIGNAL)).map(({ payload }) => [...payload])).toEqual([[15, 0]]);
    for (let count = 0; count < 3; count++) raw.send(FRAME.STDOUT, 1, Buffer.alloc(65_536));
    expect((await raw.takeType(FRAME.WINDOW)).length).toBeGreaterThan(0);
    raw.exit(1, { kind: 'signalled', signal: 15 });
    raw.ends(1);
    await settle();
    expect(raw.client.channelsOpen).toBe(0);
  });

  it('fails when the sandbox does, and when its process is killed', async () => {
    const raw = new RawGuest();
    const killed = all(raw.guest.readFile('/f'));
    await settle();
    raw.exit(1, { kind: 'signalled', signal: 9 });
    raw.ends(1);
    expect(await codeOf(killed)).toBe('internal');
    const lost = all(raw.guest.readFile('/f'));
    await settle();
    raw.guest.end({ by: 'destroyed', detail: 'the sandbox was destroyed' });
    expect(await codeOf(lost)).toBe('sandbox_gone');
    expect(await codeOf(all(raw.guest.readFile('/f')))).toBe('sandbox_gone');
  });
});

describe('writeFile', () => {
  it('sends the request and a short content together', async () => {
    const raw = new RawGuest();
    const writing = raw.guest.writeFile('/f', 'hé', { mode: 0o600 });
    const frames = await raw.take();
    expect(frames.map(({ type, payload }) => [type, type === FRAME.STDIN ? payload.toString() : ''])).toEqual([
      [FRAME.WRITE, ''],
      [FRAME.STDIN, 'hé'],
      [FRAME.STDIN, ''],
    ]);
    raw.ends(1);
    raw.exit(1);
    await writing;
  });

  it('is over when it is over, even if the caller aborts at the last moment', async () => {
    const raw = new RawGuest();
    const abort = new AbortController();
    const writing = raw.guest.writeFile('/f', 'x', { signal: abort.signal });
    await settle();
    abort.abort();
    raw.exit(1);
    raw.ends(1);
    await writing;
  });

  it('waits on abort until nothing can change any more', async () => {
    const raw = new RawGuest();
    const abort = new AbortController();
    let isSettled = false;
    const writing = codeOf(raw.guest.writeFile('/f', Buffer.alloc(100_000), { signal: abort.signal })).finally(() => {
      isSettled = true;
    });
    await raw.take();
    abort.abort();
    expect((await raw.takeType(FRAME.SIGNAL)).map(({ payload }) => [...payload])).toEqual([[15, 0]]);
    expect(isSettled).toBe(false);
    raw.exit(1, { kind: 'signalled', signal: 15 });
    raw.ends(1);
    expect(await writing).toBe('aborted');
  });

  it('refuses a content that is none', async () => {
    const raw = new RawGuest();
    for (const content of [undefined, null, 7, {}])
      expect(await codeOf(raw.guest.writeFile('/f', content as unknown as string))).toBe('invalid_argument');
    expect(raw.client.channelsOpen).toBe(0);
  });
});

describe('list and stat', () => {
  it('give what the records say', async () => {
    const raw = new RawGuest();
    const listing = raw.guest.list('/d');
    const records = Buffer.concat(['a', 'b'].map((name) => encodeRecord(name, FIELDS)));
    raw.send(FRAME.STDOUT, 1, records.subarray(0, 50));
    raw.send(FRAME.STDOUT, 1, records.subarray(50));
    raw.ends(1);
    raw.exit(1);
    expect((await listing).map(({ name }) => name)).toEqual(['a', 'b']);
    const stating = raw.guest.stat('/d/a/');
    raw.send(FRAME.STDOUT, 1, encodeRecord('.', FIELDS));
    raw.ends(1);
    raw.exit(1);
    expect(await stating).toEqual({ name: 'a', kind: 'file', mode: 0o644, uid: 1, gid: 2, size: 3, mtimeMs: 4 });
  });

  it.each<[string, 'list' | 'stat', readonly Buffer[]]>([
    ['a path for a name', 'list', [encodeRecord('../x', FIELDS)]],
    ['half a record', 'list', [encodeRecord('x', FIELDS).subarray(0, 20)]],
    ['no record', 'stat', []],
    ['two records', 'stat', [encodeRecord('x', FIELDS), encodeRecord('x', FIELDS)]],
    ['half a record', 'stat', [encodeRecord('x', FIELDS).subarray(0, 40)]],
  ])('take %s in %s for what it is', async (_, method, records) => {
    const raw = new RawGuest();
    const asking = raw.guest[method]('/x');
    for (const record of records) raw.send(FRAME.STDOUT, 1, record);
    raw.ends(1);
    raw.exit(1);
    expect(await codeOf(asking)).toBe('protocol_error');
    expect(isFault(await raw.client.closed, 'protocol_error')).toBe(true);
  });

  it('give up on a directory that does not end', async () => {
    const raw = new RawGuest();
    const listing = codeOf(raw.guest.list('/d'));
    const piece = Buffer.concat(Array.from({ length: 1_000 }, (_, index) => encodeRecord(`entry ${index}`, FIELDS)));
    for (let sent = 0; sent <= LIST_ENTRIES_MAX; sent += 1_000) {
      raw.send(FRAME.STDOUT, 1, piece);
      await settle();
    }
    expect(await raw.takeType(FRAME.SIGNAL)).toHaveLength(1);
    raw.exit(1, { kind: 'signalled', signal: 15 });
    raw.ends(1);
    expect(await listing).toBe('too_large');
  });

  it('reject at once when their caller aborts, though the guest does not answer', async () => {
    const raw = new RawGuest();
    for (const ask of ['list', 'stat'] as const) {
      const abort = new AbortController();
      const asking = raw.guest[ask]('/x', { signal: abort.signal });
      abort.abort(new Error('enough'));
      await expect(asking).rejects.toMatchObject({ code: 'aborted', cause: new Error('enough') });
    }
  });
});

describe('remove and mkdir', () => {
  it('ask for what they are told', async () => {
    const raw = new RawGuest();
    const removing = raw.guest.remove('/a', { recursive: true });
    const making = codeOf(raw.guest.mkdir('/b', { parents: true, mode: 0o700 }));
    const frames = await raw.take();
    expect(frames.map(({ type, payload }) => [type, payload.toString().split('\0').slice(-4).join(' ')])).toEqual([
      [FRAME.REMOVE, expect.stringContaining('--recursive')],
      [FRAME.MKDIR, expect.stringContaining('700 --parents')],
    ]);
    raw.exit(1);
    raw.ends(1);
    raw.ends(2);
    raw.exit(2, { ...FAILED, errno: 17 });
    await removing;
    expect(await making).toBe('already_exists');
  });
});
