/** A unified diff of two texts. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { TaskRefusal } from './task-refusal.ts';

export type DiffRequest = {
  readonly oldName: string;
  readonly newName: string;
  readonly oldText: string;
  readonly newText: string;
  readonly contextLines: number;
  readonly timeoutMs: number;
};
export type UnifiedDiff = { readonly text: string; readonly linesAdded: number; readonly linesRemoved: number };

/** Empty for equal texts. Throws `Timeout`: the time grows with the product of the lengths and the differences. */
export function unifiedDiff({ oldName, newName, oldText, newText, contextLines, timeoutMs }: DiffRequest): UnifiedDiff {
  if (oldText === newText) return { text: '', linesAdded: 0, linesRemoved: 0 };
  const options = { context: contextLines, timeout: timeoutMs, headerOptions: FILE_HEADERS_ONLY };
  const text = createTwoFilesPatch(oldName, newName, oldText, newText, undefined, undefined, options);
  if (text === undefined) throw new TaskRefusal('Timeout', `Cannot compare the texts: they differ too much for ${timeoutMs} ms`);
  let linesAdded = 0;
  let linesRemoved = 0;
  let isHeader = true;
  for (const line of text.split('\n')) {
    if (line.startsWith('@@')) isHeader = false;
    else if (!isHeader && line.startsWith('+')) linesAdded++;
    else if (!isHeader && line.startsWith('-')) linesRemoved++;
  }
  return { text, linesAdded, linesRemoved };
}
