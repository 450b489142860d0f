/** What the tests of every table need: a store with two workspaces, and text that nobody expects. */
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { createTestClock, type TestClock } from '../../test-support/open-test-kernel.ts';
import type { WorkspaceStore } from '../store.ts';
import type { OpenStore, StoreUnderTest } from './conformance.ts';

const OTHER = 'other' as WorkspaceId; // Valid.

/** Quotes, patterns, the end of C's strings, directions, characters of four bytes, and what JavaScript takes for something else. */
export const HOSTILE_TEXT = [
  `'; DROP TABLE calls; --`,
  '%_*?[]\\"',
  'a\u0000b',
  '\u202eevil',
  '\u{10ffff}é\u0301',
  '__proto__',
  'x'.repeat(100_000),
];
export const HOSTILE_OBJECT = JSON.parse('{"__proto__":{"a":1},"constructor":null,"":["\\ud800",1e308,-0.5],"\\u0000":{"x":[[[]]]}}');

export type TwoWorkspaces = AsyncDisposable & {
  readonly clock: TestClock;
  readonly under: StoreUnderTest;
  readonly mine: WorkspaceStore;
  readonly other: WorkspaceStore;
};

export async function openTwo(open: OpenStore): Promise<TwoWorkspaces> {
  const clock = createTestClock();
  const under = await open({ clock });
  await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));
  return {
    clock,
    under,
    get mine() {
      return under.store.workspace(DEFAULT_WORKSPACE);
    },
    get other() {
      return under.store.workspace(OTHER);
    },
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
}
