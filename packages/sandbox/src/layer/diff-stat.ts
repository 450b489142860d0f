/** `git diff --stat`, of a summary. Safe for a terminal. */
import type { ChangeSummary, DiffSummary } from './diff-summary.ts';
import { escapeLineForTerminal } from './terminal-text.ts';

export type StatOptions = {
  /** Width of the terminal, default 80. */
  readonly columns?: number;
  readonly colour?: boolean;
};

const GREEN = '\x1b[32m';
const RED = '\x1b[31m';
const YELLOW = '\x1b[33m';
const COLOUR_OFF = '\x1b[m';
const COLUMNS_MIN = 40;

/** One line for each change, then the sum. Empty when nothing changed. */
export function formatStat(summary: DiffSummary, { columns = 80, colour = false }: StatOptions = {}): string {
  const shown = summary.changes.filter((change) => !isImplied(change, summary.changes));
  if (shown.length === 0) return '';
  const width = Math.max(columns, COLUMNS_MIN);
  const names = shown.map(nameOf);
  const nameWidth = Math.min(Math.max(...names.map((name) => [...name].length)), Math.floor(width / 2));
  const linesMax = Math.max(0, ...shown.map(linesOf));
  const countWidth = Math.max(String(linesMax).length, 3);
  const graphWidth = Math.max(6, width - nameWidth - countWidth - 5);
  const rows = shown.map((change, index) => {
    const detail = detailOf(change, { linesMax, countWidth, graphWidth, colour });
    return ` ${fit(names[index] ?? '', nameWidth)} | ${detail}${remarkOf(change, colour)}`.trimEnd();
  });
  return `${[...rows, totals(shown.length, summary)].join('\n')}\n`;
}

/** A directory that came or went with what is in it. */
function isImplied({ path, before, after }: ChangeSummary, all: readonly ChangeSummary[]): boolean {
  const isOnlyDirectory = (before ?? after)?.kind === 'directory' && (before === undefined || after === undefined);
  return isOnlyDirectory && all.some((other) => other.path.startsWith(`${path}/`));
}

function nameOf({ path, from, after, before }: ChangeSummary): string {
  const isDirectory = (after ?? before)?.kind === 'directory';
  const name = `${path}${isDirectory ? '/' : ''}`;
  return escapeLineForTerminal(from === undefined ? name : `${from} => ${name}`);
}

/** Too long a name loses its beginning, as with git. */
function fit(name: string, width: number): string {
  const characters = [...name];
  if (characters.length <= width) return name.padEnd(width + name.length - characters.length);
  return `...${characters.slice(characters.length - width + 3).join('')}`;
}

function linesOf({ content }: ChangeSummary): number {
  return content?.kind === 'text' ? content.insertions + content.deletions : 0;
}

type Layout = { readonly linesMax: number; readonly countWidth: number; readonly graphWidth: number; readonly colour: boolean };

function detailOf(change: ChangeSummary, { linesMax, countWidth, graphWidth, colour }: Layout): string {
  const { content } = change;
  if (content !== undefined && content.kind !== 'text') {
    return `${content.kind === 'binary' ? 'Bin' : content.kind} ${content.beforeBytes} -> ${content.afterBytes} bytes`;
  }
  const count = String(linesOf(change)).padStart(countWidth);
  if (content === undefined) return `${count}${modesOf(change)}`;
  const graph = scaled(content, linesMax, graphWidth);
  const plus = '+'.repeat(graph.insertions);
  const minus = '-'.repeat(graph.deletions);
  return colour ? `${count} ${paint(GREEN, plus)}${paint(RED, minus)}` : `${count} ${plus}${minus}`;
}

type Counts = { readonly insertions: number; readonly deletions: number };

/** Shrinks the longest line of marks to the width. What is there keeps at least one mark. */
function scaled({ insertions, deletions }: Counts, linesMax: number, width: number): Counts {
  if (linesMax <= width) return { insertions, deletions };
  const total = Math.max(Number(insertions > 0) + Number(deletions > 0), Math.round(((insertions + deletions) * width) / linesMax));
  const share = Math.round((total * insertions) / (insertions + deletions));
  const plus = Math.min(Math.max(share, Number(insertions > 0)), total - Number(deletions > 0));
  return { insertions: plus, deletions: total - plus };
}

function modesOf({ before, after }: ChangeSummary): string {
  if (before?.mode === undefined || after?.mode === undefined || before.mode === after.mode) return '';
  return ` (mode ${before.mode} -> ${after.mode})`;
}

/** What a person must not overlook. */
function remarkOf({ attention, conflict, refused }: ChangeSummary, colour: boolean): string {
  const remarks = [
    ...(conflict === undefined ? [] : [`conflict: ${conflict}`]),
    ...(refused === undefined ? [] : [`cannot be applied: ${refused.detail}`]),
    ...(attention === undefined ? [] : [`attention: ${attention}`]),
  ];
  if (remarks.length === 0) return '';
  const text = ` (${escapeLineForTerminal(remarks.join('; '))})`;
  return colour ? paint(YELLOW, text) : text;
}

function totals(changed: number, { insertions, deletions }: DiffSummary): string {
  return [
    ` ${changed} path${changed === 1 ? '' : 's'} changed`,
    ...(insertions > 0 ? [`${insertions} insertion${insertions === 1 ? '' : 's'}(+)`] : []),
    ...(deletions > 0 ? [`${deletions} deletion${deletions === 1 ? '' : 's'}(-)`] : []),
  ].join(', ');
}

function paint(colour: string, text: string): string {
  return text === '' ? '' : `${colour}${text}${COLOUR_OFF}`;
}
