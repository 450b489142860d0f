/** A run of benchmarks as text: a table that reads in a terminal and in Markdown, a document, and JSON. */
import type { Benchmark } from './benchmark.ts';
import type { Machine } from './machine.ts';
import { type Bound, isMet, type Row, type Unit } from './row.ts';

export type Result = {
  readonly benchmark: Benchmark;
  readonly rows: readonly Row[];
  /** What went wrong, if something did. */
  readonly error?: string;
};

export type Report = { readonly machine: Machine; readonly isQuick: boolean; readonly results: readonly Result[] };

const COLUMNS = ['measured', 'unit', 'n', 'min', 'p50', 'p95', 'p99', 'ratio of p50', 'target', 'met'] as const;
const RIGHT = new Set<number>([2, 3, 4, 5, 6]);

export function tableOf(rows: readonly Row[]): string {
  const cells = [COLUMNS, ...rows.map(cellsOf)].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (RIGHT.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (RIGHT.has(column) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  const [head = [], ...body] = cells;
  const notes = rows.filter(({ note }) => note !== undefined).map(({ what, note }) => `\n${what.trim()}: ${note}`);
  return [line(head), rule, ...body.map(line), ...notes].join('\n');
}

/** The whole as a Markdown document, ending with a newline. */
export function markdownOf({ machine, isQuick, results }: Report): string {
  const facts = Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |`);
  return [
    '# Results',
    'Written by `npm run bench -- --markdown`; how to read it is in README.md.',
    ...(isQuick ? ['**A quick run: too few turns for its numbers to mean much.**'] : []),
    ['| machine | |', '|---|---|', ...facts].join('\n'),
    ...results.flatMap(({ benchmark, rows, error }) => [
      `## ${benchmark.title} (\`${benchmark.name}\`)`,
      benchmark.method,
      ...(error === undefined ? [tableOf(rows)] : [`FAILED: ${error}`]),
    ]),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

/** The same facts for programs. Lists hold only objects, so that each thing has a line of its own. */
export function jsonOf({ machine, isQuick, results }: Report): string {
  const document = {
    machine,
    isQuick,
    benchmarks: Object.fromEntries(
      results.map(({ benchmark, rows, error }) => [
        benchmark.name,
        error === undefined
          ? { rows: Object.fromEntries(rows.map(({ what, ...row }) => [what.trim(), { ...row, isMet: isMet({ what, ...row }) }])) }
          : { error },
      ]),
    ),
  };
  return `${JSON.stringify(document, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value), 2)}\n`;
}

function cellsOf(row: Row): readonly string[] {
  const { what, unit, statistics, ratio } = row;
  if (statistics === undefined) return [what, unit, '0', '', 'not measured', '', '', '', '', ''];
  const bounds = [
    row.bound === undefined ? undefined : `${row.boundOf === 'p95' ? 'p95 ' : ''}${inWords(row.bound, unit)}`,
    ratio?.bound === undefined ? undefined : inWords(ratio.bound, '×'),
  ];
  const met = isMet(row);
  return [
    what.replace(/^ +/, '· '),
    unit,
    String(statistics.n),
    ...[statistics.min, statistics.p50, statistics.p95, statistics.p99].map(inDigits),
    ratio === undefined ? '' : `${ratio.label} = ${inDigits(ratio.value)}`,
    bounds.filter((one) => one !== undefined).join(', '),
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

function inWords({ kind, value }: Bound, unit: Unit | '×'): string {
  const sign = { at_most: '≤', at_least: '≥', below: '<' }[kind];
  return `${sign} ${value} ${unit}`;
}

/** As many digits as can mean something. */
function inDigits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
