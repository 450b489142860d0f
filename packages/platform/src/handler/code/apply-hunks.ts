/** Puts hunks into a text: every line of theirs that was there must be there, at the place they say or, if it is at one other place only, there. Nothing is skipped over. Pure. */
import type { Hunk } from './parse-patch.ts';

export type Applied =
  | { readonly kind: 'applied'; readonly text: string }
  | { readonly kind: 'conflict'; readonly hunk: number; readonly reason: string };

export function applyHunks(text: string, hunks: readonly Hunk[]): Applied {
  const isCrlf =
    /\r\n/.test(text) && !/(?<!\r)\n/.test(text) && !hunks.some(({ lines }) => lines.some((line) => line.text.endsWith('\r\n')));
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const adapt = (line: string): string => (isCrlf ? line.replace(/\n$/, '\r\n') : line);
  const made: string[] = [];
  let next = 0;
  let shift = 0;
  for (const [index, hunk] of hunks.entries()) {
    const before = hunk.lines.filter(({ kind }) => kind !== 'add').map((line) => adapt(line.text));
    const after = hunk.lines.filter(({ kind }) => kind !== 'remove').map((line) => adapt(line.text));
    const stated = (before.length === 0 ? hunk.oldStart : hunk.oldStart - 1) + shift;
    const place = findPlace(lines, before, stated, next);
    if (typeof place === 'string') return { kind: 'conflict', hunk: index + 1, reason: place };
    for (; next < place; next++) made.push(lines[next] as string); // The place is within.
    made.push(...after);
    next = place + before.length;
    shift += place - stated;
    if (after.length > 0 && !(after.at(-1) ?? '').endsWith('\n') && next < lines.length) {
      return { kind: 'conflict', hunk: index + 1, reason: 'it ends the file without a line end, but the file goes on' };
    }
    const joined = made.at(-after.length - 1);
    if (after.length > 0 && joined !== undefined && !joined.endsWith('\n'))
      return { kind: 'conflict', hunk: index + 1, reason: 'the line before it has no line end' };
  }
  const rest = lines.slice(next);
  return { kind: 'applied', text: [made.join(''), rest.join('')].join('') };
}

function findPlace(lines: readonly string[], wanted: readonly string[], stated: number, from: number): number | string {
  const fits = (at: number): boolean =>
    at >= from && at + wanted.length <= lines.length && wanted.every((line, index) => lines[at + index] === line);
  if (fits(stated)) return stated;
  if (wanted.length === 0) return 'there is no such line';
  let found: number | undefined;
  for (let at = from; at + wanted.length <= lines.length; at++) {
    if (!fits(at)) continue;
    if (found !== undefined) return 'its lines are not where it says, and at more than one other place';
    found = at;
  }
  return found ?? 'its lines are not in the file';
}
