import { execFileSync } from 'node:child_process';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyRun } from './apply.ts';
import { patchBytes, patchText } from './diff.ts';
import { formatStat } from './diff-stat.ts';
import { type DiffSummary, summarizeDiff } from './diff-summary.ts';
import { type Review, reviewRun } from './review.ts';
import { LayerFixture, overlayProblem } from './test-support/layer-fixture.ts';
import type { Edit } from './test-support/overlay-helper.ts';

async function review(fixture: LayerFixture, edits: readonly Edit[], paths?: readonly string[]): Promise<Review> {
  const { id } = await fixture.run(edits);
  return await reviewRun(fixture.store, id, { probe: fixture.probe, ...(paths === undefined ? {} : { paths }) });
}

async function patch(one: Review): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of patchBytes(one)) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
}

async function shown(one: Review, colour = false): Promise<string> {
  let text = '';
  for await (const part of patchText(one, { colour })) text += part;
  return text;
}

/** Objects are git's own business. */
function withoutObjects(text: string): string {
  return text.replaceAll(/^index .*\n/gm, '');
}

/** What git says of the same change, without the function names it adds to the heads of hunks. */
async function gitDiff(fixture: LayerFixture, before: readonly Edit[], after: readonly Edit[]): Promise<string> {
  const directory = fixture.join('git');
  execFileSync('git', ['init', '-q', directory]);
  await fixture.build(before, directory);
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x', ...args], { cwd: directory, encoding: 'latin1' });
  git('add', '-A');
  git('commit', '-qm', 'before');
  await fixture.build(after, directory);
  git('add', '-A');
  return git('diff', '--cached', '-M100%', '--no-indent-heuristic').replaceAll(/^(@@ .* @@) .*$/gm, '$1');
}

beforeEach(async ({ skip }) => {
  const problem = await overlayProblem();
  skip(problem !== undefined, problem ?? '');
});

describe('the patch', () => {
  const BEFORE: readonly Edit[] = [
    ['write', 'changed', Array.from({ length: 30 }, (_, line) => `line ${line}\n`).join('')],
    ['write', 'mode', 'x\n'],
    ['write', 'both', 'x\n'],
    ['write', 'gone', 'a\nb'],
    ['write', 'moved', 'the same\n'],
    ['write', 'moved-mode', 'the very same\n'],
    ['symlink', 'link', 'a'],
    ['write', 'to-link', 'x\n'],
    ['write', 'with space', 'x\n'],
    ['write', 'caf\xc3\xa9"\n', 'x\n'],
    ['write', 'binary', '\0old'],
    ['write', 'latin1', 'caf\xe9\n'],
    ['write', 'crlf', 'a\r\nb\r\n'],
    ['mkdir', 'd'],
    ['write', 'd/f', 'x\n'],
    ['write', 'd-', 'x\n'],
  ];
  const AFTER: readonly Edit[] = [
    ['write', 'changed', Array.from({ length: 30 }, (_, line) => (line === 3 ? '' : line === 20 ? 'new\n' : `line ${line}\n`)).join('')],
    ['chmod', 'mode', 0o755],
    ['write', 'both', 'y\n', 0o755],
    ['remove', 'gone'],
    ['mkdir', 'to'],
    ['rename', 'moved', 'to/moved'],
    ['rename', 'moved-mode', 'moved-mode-2'],
    ['chmod', 'moved-mode-2', 0o755],
    ['remove', 'link'],
    ['symlink', 'link', 'b'],
    ['remove', 'to-link'],
    ['symlink', 'to-link', 'x'],
    ['write', 'with space', 'y\n'],
    ['write', 'caf\xc3\xa9"\n', 'y\n'],
    ['write', 'binary', '\0new'],
    ['write', 'latin1', 'caf\xe8\n'],
    ['write', 'crlf', 'a\r\nc\r\n'],
    ['write', 'new', 'new'],
    ['write', 'empty-new', ''],
    ['write', 'd/f', 'y\n'],
    ['write', 'd-', 'y\n'],
  ];

  it('is what git says', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build(BEFORE);
    expect(withoutObjects(await patch(await review(fixture, AFTER)))).toBe(withoutObjects(await gitDiff(fixture, BEFORE, AFTER)));
  });

  it('says in notes what git cannot, and git still takes it', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'x\n'],
      ['mkdir', 'd'],
      ['mkdir', 'gone'],
      ['write', 'private', 'x\n'],
    ]);
    const one = await review(fixture, [
      ['write', 'a', 'y\n'],
      ['chmod', 'd', 0o700],
      ['remove', 'gone'],
      ['mkdir', 'empty'],
      ['chmod', 'private', 0o600],
      ['fifo', 'pipe'],
    ]);
    const text = await patch(one);
    expect(text.split('\n').filter((line) => line.startsWith('#'))).toEqual([
      '# mode of d: 0755 -> 0700',
      '# empty directory added: empty',
      '# empty directory removed: gone',
      '# cannot be applied: pipe: it is a fifo',
      '# mode of private: 0644 -> 0600',
    ]);
    writeFileSync(fixture.join('patch'), text);
    execFileSync('git', ['apply', fixture.join('patch')], { cwd: fixture.directory });
    expect(execFileSync('cat', ['a'], { cwd: fixture.directory, encoding: 'utf8' })).toBe('y\n');
  });

  it('of a file that is too large or too different to show makes git refuse, not forget', async () => {
    await using fixture = await LayerFixture.create();
    const lines = (word: string): string => Array.from({ length: 40_000 }, (_, line) => `${word} ${line}\n`).join('');
    await fixture.build([
      ['write', 'different', lines('old')],
      ['write', 'large', 'x'.repeat(4_200_000)],
    ]);
    const one = await review(fixture, [
      ['append', 'large', 'y'],
      ['write', 'different', lines('new')],
    ]);
    const text = await patch(one);
    expect(text.replaceAll(/\d+ -> \d+ bytes/g, 'N -> N bytes')).toBe(
      [
        '# not shown (too different): N -> N bytes',
        'diff --git a/different b/different',
        'index 0000000..0000000 100644',
        'Binary files a/different and b/different differ',
        '# not shown (too large): N -> N bytes',
        'diff --git a/large b/large',
        'index 0000000..0000000 100644',
        'Binary files a/large and b/large differ',
        '',
      ].join('\n'),
    );
    writeFileSync(fixture.join('patch'), text);
    expect(() => execFileSync('git', ['apply', fixture.join('patch')], { cwd: fixture.directory, stdio: 'pipe' })).toThrow('binary patch');
    const { changes } = await summarizeDiff(one);
    expect(changes.map(({ path, content }) => [path, content?.kind])).toEqual([
      ['different', 'slow'],
      ['large', 'large'],
    ]);
  });

  it('points out what makes git run something, and never hides it behind a rename', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['mkdir', '.git'],
      ['write', 'notes', '[core]\n\tfsmonitor = evil\n'],
    ]);
    const text = await patch(await review(fixture, [['rename', 'notes', '.git/config']]));
    expect(text).toContain('# attention: .git/config: git settings can name programs');
    expect(text).toContain('+\tfsmonitor = evil');
  });

  it('can be limited to paths', async () => {
    await using fixture = await LayerFixture.create();
    const text = await patch(
      await review(
        fixture,
        [
          ['write', 'a', 'x\n'],
          ['mkdir', 'd'],
          ['write', 'd/b', 'x\n'],
        ],
        ['d'],
      ),
    );
    expect(text).toContain('b/d/b');
    expect(text).not.toContain('b/a');
  });

  it('shows against the host as it is now, marks conflicts, and leaves out what is applied', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'a', 'old\n'],
      ['write', 'b', 'old\n'],
      ['write', 'c', 'old\n'],
    ]);
    const { id } = await fixture.run([
      ['write', 'a', 'new\n'],
      ['write', 'b', 'new\n'],
      ['write', 'c', 'new\n'],
    ]);
    await applyRun(fixture.store, id, { probe: fixture.probe, paths: ['a'] });
    writeFileSync(join(fixture.directory, 'b'), 'host\n');
    unlinkSync(join(fixture.directory, 'c'));
    const one = await reviewRun(fixture.store, id, { probe: fixture.probe });
    expect(await patch(one)).toBe(
      [
        '# conflict: b: the host changed it since the run',
        'diff --git a/b b/b',
        '--- a/b',
        '+++ b/b',
        '@@ -1 +1 @@',
        '-host',
        '+new',
        '# conflict: c: it is gone from the host',
        'diff --git a/c b/c',
        'new file mode 100644',
        '--- /dev/null',
        '+++ b/c',
        '@@ -0,0 +1 @@',
        '+new',
        '',
      ].join('\n'),
    );
  });

  it('for a terminal holds nothing that a terminal obeys', async () => {
    await using fixture = await LayerFixture.create();
    const hostile = '\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08 \xe2\x80\xae \xff\n';
    const one = await review(fixture, [
      ['write', 'name\x1b[2J\n+++ fake', hostile],
      ['symlink', 'link', '\x1b[2J'],
      ['write', 'plain', 'caf\xc3\xa9\tx\n'],
    ]);
    const text = await shown(one);
    expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(text).toContain('+^[]0;owned^G^[[2J\\x9b31m^M^H \\u202e \\xff\n');
    expect(text).toContain('+^[[2J\n');
    expect(text).toContain('+caf\u00e9\tx\n');
    const coloured = await shown(one, true);
    expect(coloured.replaceAll(/\x1b\[(?:1|3[1236])?m/g, '')).toBe(text);
    expect(await patch(one)).toContain(hostile);
  });

  it('can be stopped by whoever reads it', async () => {
    await using fixture = await LayerFixture.create();
    const one = await review(fixture, [
      ['write', 'a', 'x'],
      ['write', 'b', 'x'],
    ]);
    for await (const _ of patchBytes(one)) break;
    await expect(patchBytes(one, { signal: AbortSignal.abort() }).next()).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('the summary', () => {
  it('is data, whatever the names', async () => {
    await using fixture = await LayerFixture.create();
    await fixture.build([
      ['write', 'moved', 'content'],
      ['write', 'm', 'x'],
      ['symlink', 'l', 'a'],
      ['write', 't', 'x'],
    ]);
    const one = await review(fixture, [
      ['rename', 'moved', '\xff'],
      ['chmod', 'm', 0o600],
      ['remove', 'l'],
      ['symlink', 'l', 'b'],
      ['remove', 't'],
      ['mkdir', 't'],
      ['write', 'b', '\0'],
      ['chmod', '.', 0o700],
    ]);
    const summary = await summarizeDiff(one);
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
    expect(summary).toEqual({
      run: one.run.id,
      directory: fixture.directory,
      insertions: 1,
      deletions: 2,
      changes: [
        { path: '.', kind: 'mode_changed', before: { kind: 'directory', mode: '0755' }, after: { kind: 'directory', mode: '0700' } },
        {
          path: 'b',
          kind: 'added',
          after: { kind: 'file', mode: '0644', size: 1 },
          content: { kind: 'binary', beforeBytes: 0, afterBytes: 1 },
        },
        {
          path: 'l',
          kind: 'modified',
          before: { kind: 'symlink', target: 'a' },
          after: { kind: 'symlink', target: 'b' },
          content: { kind: 'text', insertions: 1, deletions: 1 },
        },
        {
          path: 'm',
          kind: 'mode_changed',
          before: { kind: 'file', mode: '0644', size: 1 },
          after: { kind: 'file', mode: '0600', size: 1 },
        },
        {
          path: 't',
          kind: 'type_changed',
          before: { kind: 'file', mode: '0644', size: 1 },
          after: { kind: 'directory', mode: '0755' },
          content: { kind: 'text', insertions: 0, deletions: 1 },
        },
        {
          path: '\ufffd',
          pathBase64: '/w==',
          kind: 'renamed',
          from: 'moved',
          before: { kind: 'file', mode: '0644', size: 7 },
          after: { kind: 'file', mode: '0644', size: 7 },
        },
      ],
    });
  });

  it('of a run without changes is empty', async () => {
    await using fixture = await LayerFixture.create();
    const summary = await summarizeDiff(await review(fixture, []));
    expect(summary.changes).toEqual([]);
    expect(formatStat(summary)).toBe('');
  });
});

describe('formatStat', () => {
  const summary = (changes: DiffSummary['changes']): DiffSummary => ({ run: 'r', directory: '/d', changes, insertions: 3, deletions: 1 });

  it('draws the table git draws', async () => {
    expect(
      formatStat(
        summary([
          { path: 'a.txt', kind: 'modified', content: { kind: 'text', insertions: 2, deletions: 1 } },
          { path: 'pic', kind: 'added', content: { kind: 'binary', beforeBytes: 0, afterBytes: 12 } },
          { path: 'to', from: 'from', kind: 'renamed' },
          { path: 'x', kind: 'mode_changed', before: { kind: 'file', mode: '0644' }, after: { kind: 'file', mode: '0755' } },
          { path: 'd', kind: 'added', after: { kind: 'directory', mode: '0755' } },
          { path: 'd/f', kind: 'added', content: { kind: 'text', insertions: 1, deletions: 0 } },
          { path: 'e', kind: 'added', after: { kind: 'directory', mode: '0755' } },
        ]),
      ),
    ).toBe(
      [
        ' a.txt      |   3 ++-',
        ' pic        | Bin 0 -> 12 bytes',
        ' from => to |   0',
        ' x          |   0 (mode 0644 -> 0755)',
        ' d/f        |   1 +',
        ' e/         |   0',
        ' 6 paths changed, 3 insertions(+), 1 deletion(-)',
        '',
      ].join('\n'),
    );
  });

  it('stays within the width, whatever the numbers and names', () => {
    const text = formatStat(
      summary([
        { path: 'x'.repeat(300), kind: 'added', content: { kind: 'text', insertions: 100_000, deletions: 3 } },
        { path: 'y', kind: 'added', content: { kind: 'text', insertions: 1, deletions: 0 } },
      ]),
      { columns: 60 },
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect(text).toMatch(/^ \.\.\.x+ \| 100003 \++-\n/);
  });

  it('says what must not be overlooked, and nothing that a terminal obeys', () => {
    const text = formatStat(
      summary([
        { path: 'a\x1b[2J\nb', kind: 'added', attention: 'look', conflict: 'host', refused: { reason: 'special', detail: 'it is a fifo' } },
      ]),
    );
    expect(text).toContain(' a^[[2J^Jb |   0 (conflict: host; cannot be applied: it is a fifo; attention: look)');
  });
});
