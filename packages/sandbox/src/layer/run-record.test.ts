import { describe, expect, it } from 'vitest';
import { createRunId } from './run-id.ts';
import { type RunExit, type RunRecord, readRecord, recordToText } from './run-record.ts';

const RECORD: RunRecord = {
  id: createRunId(Date.now()),
  createdAt: '2026-11-21T08:00:00.000Z',
  command: ['sh', '-c', 'echo "\n"'],
  directory: '/home/someone/project',
  profile: 'moderate',
  status: 'open',
  startedNs: '1795251230133210801',
  layer: { state: 'pending', isUndoable: false },
};

const EXITS: readonly RunExit[] = [
  { kind: 'exited', code: 3 },
  { kind: 'signalled', signal: 'SIGKILL' },
  { kind: 'stopped', by: 'memory', detail: '512 MiB' },
  { kind: 'not_started', code: 127, call: 'execve', path: 'nope', errno: 'ENOENT' },
];

describe('a record', () => {
  it('is read as it was written', () => {
    expect(readRecord(recordToText(RECORD))).toEqual(RECORD);
    for (const exit of EXITS) {
      const ended: RunRecord = {
        ...RECORD,
        status: 'ended',
        endedAt: RECORD.createdAt,
        exit,
        layer: { state: 'applied', changes: 3, isUndoable: true },
      };
      expect(readRecord(recordToText(ended))).toEqual(ended);
    }
  });

  it.each<[string, Record<string, unknown>]>([
    ['another version', { version: 2 }],
    ['an id that is a path', { id: '../../etc' }],
    ['a relative directory', { directory: 'project' }],
    ['a directory with a zero byte', { directory: '/a\0b' }],
    ['an unknown status', { status: 'done' }],
    ['an unknown profile', { profile: 'root' }],
    ['a command that is no list', { command: 'sh' }],
    ['a command with a number', { command: [1] }],
    ['an unknown layer state', { layer: { state: 'x', isUndoable: true } }],
    ['an exit without its code', { exit: { kind: 'exited' } }],
    ['an unknown signal', { exit: { kind: 'signalled', signal: 'SIGNOPE' } }],
    ['a field that is not known', { extra: 1 }],
    ['a missing field', { startedNs: undefined }],
    ['a time that is none', { createdAt: 'yesterday' }],
  ])('is refused with %s', (_, change) => {
    const fields = { ...JSON.parse(recordToText(RECORD)), ...change };
    expect(() => readRecord(JSON.stringify(fields))).toThrow();
  });

  it.each(['', 'null', '[]', '7', '{', '{"__proto__":{}}'])('is refused as %j', (text) => expect(() => readRecord(text)).toThrow());
});
