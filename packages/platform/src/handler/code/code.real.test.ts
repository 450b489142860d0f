/** The capabilities of code in real sandboxes. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '@warren/protocol';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentHost } from '../test-support/agent-host.ts';

let sandboxes: Sandboxes;
let host: AgentHost;
let pid: number;
beforeAll(async () => {
  sandboxes = await openSandboxes();
  host = await AgentHost.open({ sandboxes });
  pid = await host.process();
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await sandboxes[Symbol.asyncDispose]();
});

const put = (name: string, content: string | Uint8Array): void => {
  mkdirSync(`${host.files}/${name}`.replace(/\/[^/]*$/, ''), { recursive: true });
  writeFileSync(`${host.files}/${name}`, content);
};
const contentOf = (name: string): string => readFileSync(`${host.files}/${name}`, 'utf8');
const call = (capability: string, input: JsonObject): Promise<JsonObject> => host.call(pid, capability, input);

describe('code.glob and code.grep', () => {
  beforeAll(() => {
    put('g/a.ts', 'let a = 1\nlet b = 2\n');
    put('g/b/c.ts', 'LET a = 3\nlatter\n');
    put('g/d.md', 'let\n');
    put('g/.gitignore', 'out\n');
    put('g/out/x.ts', 'let x');
    put('g/node_modules/y.ts', 'let y');
    put('g/.hidden.ts', 'let h');
  });

  it('find files, ignored ones only when asked to', async () => {
    expect(await call('code.glob', { pattern: '**/*.ts', path: 'g' })).toEqual({
      matches: ['/workspace/g/a.ts', '/workspace/g/b/c.ts'],
      count: 2,
      truncated: false,
    });
    expect(await call('code.glob', { pattern: '**/*.ts', path: 'g', include_ignored: true })).toMatchObject({ count: 5 });
    expect(await call('code.glob', { pattern: '**/*.ts', path: 'g', max_results: 1 })).toMatchObject({ count: 1, truncated: true });
    expect(await host.errorOf(pid, 'code.glob', { pattern: '*', path: '/etc' })).toBe('PathOutOfScope');
  });

  it('find lines by an expression, with columns and what is around them', async () => {
    expect(await call('code.grep', { pattern: 'b = \\d', path: 'g' })).toEqual({
      matches: [{ path: '/workspace/g/a.ts', line: 2, column: 5, text: 'let b = 2' }],
      total: 1,
      truncated: false,
    });
    expect(await call('code.grep', { pattern: 'b =', path: 'g', before: 1, after: 1, fixed: true })).toMatchObject({
      matches: [{ before: ['let a = 1'], after: [''] }],
    });
    expect(await call('code.grep', { pattern: 'let', path: 'g', ignore_case: true, word: true, glob: '*.ts' })).toMatchObject({ total: 3 });
    expect(await call('code.grep', { pattern: 'let', path: 'g', mode: 'count' })).toMatchObject({
      files: [
        { path: '/workspace/g/a.ts', count: 2 },
        { path: '/workspace/g/d.md', count: 1 },
      ],
      total: 3,
    });
    expect(await call('code.grep', { pattern: 'let', path: 'g', mode: 'files', max_results: 1 })).toMatchObject({
      files: [{ count: 1 }],
      total: 2,
      truncated: true,
    });
    expect(await call('code.grep', { pattern: '1\\nlet b', path: 'g', multiline: true })).toMatchObject({
      matches: [{ line: 1, column: 9, text: 'let a = 1' }],
      total: 1,
    });
    expect(await call('code.grep', { pattern: 'let', path: 'g/a.ts' })).toMatchObject({ total: 2 });
    expect(await host.errorOf(pid, 'code.grep', { pattern: '(', path: 'g' })).toBe('InvalidPattern');
    expect(await host.errorOf(pid, 'code.grep', { pattern: '(', path: 'g', multiline: true })).toBe('InvalidPattern');
    expect(await host.errorOf(pid, 'code.grep', { pattern: 'x', path: 'nowhere' })).toBe('DirectoryNotFound');
  });
});

describe('code.diff', () => {
  it('makes a diff that applies, also where the last line has no end', async () => {
    put('d/a', 'one\ntwo');
    put('d/b', 'one\nthree\n');
    const made = await call('code.diff', { path_a: 'd/a', path_b: 'd/b', label_a: 'a/a', label_b: 'b/a' });
    expect(made).toMatchObject({ identical: false, lines_a: 2, lines_b: 2, truncated: false });
    expect(made['diff']).toBe('--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+three\n');
    expect(await call('code.patch', { patch: String(made['diff']), path: 'd' })).toMatchObject({ outcome: 'applied' });
    expect(contentOf('d/a')).toBe('one\nthree\n');
  });

  it('takes two paths or two texts, and no forged header', async () => {
    expect(await call('code.diff', { text_a: 'x\n', text_b: 'x\n' })).toMatchObject({ identical: true, diff: '', diff_lines: 0 });
    for (const input of [
      { path_a: 'd/a', text_b: 'x' },
      {},
      { path_a: 'd/a' },
      { text_a: 'a', text_b: 'b', path_a: 'd/a', path_b: 'd/b' },
      { text_a: 'a', text_b: 'b', label_a: 'x\n+++ y' },
    ])
      expect(await host.errorOf(pid, 'code.diff', input)).toBe('InvalidInput');
    expect(await host.errorOf(pid, 'code.diff', { text_a: 'x'.repeat(4_194_305), text_b: '' })).toBe('FileTooLarge');
  });

  it('gives up on texts that differ too much', async () => {
    const noise = (seed: number): string => Array.from({ length: 60_000 }, (_, index) => `${(index * seed) % 7_919}\n`).join('');
    const outcome = await host.errorOf(pid, 'code.diff', { text_a: noise(31), text_b: noise(17) });
    expect(['none', 'Timeout']).toContain(outcome);
  });
});

describe('code.edit and code.multi_edit', () => {
  it('write only what fits, and only when the file is the one that was read', async () => {
    put('e/a.py', 'x = 1\ny = 2\n');
    const applied = await call('code.edit', { path: 'e/a.py', old_string: 'x = 1', new_string: 'x = 3' });
    expect(applied).toMatchObject({
      outcome: 'applied',
      path: '/workspace/e/a.py',
      replacements: 1,
      match_tier: 1,
      bytes_before: 12,
      bytes_after: 12,
      lines_added: 1,
      lines_removed: 1,
    });
    const stale = await call('code.edit', { path: 'e/a.py', old_string: 'x', new_string: 'z', expected_sha: '0'.repeat(64) });
    expect(stale).toMatchObject({ outcome: 'stale_file', actual_sha: applied['checksum'] });
    expect(stale).not.toHaveProperty('path');
    expect(
      await call('code.edit', {
        path: 'e/a.py',
        old_string: 'y',
        new_string: 'z',
        expected_sha: String(applied['checksum']).toUpperCase(),
      }),
    ).toMatchObject({ outcome: 'applied' });
    expect(await call('code.edit', { path: 'e/a.py', old_string: ' = ', new_string: '=' })).toMatchObject({
      outcome: 'ambiguous_match',
      match_count: 2,
      match_lines: [1, 2],
      truncated: false,
    });
    expect(JSON.stringify(await call('code.edit', { path: 'e/a.py', old_string: 'none', new_string: '' }))).not.toContain('x = 3');
    expect(contentOf('e/a.py')).toBe('x = 3\nz = 2\n');
  });

  it('apply all of several or none', async () => {
    put('e/b.py', 'x = 1\n');
    const failed = await call('code.multi_edit', {
      path: 'e/b.py',
      edits: [
        { old_string: 'x', new_string: 'y' },
        { old_string: 'q', new_string: 'r' },
      ],
    });
    expect(failed).toMatchObject({ outcome: 'no_match', failed_edit_index: 1 });
    expect(contentOf('e/b.py')).toBe('x = 1\n');
    put('e/bin', Uint8Array.of(0xff));
    expect(await host.errorOf(pid, 'code.edit', { path: 'e/bin', old_string: 'x', new_string: 'y' })).toBe('EncodingError');
    expect(await host.errorOf(pid, 'code.edit', { path: 'e/none', old_string: 'x', new_string: 'y' })).toBe('FileNotFound');
    expect(await host.errorOf(pid, 'code.edit', { path: 'e', old_string: 'x', new_string: 'y' })).toBe('NotAFile');
  });
});

describe('code.patch', () => {
  const patch = [
    '--- a/one.txt\n+++ b/one.txt\n@@ -1 +1 @@\n-one\n+uno\n',
    '--- /dev/null\n+++ b/made/new.txt\n@@ -0,0 +1 @@\n+fresh\n',
    'diff --git a/gone.txt b/gone.txt\ndeleted file mode 100644\n--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n',
    'diff --git a/from.txt b/to.txt\nsimilarity index 100%\nrename from from.txt\nrename to to.txt\n',
  ].join('');
  const lay = (): void => {
    put('p/one.txt', 'one\n');
    put('p/gone.txt', 'gone\n');
    put('p/from.txt', 'same\n');
  };

  it('changes, makes, deletes and renames files, and can be undone', async () => {
    lay();
    expect(await call('code.patch', { patch, path: 'p', dry_run: true })).toMatchObject({ outcome: 'would_apply' });
    expect(contentOf('p/one.txt')).toBe('one\n');
    const applied = await call('code.patch', { patch, path: 'p' });
    expect((applied['files'] as { action: string }[]).map(({ action }) => action)).toEqual(['modify', 'create', 'delete', 'rename']);
    expect([contentOf('p/one.txt'), contentOf('p/made/new.txt'), contentOf('p/to.txt')]).toEqual(['uno\n', 'fresh\n', 'same\n']);
    expect(await call('filesystem.stat', { path: 'p/from.txt' })).toEqual({ exists: false });
    await call('filesystem.restore', { path: 'p/gone.txt' });
    expect(contentOf('p/gone.txt')).toBe('gone\n');
    await host.shell(pid, 'rm /workspace/p/gone.txt');
    expect(await call('code.patch', { patch, path: 'p', reverse: true })).toMatchObject({ outcome: 'applied' });
    expect([contentOf('p/one.txt'), contentOf('p/gone.txt'), contentOf('p/from.txt')]).toEqual(['one\n', 'gone\n', 'same\n']);
  });

  it('writes nothing when one place does not fit', async () => {
    lay();
    put('p/gone.txt', 'changed\n');
    expect(await call('code.patch', { patch, path: 'p' })).toMatchObject({
      outcome: 'conflict',
      conflicts: [{ path: '/workspace/p/gone.txt', hunk: 1 }],
    });
    expect([contentOf('p/one.txt'), contentOf('p/gone.txt')]).toEqual(['one\n', 'changed\n']);
    expect(await call('filesystem.stat', { path: 'p/to.txt' })).toEqual({ exists: false });
  });

  it('stays below its directory, whatever names and links say', async () => {
    put('q/in/keep', 'x\n');
    put('outside', 'one\n');
    await host.shell(pid, 'cd /workspace/q/in && ln -s ../../outside link && ln -s .. up');
    const change = (name: string): string => `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-one\n+uno\n`;
    for (const name of ['../../outside', 'link', 'up/../../outside', 'up/x', '/etc/passwd', '..', 'a/./b'])
      expect([name, await host.errorOf(pid, 'code.patch', { patch: change(name), path: 'q/in' })]).toEqual([name, 'PathOutOfScope']);
    for (const header of ['--- /etc/passwd\n+++ /etc/passwd\n', '--- ../../outside\n+++ ../../outside\n'])
      expect(await host.errorOf(pid, 'code.patch', { patch: `${header}@@ -1 +1 @@\n-one\n+uno\n`, path: 'q/in' })).toBe('PathOutOfScope');
    expect(contentOf('outside')).toBe('one\n');
    expect(await call('code.patch', { patch: change('x') + change('x'), path: 'q/in' })).toMatchObject({ outcome: 'conflict' });
    put('q/in/x', 'one\n');
    expect(await call('code.patch', { patch: change('x') + change('x'), path: 'q/in' })).toMatchObject({ outcome: 'parse_error' });
    expect(await call('code.patch', { patch: 'hello', path: 'q/in' })).toMatchObject({ outcome: 'parse_error' });
  });
});

describe('code.outline', () => {
  const outlineOf = async (language: string, text: string): Promise<readonly string[]> => {
    const { nodes, syntax_error: error } = await call('code.outline', { language, text });
    expect(error).toBeNull();
    return (nodes as { kind: string; name: string; line: number; scope: string[] }[]).map(
      ({ kind, name, line, scope }) => `${line} ${kind} ${[...scope, name].join('.')}`,
    );
  };

  it('finds what stands inside of statements, with its scope', async () => {
    const python =
      'import os\nfrom a.b import c\nif x:\n  def f(a, *b): pass\ntry:\n  class C(D):\n    async def m(self): pass\nexcept E:\n  pass\nwith o:\n  for i in y:\n    async def g(): pass\nLIMIT = 1\n';
    expect(await outlineOf('python', python)).toEqual([
      '1 import os',
      '2 import a.b',
      '4 function f',
      '6 class C',
      '7 method C.m',
      '12 async_function g',
      '13 variable LIMIT',
    ]);
  });

  it('reads each language', async () => {
    expect(
      await outlineOf(
        'typescript',
        'import x from "y";\nexport class A<T> { m(): void {} private f = () => 1 }\ninterface I { n(): void }\ntype T = 1;\nenum E { A }\nexport const g = async () => { const inner = 1 };\nfunction h() {}\nlet v = 1;\n',
      ),
    ).toEqual([
      '1 import y',
      '2 class A',
      '2 method A.m',
      '2 method A.f',
      '3 interface I',
      '3 method I.n',
      '4 type T',
      '5 enum E',
      '6 async_function g',
      '7 function h',
      '8 variable v',
    ]);
    expect(await outlineOf('tsx', 'function A() { return <b>x</b> }')).toEqual(['1 function A']);
    expect(await outlineOf('javascript', 'class A { #p() {} }\nfunction* g() {}\n')).toEqual([
      '1 class A',
      '1 method A.#p',
      '2 function g',
    ]);
    expect(
      await outlineOf('go', 'package p\nimport (\n "fmt"\n)\ntype S struct { a int }\nfunc (s *S) M() {}\nfunc F() {}\nconst C = 1\n'),
    ).toEqual(['3 import fmt', '5 struct S', '6 method M', '7 function F', '8 constant C']);
    expect(
      await outlineOf(
        'rust',
        'use a::b;\nmod m { pub struct S; impl S { pub async fn f(&self) {} } }\ntrait T { fn g(); }\nenum E { A }\n',
      ),
    ).toEqual([
      '1 import a::b',
      '2 module m',
      '2 struct m.S',
      '2 implementation m.S',
      '2 method m.S.f',
      '3 trait T',
      '3 method T.g',
      '4 enum E',
    ]);
    expect(await outlineOf('java', 'import a.b.C;\nclass A extends B { int x; A() {} void m() { } interface I {} }\n')).toEqual([
      '1 import a.b.C',
      '2 class A',
      '2 variable A.x',
      '2 method A.A',
      '2 method A.m',
      '2 interface A.I',
    ]);
    expect(
      await outlineOf('c', '#include <stdio.h>\nstruct s { int a; };\nstatic int *f(int a) { return 0; }\ntypedef int t;\n#define N 1\n'),
    ).toEqual(['1 import stdio.h', '2 struct s', '3 function f', '4 type t', '5 constant N']);
  });

  it('gives signatures without bodies, and where the source is wrong', async () => {
    const { nodes } = await call('code.outline', {
      language: 'typescript',
      text: 'export async function f<T>(\n  a: number,\n): Promise<void> {\n  body();\n}',
    });
    expect(nodes).toMatchObject([
      { kind: 'async_function', line: 1, end_line: 5, signature: 'async function f<T>( a: number, ): Promise<void>' },
    ]);
    expect(await call('code.outline', { language: 'python', text: 'def f(:\n  pass\nclass A: pass\n' })).toMatchObject({
      syntax_error: { line: 1 },
    });
    put('o/a.py', 'def f(): pass\n');
    expect(await call('code.outline', { path: 'o/a.py', include: ['class'] })).toMatchObject({
      nodes: [],
      language: 'python',
      path: '/workspace/o/a.py',
      line_count: 1,
    });
    put('o/a.txt', 'x');
    expect(await host.errorOf(pid, 'code.outline', { path: 'o/a.txt' })).toBe('LanguageUnknown');
    expect(await host.errorOf(pid, 'code.outline', { text: 'x' })).toBe('LanguageUnknown');
    expect(await host.errorOf(pid, 'code.outline', {})).toBe('InvalidInput');
  });

  it('is not held up by hostile source, and neither is the daemon', async () => {
    expect(await host.errorOf(pid, 'code.outline', { language: 'python', text: 'x'.repeat(8_000_000) })).toBe('FileTooLarge');
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    for (const text of [
      '('.repeat(100_000),
      '['.repeat(100_000) + ']'.repeat(100_000),
      'if x:\n'.repeat(50_000),
      '{'.repeat(200_000),
      'def f():\n '.repeat(20_000),
    ]) {
      expect(['none', 'Timeout', 'ResourceExhausted']).toContain(await host.errorOf(pid, 'code.outline', { language: 'python', text }));
    }
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    const many = await call('code.outline', { language: 'python', text: 'def f(): pass\n'.repeat(6_000), max_nodes: 5_000 });
    expect([(many['nodes'] as unknown[]).length, many['truncated']]).toEqual([5_000, true]);
    expect(await call('code.outline', { language: 'python', text: `${'def f():\n'.concat('')}  pass` })).toMatchObject({
      truncated: false,
    });
  }, 120_000);
});
