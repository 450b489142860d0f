import { describe, expect, it } from 'vitest';
import { formatTable, StreamedTable } from './table.ts';

describe('formatTable', () => {
  it('lines columns up, numbers to the right, without trailing blanks', () => {
    const table = formatTable(
      [{ title: 'ID' }, { title: 'COUNT', align: 'right' }, { title: 'COMMAND' }],
      [
        ['a', '1', 'true'],
        ['bcd', '1000', ''],
      ],
      80,
    );
    expect(table).toBe('ID   COUNT  COMMAND\na        1  true\nbcd   1000\n');
  });

  it('cuts the last column at the width of the terminal', () => {
    expect(formatTable([{ title: 'ID' }, { title: 'COMMAND' }], [['a', 'x'.repeat(100)]], 14)).toBe('ID  COMMAND\na   xxxxxxxxx…\n');
  });

  it('counts cells, not characters', () => {
    expect(
      formatTable(
        [{ title: 'A' }, { title: 'B' }],
        [
          ['日本', 'x'],
          ['e\u0301', 'x'],
          ['🦊', 'x'],
        ],
        80,
      ),
    ).toBe('A     B\n日本  x\ne\u0301     x\n🦊    x\n');
    expect(formatTable([{ title: 'A' }], [['日本語']], 5)).toBe('A\n日本…\n');
  });

  it('colours cells without moving them', () => {
    const table = formatTable([{ title: 'A', paint: (cell) => `<${cell}>` }, { title: 'B' }], [['x', 'y']], 80);
    expect(table).toBe('A  B\n<x>  y\n');
  });
});

describe('StreamedTable', () => {
  it('goes on below, without titles, and only gets wider', () => {
    const table = new StreamedTable([{ title: 'ID' }, { title: 'NAME' }], 80);
    expect(table.format([['1', 'a']])).toBe('ID  NAME\n1   a\n');
    expect(table.format([['12345', 'b']])).toBe('12345  b\n');
    expect(table.format([['1', 'c']])).toBe('1      c\n');
    expect(table.format([])).toBe('');
  });
});
