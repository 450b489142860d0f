import { describe, expect, it } from 'vitest';
import { SealedStates, type StateOwner } from './sealed-states.ts';

const OWNER: StateOwner = { caller: 'a', method: 'tools/call', subject: 'x', args: { one: 1, two: [{ b: 1, a: 2 }] } };

describe('a sealed state', () => {
  it('comes back as it was, to the same caller for the same request', () => {
    const states = new SealedStates(1_000);
    for (const state of [null, 5, 'text', { nested: [1, { two: null }] }])
      expect(states.open(states.seal(state, OWNER), OWNER)).toEqual(state);
    const reordered = { ...OWNER, args: { two: [{ a: 2, b: 1 }], one: 1 } };
    expect(states.open(states.seal('x', OWNER), reordered)).toBe('x');
  });

  it('is of nobody else, of no other request and of no other process', () => {
    const states = new SealedStates(1_000);
    const sealed = states.seal('x', OWNER);
    for (const other of [
      { ...OWNER, caller: 'b' },
      { ...OWNER, method: 'prompts/get' },
      { ...OWNER, subject: 'y' },
      { ...OWNER, args: { one: 1, two: [{ b: 1, a: 3 }] } },
      { ...OWNER, args: null },
      { caller: 'a","tools/call', method: '', subject: 'x', args: OWNER.args },
    ]) {
      expect(states.open(sealed, other)).toBeUndefined();
    }
    expect(new SealedStates(1_000).open(sealed, OWNER)).toBeUndefined();
  });

  it('is good for its time', () => {
    let now = 0;
    const states = new SealedStates(1_000, () => now);
    const sealed = states.seal('x', OWNER);
    now = 1_000;
    expect(states.open(sealed, OWNER)).toBe('x');
    now = 1_001;
    expect(states.open(sealed, OWNER)).toBeUndefined();
  });

  it('shows nothing of what is in it, and never looks the same', () => {
    const states = new SealedStates(1_000);
    const [one, other] = [states.seal('secret', OWNER), states.seal('secret', OWNER)];
    expect(one).not.toBe(other);
    expect(Buffer.from(one, 'base64url').includes('secret')).toBe(false);
  });
});
