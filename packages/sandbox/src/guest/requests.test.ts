import { type FaultCode, isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExecRequest, encodeExec } from './exec-request.ts';
import { encodeFileRequest, type FileRequest } from './file-request.ts';
import { FRAME, HEADER_BYTES } from './frame-types.ts';
import { parseFakeRequest } from './test-support/fake-request.ts';

function words(frame: Buffer): readonly string[] {
  expect(frame.readUInt32LE(0)).toBe(frame.length - HEADER_BYTES);
  const all = frame.toString('utf8', HEADER_BYTES).split('\0');
  expect(all.pop()).toBe(''); // Every word is followed by NUL.
  return all;
}

function refusal(work: () => unknown): { readonly code: FaultCode; readonly message: string } {
  try {
    work();
  } catch (error) {
    if (isFault(error)) return { code: error.code, message: error.message };
  }
  throw new Error('not refused');
}

const text = fc.string({ unit: fc.constantFrom('a', '=', ' ', '\n', 'é', '🐇', '-', '/'), maxLength: 8 });

describe('encodeExec', () => {
  it('writes flags, then the arguments', () => {
    const frame = encodeExec({
      argv: ['a', '', '--', 'b c', ''],
      env: { A: '1', B: 'x=y', GONE: undefined, EMPTY: '' },
      cwd: '/w',
      user: { uid: 1_000, gid: 100 },
      pty: { rows: 24, columns: 80 },
      rlimits: [{ name: 'cpu', soft: 1, hard: 2 }],
      hasStdin: true,
      windowBytes: 1_000,
      umask: 0o27,
      endsTree: true,
    });
    expect(frame[4]).toBe(FRAME.EXEC);
    expect(words(frame).join(' ')).toBe(
      '--cwd /w --env A=1 --env B=x=y --env EMPTY= --uid 1000 --gid 100 --pty 24 80 --rlimit cpu 1 2 --stdin --window 1000 --umask 27 --end-tree -- a  -- b c ',
    );
  });

  it('is understood by the guest, whatever the arguments and the environment say', () => {
    const name = text.filter((value) => value !== '' && !value.includes('='));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), fc.dictionary(name, text, { maxKeys: 4 }), text, (argv, env, cwd) => {
        const frame = encodeExec({ argv, env, cwd });
        const request = parseFakeRequest(FRAME.EXEC, frame.subarray(HEADER_BYTES));
        expect(request.argv).toEqual(argv);
        expect((request.flags.get('--env') ?? []).flat()).toEqual(Object.entries(env).map(([key, value]) => `${key}=${value}`));
        expect(request.flags.get('--cwd')).toEqual([[cwd]]);
      }),
    );
  });

  const many = (count: number): string[] => new Array<string>(count).fill('');
  const entries = (count: number): Record<string, string> => Object.fromEntries(many(count).map((_, index) => [`N${index}`, '']));
  const REFUSED: readonly (readonly [string, ExecRequest, FaultCode, string])[] = [
    ['no arguments', { argv: [] }, 'invalid_argument', 'argv is empty'],
    ['NUL in an argument', { argv: ['a', 'b\0'] }, 'invalid_argument', 'argv[1]'],
    ['half of a surrogate pair', { argv: ['a', 'b', '\udc00'] }, 'invalid_argument', 'argv[2]'],
    ['an argument that is no text', { argv: ['a', 7 as unknown as string] }, 'invalid_argument', 'argv[1]'],
    ['NUL in a name', { argv: ['a'], env: { 'A\0': 'b' } }, 'invalid_argument', 'env["A\\u0000"]'],
    ['NUL in a value', { argv: ['a'], env: { A: 'b\0' } }, 'invalid_argument', 'env["A"]'],
    ['a name with =', { argv: ['a'], env: { 'A=': 'b' } }, 'invalid_argument', 'env'],
    ['an empty name', { argv: ['a'], env: { '': 'b' } }, 'invalid_argument', 'env'],
    ['NUL in the directory', { argv: ['a'], cwd: '/\0' }, 'invalid_argument', 'cwd'],
    ['a negative uid', { argv: ['a'], user: { uid: -1, gid: 0 } }, 'invalid_argument', 'user.uid'],
    ['a gid that is too large', { argv: ['a'], user: { uid: 0, gid: 0xffff_ffff } }, 'invalid_argument', 'user.gid'],
    ['half a row', { argv: ['a'], pty: { rows: 1.5, columns: 1 } }, 'invalid_argument', 'pty.rows'],
    ['no columns', { argv: ['a'], pty: { rows: 1, columns: 0 } }, 'invalid_argument', 'pty.columns'],
    ['no window', { argv: ['a'], windowBytes: 0 }, 'invalid_argument', 'windowBytes'],
    ['a umask that is too large', { argv: ['a'], umask: 0o1000 }, 'invalid_argument', 'umask'],
    ['too many arguments', { argv: many(32_769) }, 'too_large', '32768'],
    ['too many entries', { argv: ['a'], env: entries(1_025) }, 'too_large', '1024'],
    ['too many bytes', { argv: ['x'.repeat(1_048_577)] }, 'too_large', '1048576'],
    ['too many bytes of UTF-8', { argv: ['é'.repeat(524_288)] }, 'too_large', '1048576'],
  ];
  it.each(REFUSED)('refuses %s', (_, request, code, message) => {
    const refused = refusal(() => encodeExec(request));
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(message);
    expect(refused.message.length).toBeLessThan(300);
  });

  it('takes as much as is allowed', () => {
    expect(encodeExec({ argv: many(32_768), env: entries(1_024) })[4]).toBe(FRAME.EXEC);
    expect(encodeExec({ argv: ['x'.repeat(1_048_576 - 4)] })).toHaveLength(HEADER_BYTES + 1_048_576);
  });
});

describe('encodeFileRequest', () => {
  it.each<[FileRequest, number, string]>([
    [{ kind: 'read', path: '/a' }, FRAME.READ, '--path /a --uid 1 --gid 2'],
    [{ kind: 'read', path: '/a', offset: 0, length: 2 ** 40 }, FRAME.READ, '--path /a --uid 1 --gid 2 --offset 0 --length 1099511627776'],
    [{ kind: 'write', path: '/a', mode: 0o644 }, FRAME.WRITE, '--path /a --uid 1 --gid 2 --mode 644'],
    [
      { kind: 'write', path: '/a', mode: 0, append: true, exclusive: true },
      FRAME.WRITE,
      '--path /a --uid 1 --gid 2 --mode 0 --append --exclusive',
    ],
    [{ kind: 'list', path: '-a' }, FRAME.LIST, '--path -a --uid 1 --gid 2'],
    [{ kind: 'stat', path: '/a', follow: true }, FRAME.STAT, '--path /a --uid 1 --gid 2 --follow'],
    [{ kind: 'remove', path: '/a', recursive: true }, FRAME.REMOVE, '--path /a --uid 1 --gid 2 --recursive'],
    [{ kind: 'mkdir', path: '/a', mode: 0o1777, parents: true }, FRAME.MKDIR, '--path /a --uid 1 --gid 2 --mode 1777 --parents'],
  ])('writes %j', (request, type, expected) => {
    const frame = encodeFileRequest(request, { uid: 1, gid: 2 });
    expect(frame[4]).toBe(type);
    expect(words(frame).join(' ')).toBe(expected);
    expect(parseFakeRequest(type, frame.subarray(HEADER_BYTES)).flags.get('--path')).toEqual([[request.path]]);
  });

  it.each<[string, FileRequest, FaultCode]>([
    ['an empty path', { kind: 'stat', path: '' }, 'invalid_argument'],
    ['NUL', { kind: 'stat', path: '/a\0b' }, 'invalid_argument'],
    ['a negative offset', { kind: 'read', path: '/a', offset: -1 }, 'invalid_argument'],
    ['a fractional length', { kind: 'read', path: '/a', length: 0.5 }, 'invalid_argument'],
    ['set-user-id', { kind: 'write', path: '/a', mode: 0o4755 }, 'invalid_argument'],
    ['a mode that is no number', { kind: 'mkdir', path: '/a', mode: Number.NaN }, 'invalid_argument'],
    ['a path that is too long', { kind: 'list', path: 'x'.repeat(1_100_000) }, 'too_large'],
  ])('refuses %s', (_, request, code) => {
    const refused = refusal(() => encodeFileRequest(request));
    expect(refused.code).toBe(code);
    expect(refused.message.length).toBeLessThan(400);
    expect(refused.message).not.toContain('\0');
  });
});
