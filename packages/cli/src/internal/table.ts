/** Columns that line up. Cells are safe text without colours; `paint` may colour a cell afterwards, for colours have no width. */
export type Column = { readonly title: string; readonly align?: 'left' | 'right'; readonly paint?: (cell: string, row: number) => string };

/** `columns` wide at most: the last column is cut, with an ellipsis. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], widthMax: number): string {
  return new StreamedTable(columns, widthMax).format(rows);
}

/** A table that goes on: titles first, and columns that only ever get wider. */
export class StreamedTable {
  readonly #columns: readonly Column[];
  readonly #widthMax: number;
  readonly #widths: number[];
  #hasTitles = false;

  constructor(columns: readonly Column[], widthMax: number) {
    this.#columns = columns;
    this.#widthMax = widthMax;
    this.#widths = columns.map(({ title }) => width(title));
  }

  format(rows: readonly (readonly string[])[]): string {
    for (const row of rows)
      for (const [index, cell] of row.entries()) this.#widths[index] = Math.max(this.#widths[index] ?? 0, width(cell));
    const titles = this.#hasTitles
      ? ''
      : this.#line(
          this.#columns.map(({ title }) => title),
          -1,
        );
    this.#hasTitles = true;
    return titles + rows.map((row, index) => this.#line(row, index)).join('');
  }

  #line(cells: readonly string[], row: number): string {
    let used = 0;
    const shown = this.#columns.map(({ align, paint }, index) => {
      const isLast = index === this.#columns.length - 1;
      const wide = this.#widths[index] ?? 0;
      const cell = isLast ? cut(cells[index] ?? '', this.#widthMax - used) : (cells[index] ?? '');
      const filling = ' '.repeat(Math.max(0, wide - width(cell)));
      used += wide + 2;
      const painted = row < 0 || paint === undefined ? cell : paint(cell, row);
      return align === 'right' ? filling + painted : isLast ? painted : painted + filling;
    });
    return `${shown.join('  ').trimEnd()}\n`;
  }
}

/** East Asian wide and fullwidth characters, and emoji, take two cells. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;

function width(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let cells = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) cells += WIDE.test(segment) ? 2 : 1;
  return cells;
}

function cut(text: string, widthMax: number): string {
  if (width(text) <= widthMax) return text;
  let shown = '';
  let cells = 1; // For the ellipsis.
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    cells += WIDE.test(segment) ? 2 : 1;
    if (cells > widthMax) break;
    shown += segment;
  }
  return `${shown}…`;
}
