import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFault } from './fault.ts';
import { createSandboxId, createTokenId, parseSandboxId, parseWorkspaceId, type RandomSource } from './ids.ts';

const same =
  (byte: number): RandomSource =>
  (length) =>
    new Uint8Array(length).fill(byte);

describe('createSandboxId', () => {
  it('uses every random bit', () => {
    expect(createSandboxId(same(0))).toBe('sandbox_0000000000000000');
    expect(createSandboxId(same(255))).toBe('sandbox_zzzzzzzzzzzzzzzz');
    expect(createSandboxId((length) => Uint8Array.from({ length }, (_, index) => index))).toBe('sandbox_000g40r40m30e209');
  });

  it('gives different ids for different bytes, all of which parse', () => {
    const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const [first, second] = [createSandboxId(() => one), createSandboxId(() => other)];
        expect(parseSandboxId(first)).toBe(first);
        expect(first === second).toBe(one.every((byte, index) => byte === other[index]));
      }),
    );
  });

  it('does not accept a random source that gives too little', () => {
    expect(() => createSandboxId(() => new Uint8Array(9))).toThrow('9 bytes');
  });
});

describe('createTokenId', () => {
  it('makes the same of the same bytes, under its own word', () => {
    expect(createTokenId(same(255))).toBe('token_zzzzzzzzzzzzzzzz');
  });
});

describe('parseSandboxId', () => {
  it('does not take an id of another kind', () => {
    const id = createSandboxId(same(7)).replace('sandbox_', 'workspace_');
    expect(() => parseSandboxId(id)).toThrow('sandbox id');
  });

  const hostile: unknown[] = [
    '', 'sandbox_', 'sandbox_../../etc/passwd', 'sandbox_000000000000000/', 'sandbox_0000000000000000\n', 'sandbox_000000000000000\0',
    'sandbox_00000000000000000', 'sandbox_000000000000000i', 'SANDBOX_0000000000000000', ' sandbox_0000000000000000',
    'sandbox_000000000000000０', 'x'.repeat(1_000_000), 7, null, undefined, ['sandbox_0000000000000000'], { toString: () => 'sandbox_0000000000000000' },
  ]; // biome-ignore format: a table
  it.each(hostile.map((value) => [value]))('refuses %j', (value) => {
    let caught: unknown;
    try {
      parseSandboxId(value);
    } catch (error) {
      caught = error;
    }
    if (!isFault(caught, 'invalid_argument')) throw new Error('not refused');
    expect(caught.message.length).toBeLessThan(300);
    expect([...caught.message].every((character) => character >= ' ')).toBe(true);
  });
});

describe('parseWorkspaceId', () => {
  it.each(['a', '_', 'Acme', 'user_42', 'a--b', 'a-', 'x'.repeat(128), 'toString', 'hasOwnProperty', 'con', 'default'])(
    'takes %j',
    (id) => {
      expect(parseWorkspaceId(id)).toBe(id);
    },
  );

  const hostile: unknown[] = [
    '', '.', '..', '../x', 'a/b', 'a\\b', '/', 'a b', ' a', 'a ', 'café', 'а', 'a\0', 'a\n', '\na', 'a.b', '~', '%2e%2e', 'a%2fb', '-', '-rf', '--help', 'ａ', 'x'.repeat(129),
    'x'.repeat(1_000_000), '__proto__', 'constructor', 'prototype', 7, null, undefined, ['acme'], { toString: () => 'acme' },
  ]; // biome-ignore format: a table
  it.each(hostile.map((value) => [value]))('refuses %j', (value) => {
    let caught: unknown;
    try {
      parseWorkspaceId(value);
    } catch (error) {
      caught = error;
    }
    if (!isFault(caught, 'invalid_argument')) throw new Error('not refused');
    expect(caught.message.length).toBeLessThan(300);
  });
});
