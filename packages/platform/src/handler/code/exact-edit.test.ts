import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits } from './exact-edit.ts';

const one = (text: string, old: string, fresh: string, all = false) =>
  applyEdits(text, [{ old_string: old, new_string: fresh, replace_all: all }]);

describe('applyEdits', () => {
  it('replaces what is there once, byte for byte', () => {
    expect(one('a\nb\nc\n', 'b', 'B\nB2')).toEqual({
      kind: 'applied',
      text: 'a\nB\nB2\nc\n',
      replacements: 1,
      tier: 1,
      linesAdded: 2,
      linesRemoved: 1,
    });
    expect(one('x = 1', 'x = 1', '')).toMatchObject({ text: '', linesRemoved: 1, linesAdded: 0 });
    expect(one('$& x', 'x', '$&$1$$')).toMatchObject({ text: '$& $&$1$$' });
  });

  it('says where several are, also those that overlap, and no more than twenty', () => {
    expect(one('x\nx\nx\n', 'x', 'y')).toMatchObject({ kind: 'ambiguous_match', count: 3, lines: [1, 2, 3], index: 0 });
    expect(one('aaa', 'aa', 'b')).toMatchObject({ kind: 'ambiguous_match', count: 2 });
    expect(one('aaaaa', 'aaa', 'b', true)).toMatchObject({ text: 'baa', replacements: 1 });
    const many = one('x\n'.repeat(30), 'x', 'y');
    expect(many.kind === 'ambiguous_match' && [many.count, many.lines.length]).toEqual([30, 20]);
  });

  it('refuses what means nothing', () => {
    expect(one('x', 'x', 'x').kind).toBe('parse_error');
    expect(one('x', '', 'y').kind).toBe('parse_error');
    expect(one('xx', 'xx', 'y', true).kind).toBe('parse_error');
    expect(one('abc'.repeat(1_001), 'abc', 'y', true).kind).toBe('parse_error');
    expect(one('abc'.repeat(1_000), 'abc', 'y', true).kind).toBe('applied');
    expect(one('x', 'z', 'y').kind).toBe('no_match');
  });

  it('finds lines that differ in blanks at their ends only, unless line ends are mixed', () => {
    expect(one('if x:\n    a()  \n\tb()\nc\n', 'a()\nb()', 'z()')).toMatchObject({ text: 'if x:\nz()\nc\n', tier: 2 });
    expect(one('  a\n  b\nc', 'a\nb\n', 'n\n')).toMatchObject({ text: 'n\nc', tier: 2 });
    expect(one('  a\r\n  b\nc', 'a\nb', 'n').kind).toBe('no_match');
    expect(one('a\n\n\nb', ' \n ', 'n').kind).toBe('no_match');
    expect(one('  a\n a\n', '\ta', 'n')).toMatchObject({ kind: 'ambiguous_match', count: 2 });
  });

  it('keeps line ends of a file that has but one kind', () => {
    expect(one('a\r\nb\r\nc\r\n', 'a\nb', 'x\ny')).toMatchObject({ text: 'x\r\ny\r\nc\r\n', tier: 1 });
    expect(one('  a\r\n  b\r\n', 'a\nb', 'x')).toMatchObject({ text: 'x\r\n', tier: 2 });
    expect(one('a\r\nb', 'a\r\nb', 'x\r\ny')).toMatchObject({ text: 'x\r\ny' });
  });

  it('applies several in order, all or none, and none to what another wrote', () => {
    const edits = (...pairs: readonly (readonly [string, string])[]) =>
      pairs.map(([old_string, new_string]) => ({ old_string, new_string }));
    expect(applyEdits('a b c', edits(['a', 'longer'], ['c', 'C'], ['b', '']))).toMatchObject({ text: 'longer  C', replacements: 3 });
    expect(applyEdits('a b', edits(['a', 'x'], ['q', 'y']))).toMatchObject({ kind: 'no_match', index: 1 });
    expect(applyEdits('a b', edits(['a', 'x'], ['x', 'y']))).toMatchObject({ kind: 'parse_error', index: 1 });
    expect(applyEdits('a b c', edits(['b', ''], ['a  c', 'y']))).toMatchObject({ kind: 'parse_error', index: 1 });
    expect(applyEdits('a b c', edits(['c', 'long'], ['a', 'longer'], ['long', 'y']))).toMatchObject({ kind: 'ambiguous_match', index: 2 });
    expect(applyEdits('a b c', edits(['c', 'tuil'], ['a', 'longer'], ['tuil', 'y']))).toMatchObject({ kind: 'parse_error', index: 2 });
  });

  it('does what a split and a join do, for text that is there once', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), fc.string(), (before, old, after, fresh) => {
        const text = before + old + after;
        fc.pre(!text.includes('\r') && !fresh.includes('\r') && old !== fresh);
        const parts = text.split(old);
        const result = one(text, old, fresh);
        if (text.indexOf(old) !== text.lastIndexOf(old)) expect(result.kind).toBe('ambiguous_match');
        else expect(result).toMatchObject({ kind: 'applied', text: parts.join(fresh), tier: 1 });
      }),
    );
  });
});
