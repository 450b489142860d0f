import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLines, diffLines, type Hunk, hunkHeader } from './line-diff.ts';

const text = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', 'd\r', '\xff'), { maxLength: 30 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join('\n') + (isEnded && lines.length > 0 ? '\n' : ''));

describe('diffLines', () => {
  it('gives hunks that lead from one text to the other, byte for byte', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const hunks = diffLines(before, after, 10_000) ?? [];
        expect(patched(before, hunks)).toBe(after);
        const { insertions, deletions } = countLines(hunks);
        expect(linesOf(after).length - linesOf(before).length).toBe(insertions - deletions);
      }),
    );
  });

  it('says where a last line has no newline', () => {
    expect(diffLines('', 'a', 100)).toEqual([
      { oldStart: 1, oldLines: 0, newStart: 1, newLines: 1, lines: ['+a', '\\ No newline at end of file'] },
    ]);
    expect(diffLines('a\n', 'a', 100)?.[0]?.lines).toEqual(['-a', '+a', '\\ No newline at end of file']);
  });

  it('gives up on texts with too little in common instead of taking minutes', () => {
    const lines = (prefix: string): string => Array.from({ length: 60_000 }, (_, index) => `${prefix}${index}\n`).join('');
    const startedMs = performance.now();
    expect(diffLines(lines('a'), lines('b'), 50)).toBeUndefined();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('hunkHeader', () => {
  it.each([
    [{ oldStart: 1, oldLines: 0, newStart: 1, newLines: 2 }, '@@ -0,0 +1,2 @@'],
    [{ oldStart: 3, oldLines: 1, newStart: 3, newLines: 1 }, '@@ -3 +3 @@'],
    [{ oldStart: 1, oldLines: 7, newStart: 1, newLines: 6 }, '@@ -1,7 +1,6 @@'],
  ])('writes %j as %j', (hunk, header) => expect(hunkHeader({ ...hunk, lines: [] })).toBe(header));
});

function linesOf(all: string): string[] {
  return all === '' ? [] : all.replace(/\n$/, '').split('\n');
}

/** A patch program of its own, small enough to be right. */
function patched(before: string, hunks: readonly Hunk[]): string {
  const old = before.split(/(?<=\n)/);
  const result: string[] = [];
  let at = 0;
  for (const hunk of hunks) {
    result.push(...old.slice(at, hunk.oldStart - 1));
    at = hunk.oldStart - 1 + hunk.oldLines;
    for (const [index, line] of hunk.lines.entries()) {
      const end = hunk.lines[index + 1]?.startsWith('\\') === true ? '' : '\n';
      if (line.startsWith('+') || line.startsWith(' ')) result.push(`${line.slice(1)}${end}`);
    }
  }
  return [...result, ...old.slice(at)].join('');
}
