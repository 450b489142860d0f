import { createTwoFilesPatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyHunks } from './apply-hunks.ts';
import { parsePatch, reversePatch } from './parse-patch.ts';

function apply(text: string, patch: string, isReverse = false): string {
  const parsed = parsePatch(patch);
  if (parsed.kind !== 'patch') return parsed.hint;
  const [file] = parsed.files;
  if (file === undefined) return 'no file';
  const applied = applyHunks(text, (isReverse ? reversePatch(file) : file).hunks);
  return applied.kind === 'applied' ? applied.text : `conflict: ${applied.reason}`;
}
const HEAD = '--- a/f\n+++ b/f\n';

describe('a patch', () => {
  it('turns any text into any other and back', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', '', 'x y'), { maxLength: 12 })
      .chain((lines) => fc.constantFrom(lines.join('\n'), lines.map((line) => `${line}\n`).join('')));
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 4 }), (before, after, context) => {
        fc.pre(before !== after);
        const patch = createTwoFilesPatch('a/f', 'b/f', before, after, undefined, undefined, { context });
        expect(apply(before, patch)).toBe(after);
        expect(apply(after, patch, true)).toBe(before);
      }),
    );
  });

  it('applies where its lines are, when that is one place only', () => {
    expect(apply('1\n2\nold\n3\n', `${HEAD}@@ -1,2 +1,2 @@\n 2\n-old\n+new\n`)).toBe('1\n2\nnew\n3\n');
    expect(apply('old\nx\nold\n', `${HEAD}@@ -2 +2 @@\n-old\n+new\n`)).toContain('conflict');
    expect(apply('x\n', `${HEAD}@@ -1 +1 @@\n-old\n+new\n`)).toContain('conflict');
    expect(apply('x\n', `${HEAD}@@ -9,0 +9 @@\n+new\n`)).toContain('conflict');
  });

  it('keeps line ends and a missing one at the end', () => {
    expect(apply('a\r\nb\r\n', `${HEAD}@@ -1,2 +1,2 @@\n a\n-b\n+c\n`)).toBe('a\r\nc\r\n');
    expect(apply('a', `${HEAD}@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n`)).toBe('b\n');
    expect(apply('a\n', `${HEAD}@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n`)).toBe('b');
    expect(apply('a\nz\n', `${HEAD}@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n`)).toContain('conflict');
  });

  it.each([
    'hello',
    '',
    '@@ -1 +1 @@\n-a\n+b\n',
    HEAD,
    '--- a/f\n@@ -1 +1 @@\n-a\n+b\n',
    `${HEAD}@@ -1,3 +1 @@\n-a\n+b\n`,
    `${HEAD}@@ -1 +1 @@\n*a\n+b\n`,
    `${HEAD}@@ x @@\n`,
    `${HEAD}@@ -1,99999999999 +1 @@\n-a\n`,
    '--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+x\n',
    'diff --git a/f b/f\nindex 1..2\nGIT binary patch\nliteral 1\n',
    'diff --git a/f b/f\nindex 1..2 100644\nBinary files a/f and b/f differ\n',
    'diff --git a/f b/f\nnew file mode 120000\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+/etc/passwd\n',
    'diff --git a/f b/f\nold mode 100644\nnew mode 100755\n',
    'diff --git a/f b/g\nsimilarity index 100%\ncopy from f\ncopy to g\n',
    '--- "a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n',
    '--- "a/\\q"\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n',
  ])('that cannot be understood is refused: %j', (patch) => {
    expect(parsePatch(patch).kind).toBe('parse_error');
  });

  it('reads what git writes about names', () => {
    const parsed = parsePatch(
      'diff --git a/old b/new\nsimilarity index 90%\nrename from old\nrename to "n\\303\\274\\t.txt"\n--- a/old\n+++ b/new\n@@ -1 +1 @@\n-a\n+b\ndiff --git a/e b/e\nnew file mode 100755\nindex 0..0\n',
    );
    expect(parsed).toMatchObject({
      kind: 'patch',
      files: [
        { oldName: 'a/old', newName: 'b/nü\t.txt', isRename: true },
        { oldName: undefined, newName: 'b/e', mode: 0o755, hunks: [] },
      ],
    });
  });

  it('never breaks the parser', () => {
    const line = fc.constantFrom(
      '--- a/f',
      '+++ b/f',
      '@@ -1 +1 @@',
      '@@ -1,2 +0,0 @@',
      '-a',
      '+b',
      ' c',
      '\\ No newline',
      'diff --git a/f b/f',
      'rename from x',
      'rename to y',
      'deleted file mode 100644',
      '',
      '--- /dev/null',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 15 }), (lines) => ['patch', 'parse_error'].includes(parsePatch(lines.join('\n')).kind)),
    );
  });
});
