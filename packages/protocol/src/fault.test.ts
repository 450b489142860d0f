import { describe, expect, expectTypeOf, it } from 'vitest';
import { FAULTS, Fault, type FaultCode, isFault, type WallDetails } from './fault.ts';

describe('Fault', () => {
  it('carries its code, message, details and cause', () => {
    const cause = new Error('EACCES');
    const fault = new Fault('not_found', 'Cannot read "/a": it does not exist', { details: { path: '/a' }, cause });
    expect(fault).toBeInstanceOf(Error);
    expect(fault).toMatchObject({ name: 'Fault', code: 'not_found', details: { path: '/a' } });
    expect(fault.cause).toBe(cause);
  });

  it('has neither cause nor details unless they are given', () => {
    const fault = new Fault('busy', 'Cannot start: 5 sandboxes run, the limit is 5');
    expect('cause' in fault).toBe(false);
    expect(fault.details).toBeUndefined();
  });

  it('keeps a cause that is undefined, because something was thrown', () => {
    expect('cause' in new Fault('internal', 'Cannot go on', { cause: undefined })).toBe(true);
  });

  it('gives a missing wall typed details', () => {
    const caught: unknown = new Fault('wall_unavailable', 'Cannot unshare', { details: { wall: 'user namespace', stage: 'clone' } });
    if (!isFault(caught, 'wall_unavailable')) throw new Error('not recognised');
    expectTypeOf(caught.details).toEqualTypeOf<WallDetails | undefined>();
    expect(caught.details?.wall).toBe('user namespace');
  });
});

describe('isFault', () => {
  it('accepts a fault of any code, or only of the code asked for', () => {
    const fault: unknown = new Fault('conflict', 'Cannot apply');
    expect([isFault(fault), isFault(fault, 'conflict'), isFault(fault, 'not_found')]).toEqual([true, true, false]);
  });

  it('refuses other errors, look-alikes and non-errors', () => {
    const others: unknown[] = [new Error('x'), { name: 'Fault', code: 'not_found', message: 'x' }, 'not_found', null, undefined];
    expect(others.map((other) => isFault(other))).toEqual([false, false, false, false, false]);
  });
});

describe('FAULTS', () => {
  const entries = Object.entries(FAULTS) as [FaultCode, (typeof FAULTS)[FaultCode]][]; // Object.entries forgets the keys of a const table.

  it('gives each code its own JSON-RPC number, in the ranges the specification leaves to servers', () => {
    expect(new Set(entries.map(([, { rpc }]) => rpc)).size).toBe(entries.length);
    for (const [, { rpc }] of entries) expect(rpc === -32602 || rpc === -32603 || (rpc <= -32004 && rpc >= -32199)).toBe(true);
  });

  it('maps every code to an HTTP error status', () => {
    for (const [, { http }] of entries) expect(http >= 400 && http <= 599).toBe(true);
  });
});
