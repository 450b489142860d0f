import { Fault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { describeFailure, failureDocument, formatFailure } from './failure.ts';

describe('describeFailure', () => {
  it('tells a fault with its details and its fix', () => {
    const details = { wall: 'user namespace', stage: 'clone', fix: 'sysctl -w user.max_user_namespaces=10000' };
    const failure = describeFailure(new Fault('wall_unavailable', 'Cannot start the sandbox: no user namespace', { details }));
    expect(failure).toEqual({
      code: 'wall_unavailable',
      message: 'Cannot start the sandbox: no user namespace',
      details,
      fix: details.fix,
    });
    expect(formatFailure(failure)).toBe(
      'warren: cannot start the sandbox: no user namespace\n  fix: sysctl -w user.max_user_namespaces=10000\n',
    );
  });

  it('names the path of a failed system call', () => {
    const error = Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: 'EACCES', syscall: 'open', path: '/x' });
    expect(describeFailure(error)).toMatchObject({
      code: 'permission_denied',
      message: 'Cannot open "/x": EACCES',
      details: { path: '/x' },
    });
  });

  it.each([[new TypeError('x is not a function')], ['a string'], [undefined], [Object.assign(new Error('odd'), { code: 'ERR_ODD' })]])(
    'calls %o internal',
    (error) => {
      expect(describeFailure(error)).toMatchObject({ code: 'internal' });
      expect(formatFailure(describeFailure(error))).not.toContain('    at ');
    },
  );
});

it('formatFailure prints two lines, whatever the message holds', () => {
  const failure = describeFailure(new Fault('not_found', 'Cannot open "a\nb\u001b[31m"', { details: { fix: 'rm\n-rf' } }));
  expect(formatFailure(failure)).toBe('warren: cannot open "a\\nb^[[31m"\n  fix: rm\\n-rf\n');
});

it('failureDocument has code, message and details', () => {
  expect(failureDocument(describeFailure(new Fault('busy', 'Cannot start')))).toEqual({
    error: { code: 'busy', message: 'Cannot start', details: {} },
  });
});
