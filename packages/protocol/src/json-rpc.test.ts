import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULTS, Fault, type FaultCode } from './fault.ts';
import { errorOfFault, faultFromError } from './json-rpc.ts';

const CODES = Object.keys(FAULTS) as readonly FaultCode[]; // Object.keys forgets the keys of a const table.

describe('errorOfFault', () => {
  it('has the number, the message, the code and the details', () => {
    const fault = new Fault('illegal_transition', 'Cannot move process 1: it is DEAD', {
      details: { prev_state: 'DEAD', target_state: 'READY' },
      cause: new Error('secret'),
    });
    expect(errorOfFault(fault)).toEqual({
      code: -32103,
      message: 'Cannot move process 1: it is DEAD',
      data: { prev_state: 'DEAD', target_state: 'READY', fault: 'illegal_transition' },
    });
  });

  it('says its code whatever the details say', () => {
    expect(errorOfFault(new Fault('busy', 'Cannot', { details: { fault: 'internal' } })).data).toEqual({ fault: 'busy' });
  });
});

describe('faultFromError', () => {
  it('gives every fault back as it was sent', () => {
    const details = fc.dictionary(
      fc.string().filter((key) => key !== 'fault'),
      fc.jsonValue({ maxDepth: 2 }),
      { minKeys: 1, noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.constantFrom(...CODES), fc.string(), fc.option(details, { nil: undefined }), (code, message, given) => {
        const fault = new Fault(
          code,
          message,
          given === undefined ? {} : { details: JSON.parse(JSON.stringify(given)) as object as never },
        ); // Of any shape.
        const back = faultFromError(JSON.parse(JSON.stringify(errorOfFault(fault))));
        expect([back.code, back.message, back.details]).toEqual([fault.code, fault.message, fault.details]);
      }),
    );
  });

  it.each(CODES)('knows %s by its number alone', (code) => {
    expect(faultFromError({ code: FAULTS[code].rpc, message: 'x' }).code).toBe(code);
  });

  it.each([
    [-32700, 'invalid_argument'],
    [-32600, 'invalid_argument'],
    [-32601, 'unsupported'],
    [-32100, 'internal'],
    [-1, 'internal'],
    [-32000, 'internal'],
  ])('takes %j for %s', (code, fault) => {
    expect(faultFromError({ code, message: 'x' }).code).toBe(fault);
  });

  it('believes a code it knows more than a number', () => {
    expect(faultFromError({ code: -32000, message: 'x', data: { fault: 'mailbox_full', pid: 3 } })).toMatchObject({
      code: 'mailbox_full',
      details: { pid: 3 },
    });
  });

  it.each(['toString', '__proto__', 'constructor', 'of_the_future', 5, null])('takes the number when the code is %j', (fault) => {
    expect(faultFromError({ code: -32102, message: 'x', data: { fault } }).code).toBe('unknown_pid');
  });

  it('makes something of anything', () => {
    fc.assert(
      fc.property(fc.anything(), (error) => {
        const fault = faultFromError(error);
        expect(CODES).toContain(fault.code);
        expect(typeof fault.message).toBe('string');
      }),
    );
  });

  it('takes no prototype from details', () => {
    const fault = faultFromError(JSON.parse('{"code": -32102, "message": "x", "data": {"__proto__": {"isAdmin": true}}}'));
    expect(Object.getPrototypeOf(fault.details)).toBe(Object.prototype);
    expect('isAdmin' in (fault.details ?? {})).toBe(false);
  });
});
