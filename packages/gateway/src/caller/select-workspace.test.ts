import type { Principal } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { expect, it } from 'vitest';
import { selectWorkspace } from './select-workspace.ts';

const ACME = 'acme' as WorkspaceId; // Valid.
const OPERATOR: Principal = { kind: 'operator' };
const OTHERS: readonly Principal[] = [
  { kind: 'member', workspace: ACME, role: 'admin' },
  { kind: 'process', workspace: ACME, pid: 1 },
];

it('an operator who names no workspace means the default one', () => {
  expect(selectWorkspace(OPERATOR, undefined)).toBe('default');
  expect(selectWorkspace(OPERATOR, 'acme')).toBe('acme');
});

it.each(OTHERS)('a $kind has its own workspace, whether it names it or not', (principal) => {
  expect(selectWorkspace(principal, undefined)).toBe('acme');
  expect(selectWorkspace(principal, 'acme')).toBe('acme');
});

it.each(OTHERS)('a $kind gets no other workspace, in the same words whether there is one or not', (principal) => {
  for (const named of ['default', 'nobody', 'ACME', 'acme ', '', '../acme', 'acme\0']) {
    expect(() => selectWorkspace(principal, named)).toThrow('Cannot use that workspace: the token is for another');
  }
});

it.each(['', 'a b', '../acme', 'a/b', '-', 'a'.repeat(129), '__proto__', '\0'])('an operator cannot name a workspace %j', (named) => {
  expect(() => selectWorkspace(OPERATOR, named)).toThrow('Cannot use');
});
