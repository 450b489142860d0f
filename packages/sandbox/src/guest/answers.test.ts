import { type FaultCode, isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../contract.ts';
import { decodeGone, decodeHello } from './control-messages.ts';
import { decodeExit } from './exit-message.ts';
import { fileFault } from './file-fault.ts';
import { decodeStartFailure, startFault } from './start-failure.ts';
import { StatRecordDecoder } from './stat-record.ts';
import { encodeExit } from './test-support/fake-guest.ts';
import { encodeRecord } from './test-support/fake-stat-record.ts';

const USAGE = { userMicros: 1_500, systemMicros: 500, rssBytesMax: 1_048_576 };

function isMalformed(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (isFault(error, 'protocol_error')) return true;
    throw error;
  }
}

describe('decodeExit', () => {
  it('reads the three kinds', () => {
    expect(decodeExit(encodeExit({ kind: 'exited', code: 255 }))).toEqual({ kind: 'exited', code: 255, leftovers: 0, usage: USAGE });
    expect(decodeExit(encodeExit({ kind: 'signalled', signal: 9 }))).toEqual({
      kind: 'signalled',
      signal: 9,
      isCoreDumped: false,
      leftovers: 0,
      usage: USAGE,
    });
    const failed = { kind: 'failed', stage: 'exec', call: 'execve', path: '/bin/é\n', errno: 2 } as const;
    expect(decodeExit(encodeExit(failed))).toEqual({ ...failed, usage: USAGE });
  });

  it('reads how many processes were left', () => {
    expect(decodeExit(encodeExit({ kind: 'exited', code: 0, leftovers: 65_535 }))).toMatchObject({ leftovers: 65_535 });
    expect(decodeExit(encodeExit({ kind: 'signalled', signal: 9, leftovers: 258 }))).toMatchObject({ leftovers: 258 });
  });

  it('reads figures beyond 32 bits', () => {
    const { usage } = decodeExit(encodeExit({ kind: 'exited', code: 0 }, [2 ** 40 + 1, 2 ** 33, 2 ** 52 + 1]));
    expect(usage).toEqual({ userMicros: 2 ** 40 + 1, systemMicros: 2 ** 33, rssBytesMax: 2 ** 52 + 1 });
  });

  const exited = (): Buffer => encodeExit({ kind: 'exited', code: 0 });
  const at = (bytes: Buffer, index: number, value: number): Buffer => {
    bytes[index] = value;
    return bytes;
  };
  const failedAs = (text: string): Buffer => Buffer.concat([at(at(exited(), 0, 2), 4, 2), Buffer.from(text)]);
  it.each<[string, Buffer]>([
    ['an unknown kind', at(exited(), 0, 3)],
    ['a core dump of what exited', at(exited(), 1, 1)],
    ['what was left by a command that never ran', at(failedAs('exec\0execve\0/x'), 3, 1)],
    ['an exit code above 255', at(exited(), 5, 1)],
    ['a negative exit code', at(at(at(at(exited(), 4, 255), 5, 255), 6, 255), 7, 255)],
    ['the signal 0', at(exited(), 0, 1)],
    ['the signal 65', at(at(exited(), 0, 1), 4, 65)],
    ['a failure without errno', at(exited(), 0, 2)],
    ['an exit with more bytes', Buffer.concat([exited(), Buffer.from('x')])],
    ['a failure without words', failedAs('')],
    ['a failure with two words', failedAs('a\0b')],
    ['a failure with four words', failedAs('a\0b\0c\0d')],
    ['a stage that is no word', failedAs('a\u001b[2J\0b\0c')],
    ['a call that is too long', failedAs(`a\0${'b'.repeat(65)}\0c`)],
    ['nothing', Buffer.alloc(0)],
  ])('refuses %s', (_, payload) => {
    expect(isMalformed(() => decodeExit(payload))).toBe(true);
  });

  it('reads or refuses any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const payload = Buffer.from(bytes);
        payload[0] = (payload[0] ?? 0) % 3;
        isMalformed(() => decodeExit(payload)); // Anything else it throws fails the test.
      }),
    );
  });
});

describe('StatRecordDecoder', () => {
  const FIELDS = { kind: 'f', mode: 0o644, uid: 1, gid: 2, size: 3, mtimeMs: 1_700_000_000_123 };

  function read(chunks: readonly Buffer[], names: 'entry' | 'any' = 'entry'): readonly Entry[] {
    const entries: Entry[] = [];
    const decoder = new StatRecordDecoder(names, (entry) => entries.push(entry));
    for (const chunk of chunks) decoder.push(chunk);
    decoder.end();
    return entries;
  }

  it('reads what there is to know', () => {
    const fields = { ...FIELDS, size: 2 ** 40 + 1, mtimeMs: -1_500 };
    expect(read([encodeRecord('é', { ...fields, kind: 'l' }, '../x')])).toEqual([
      { name: 'é', kind: 'symlink', mode: 0o644, uid: 1, gid: 2, size: 2 ** 40 + 1, mtimeMs: -1_500, target: '../x' },
    ]);
    const kinds = ['f', 'd', 'c', 'b', 'p', 's'].map((kind) => read([encodeRecord('x', { ...FIELDS, kind })])[0]?.kind);
    expect(kinds).toEqual(['file', 'directory', 'character_device', 'block_device', 'fifo', 'socket']);
  });

  it('reads the same however the stream is cut', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'é', ' ', '.'), minLength: 3, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), fc.array(fc.nat(400), { maxLength: 12 }), (names, cuts) => {
        const bytes = Buffer.concat(names.map((entry) => encodeRecord(entry, FIELDS)));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        expect(read(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toEqual(read([bytes]));
        expect(read([bytes]).map((entry) => entry.name)).toEqual(names);
      }),
      { examples: [[['...'], []]] },
    );
  });

  const record = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = encodeRecord('name', FIELDS);
    change(bytes);
    return bytes;
  };
  it.each<[string, Buffer]>([
    ['an empty name', encodeRecord('', FIELDS)],
    ['the name .', encodeRecord('.', FIELDS)],
    ['the name ..', encodeRecord('..', FIELDS)],
    ['a path as a name', encodeRecord('../../etc/passwd', FIELDS)],
    ['a name with NUL', encodeRecord('a\0b', FIELDS)],
    ['a target with NUL', encodeRecord('a', { ...FIELDS, kind: 'l' }, 'a\0b')],
    ['a target of what is no link', encodeRecord('a', FIELDS, 'b')],
    ['an unknown kind', record((bytes) => bytes.write('x', 2))],
    ['padding', record((bytes) => bytes.writeUInt8(1, 3))],
    ['a mode beyond the permissions', record((bytes) => bytes.writeUInt32LE(0o10000, 4))],
    ['a second of more than a second', record((bytes) => bytes.writeUInt32LE(1_000_000_000, 32))],
    ['a length below that of the fixed part', record((bytes) => bytes.writeUInt16LE(39, 0))],
    ['the length 0', record((bytes) => bytes.writeUInt16LE(0, 0))],
    ['a length below that of its parts', record((bytes) => bytes.writeUInt16LE(43, 0))],
    ['a length above that of its parts', Buffer.concat([record((bytes) => bytes.writeUInt16LE(45, 0)), Buffer.alloc(1)])],
    ['a name beyond the record', record((bytes) => bytes.writeUInt16LE(5, 36))],
    ['a target beyond the record', record((bytes) => bytes.writeUInt16LE(0xffff, 38))],
    ['a record that is cut off', encodeRecord('name', FIELDS).subarray(0, 43)],
    ['a head that is cut off', Buffer.from([1])],
  ])('refuses %s', (_, bytes) => {
    expect(isMalformed(() => read([bytes]))).toBe(true);
  });

  it('lets STAT name what has no last component', () => {
    expect(read([encodeRecord('.', FIELDS)], 'any')).toHaveLength(1);
    expect(isMalformed(() => read([encodeRecord('a/b', FIELDS)], 'any'))).toBe(true);
  });

  it('reads or refuses any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), (chunks) => {
        isMalformed(() => read(chunks.map((chunk) => Buffer.from(chunk))));
      }),
    );
  });
});

describe('fileFault', () => {
  it.each<[number, FaultCode]>([
    [2, 'not_found'],
    [13, 'permission_denied'],
    [1, 'permission_denied'],
    [30, 'permission_denied'],
    [17, 'already_exists'],
    [28, 'storage_full'],
    [122, 'storage_full'],
    [20, 'invalid_argument'],
    [21, 'invalid_argument'],
    [40, 'invalid_argument'],
    [36, 'invalid_argument'],
    [22, 'invalid_argument'],
    [39, 'invalid_argument'],
    [27, 'too_large'],
    [16, 'busy'],
    [11, 'busy'],
    [5, 'internal'],
    [999, 'internal'],
  ])('makes of errno %i %s', (errno, code) => {
    const fault = fileFault('read "/a"', '/a', { kind: 'failed', stage: 'file', call: 'open', path: '/secret', errno, usage: USAGE });
    expect(fault.code).toBe(code);
    expect(fault.message).toContain('Cannot read "/a": ');
    expect(fault.message).toContain('open E'.slice(0, 5));
    expect(fault.details).toMatchObject({ path: '/a', call: 'open', stage: 'file' });
  });
});

describe('decodeStartFailure', () => {
  const line = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

  it('reads the line, and names the errno itself', () => {
    const failure = decodeStartFailure(line({ stage: 'mounts', call: 'mount', path: '/x', errno: 13, error: 'E?' }));
    expect(failure).toEqual({ stage: 'mounts', call: 'mount', path: '/x', errno: 13, error: 'EACCES' });
    expect(decodeStartFailure(line({ stage: 'x', call: '', path: null, errno: 1 })).path).toBe('');
  });

  it('becomes a fault with details that a program can use', () => {
    const failure = decodeStartFailure(line({ stage: 'mounts', call: 'mount', path: '/x', errno: 13 }));
    const fault = startFault(failure, () => ({ wall: 'the root file system', fix: 'do this' }));
    expect(fault.details).toEqual({
      wall: 'the root file system',
      stage: 'mounts',
      call: 'mount',
      path: '/x',
      errno: 'EACCES',
      fix: 'do this',
    });
    expect(fault.message).toBe('Cannot start a sandbox: the root file system is not available (mounts: mount "/x": EACCES)');
    expect(startFault(failure).details?.wall).toBe('mounts');
  });

  it.each(
    [
      ['', '{', 'null', '7', '[]', '{}', { stage: '', call: '', path: '', errno: 1 }, { stage: 'x', call: 'y', path: 'z' }],
      [
        { stage: 'x'.repeat(101), call: 'y', path: 'z', errno: 1 },
        { stage: 'x', call: 7, path: 'z', errno: 1 },
        { stage: 'x', call: 'y', path: 'z', errno: 1.5 },
      ],
    ].flat(),
  )('refuses %j', (value) => {
    expect(isMalformed(() => decodeStartFailure(line(value)))).toBe(true);
  });
});

describe('messages of the launcher', () => {
  it('says where it listens, in a version we know', () => {
    expect(decodeHello(Buffer.from('1\0warren-1234'))).toEqual({ socketName: 'warren-1234', landlock: 0 });
    expect(decodeHello(Buffer.from('1\0warren-1234\x007\0'))).toEqual({ socketName: 'warren-1234', landlock: 7 });
    expect(decodeHello(Buffer.from('1\0warren-1234\0none')).landlock).toBe(0);
    for (const text of ['2\0warren', '', '1', '1\0', '\0']) expect(isMalformed(() => decodeHello(Buffer.from(text)))).toBe(true);
  });

  it('says how a sandbox ended, with its reports', () => {
    const payload = Buffer.concat([encodeExit({ kind: 'signalled', signal: 9 }), Buffer.from('1024\n\0a\nb\n\0\0')]);
    expect(decodeGone(payload)).toEqual({ kind: 'signalled', value: 9, usage: USAGE, reports: ['1024\n', 'a\nb\n', ''] });
    expect(decodeGone(encodeExit({ kind: 'exited', code: 0 }))?.reports).toEqual([]);
    expect(decodeGone(Buffer.alloc(0))).toBeUndefined();
    expect(isMalformed(() => decodeGone(Buffer.alloc(31)))).toBe(true);
    expect(isMalformed(() => decodeGone(Buffer.alloc(32, 7)))).toBe(true);
  });
});
