import { Fault, type FaultCode, isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { withStoreAdvice } from './store-advice.ts';
import { storeExitCode } from './store-exit-code.ts';

function adviceOn(code: FaultCode, details: Readonly<Record<string, unknown>> = {}, flag?: string): unknown {
  const advised = withStoreAdvice(new Fault(code, 'Cannot open the store', { details }), flag);
  return isFault(advised) ? (advised.details as Readonly<Record<string, unknown>> | undefined)?.['fix'] : undefined; // None of these has details of another kind.
}

describe('withStoreAdvice', () => {
  it.each<[string, FaultCode, Readonly<Record<string, unknown>>, string]>([
    ['another daemon', 'busy', { pid: 7 }, 'warren status, or: warren stop'],
    ['a newer store', 'schema_mismatch', { expected: 1, found: 2 }, 'upgrade Warren, or: warren restore --force FILE'],
    ['an older store', 'schema_mismatch', { expected: 2, found: 1 }, 'warren serve, which upgrades it'],
    ['a damaged store', 'store_failed', { sqlite: 11 }, 'warren doctor --store, then: warren restore --force FILE'],
    ['no database', 'store_failed', { sqlite: 26 }, 'warren doctor --store, then: warren restore --force FILE'],
    ['a failing disk', 'store_failed', { sqlite: 10 | (4 << 8) }, 'look at the disk: df -h, dmesg'],
    ['no permission', 'store_failed', { sqlite: 14 }, 'make the state directory writable for this user, or choose another with --state'],
    ['a full disk', 'storage_full', {}, 'free some space (df -h), then: warren doctor --store'],
    ['no store', 'not_found', {}, 'warren serve'],
  ])('knows what to do about %s', (_, code, details, fix) => {
    expect(adviceOn(code, details)).toBe(fix);
  });

  it('names the state directory that was given', () => {
    expect(adviceOn('busy', { pid: 7 }, '/a b')).toBe("warren status --state '/a b', or: warren stop --state '/a b'");
  });

  it('keeps better advice, details and cause, and what is no fault', () => {
    expect(adviceOn('busy', { pid: 7, fix: 'wait' })).toBe('wait');
    expect(adviceOn('busy')).toBeUndefined();
    const error = new Error('x');
    expect(withStoreAdvice(error, undefined)).toBe(error);
    const fault = new Fault('storage_full', 'Cannot write', { details: { sqlite: 13 } });
    expect(withStoreAdvice(fault, undefined)).toMatchObject({ message: 'Cannot write', details: { sqlite: 13 }, cause: fault });
  });
});

it('storeExitCode is for commands that open the store, and faults of the store', () => {
  expect(storeExitCode('serve', new Fault('store_failed', 'x'))).toBe(3);
  expect(storeExitCode('kernel', new Fault('schema_mismatch', 'x'))).toBe(3);
  expect(storeExitCode('serve', new Fault('busy', 'x'))).toBeUndefined();
  expect(storeExitCode('apply', new Fault('storage_full', 'x'))).toBeUndefined();
  expect(storeExitCode('serve', new Error('x'))).toBeUndefined();
  expect(storeExitCode(undefined, new Fault('store_failed', 'x'))).toBeUndefined();
});
