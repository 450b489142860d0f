/** Which lines differ between two texts. Bytes are one character each, so that what is no UTF-8 survives. */
import { structuredPatch } from 'diff';

export type Hunk = {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  /** Each with its mark: ` `, `+`, `-` or `\`. */
  readonly lines: readonly string[];
};

const CONTEXT_LINES = 3;
/** Two texts this different are better read one after the other. */
const EDITS_MAX = 20_000;
const NO_NEWLINE = '\\ No newline at end of file';

/** `undefined`: it takes longer than `timeoutMs`, or too much differs. Holds the event loop that long. */
export function diffLines(before: string, after: string, timeoutMs: number): readonly Hunk[] | undefined {
  if (before === after) return [];
  if (before === '') return [wholeHunk(after, '+')];
  if (after === '') return [wholeHunk(before, '-')];
  const options = { context: CONTEXT_LINES, timeout: timeoutMs, maxEditLength: EDITS_MAX };
  return structuredPatch('', '', before, after, undefined, undefined, options)?.hunks;
}

export function countLines(hunks: readonly Hunk[]): { readonly insertions: number; readonly deletions: number } {
  let insertions = 0;
  let deletions = 0;
  for (const { lines } of hunks) {
    for (const line of lines) {
      if (line.startsWith('+')) insertions += 1;
      else if (line.startsWith('-')) deletions += 1;
    }
  }
  return { insertions, deletions };
}

/** As git writes it: an empty side starts at line 0. */
export function hunkHeader({ oldStart, oldLines, newStart, newLines }: Hunk): string {
  return `@@ -${range(oldLines === 0 ? oldStart - 1 : oldStart, oldLines)} +${range(newLines === 0 ? newStart - 1 : newStart, newLines)} @@`;
}

function range(start: number, lines: number): string {
  return lines === 1 ? `${start}` : `${start},${lines}`;
}

function wholeHunk(text: string, mark: '+' | '-'): Hunk {
  const isEnded = text.endsWith('\n');
  const lines = (isEnded ? text.slice(0, -1) : text).split('\n').map((line) => `${mark}${line}`);
  const count = lines.length;
  if (!isEnded) lines.push(NO_NEWLINE);
  return mark === '+'
    ? { oldStart: 1, oldLines: 0, newStart: 1, newLines: count, lines }
    : { oldStart: 1, oldLines: count, newStart: 1, newLines: 0, lines };
}
