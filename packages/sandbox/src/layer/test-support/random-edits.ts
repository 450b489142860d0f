import fc from 'fast-check';
import type { Edit } from './overlay-helper.ts';

/** Few, so that edits meet; among them what breaks careless code. One character for each byte. */
const NAMES = ['a', 'b', 'c', 'd', 'a b', '"q"', 'n\nl', '\xff\xfe', '..x', '\xc3\xa9', 'a-', 'a.b', '-r', 'back\\slash'];
const LINES = [
  'one',
  'two',
  'three',
  '',
  '\ttab',
  'caf\xc3\xa9',
  '\xff raw',
  'cr\r',
  '+plus',
  '-minus',
  '@@ -1 +1 @@',
  'diff --git a/a b/a',
  '\\ No newline',
];

const name = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c') }, { weight: 1, arbitrary: fc.constantFrom(...NAMES) });
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const text = fc
  .tuple(fc.array(fc.constantFrom(...LINES), { maxLength: 12 }), fc.boolean())
  .map(([lines, isEnded]) => `${lines.join('\n')}${isEnded && lines.length > 0 ? '\n' : ''}`);
const binary = fc.constantFrom('\0binary', 'other\0binary');
const fileMode = fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0o000);
const directoryMode = fc.constantFrom(0o755, 0o700, 0o555, 0o000);

export type RandomEditsOptions = { readonly isTextOnly?: boolean; readonly editsMax?: number };

function edit({ isTextOnly = false }: RandomEditsOptions): fc.Arbitrary<Edit> {
  const content = isTextOnly ? text : fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: binary });
  return fc.oneof(
    ...(isTextOnly ? [] : [{ weight: 1, arbitrary: fc.tuple(fc.constant('sparse' as const), path, fc.constantFrom(1, 600_000)) }]),
    { weight: 6, arbitrary: fc.tuple(fc.constant('write' as const), path, content, fileMode) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('append' as const), path, text) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('mkdir' as const), path, directoryMode) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('remove' as const), path) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('rename' as const), path, path) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('symlink' as const), path, fc.constantFrom('a', '/etc', '../..', 'b/c', '\xff')) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('chmod' as const), path, fileMode) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('touch' as const), path) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('link' as const), path, path) },
  );
}

/** Directories at most places an edit may name. */
const SKELETON: readonly Edit[] = ['a', 'b', 'c', 'a/a', 'a/b', 'a/c', 'b/a', 'b/b', 'a b', '\xff\xfe', 'n\nl'].map((path) => [
  'mkdir',
  path,
]);

/** What the host has before a run: most of a skeleton, then edits. */
export function randomTree(options: RandomEditsOptions = {}): fc.Arbitrary<Edit[]> {
  return fc
    .tuple(fc.subarray([...SKELETON], { minLength: 5 }), randomEdits(options))
    .map(([directories, edits]) => [...directories, ...edits]);
}

export function randomEdits(options: RandomEditsOptions = {}): fc.Arbitrary<Edit[]> {
  return fc.array(edit(options), { minLength: 1, maxLength: options.editsMax ?? 40 });
}
