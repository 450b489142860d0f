import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversList, hasOne } from './pattern-list.ts';
import { testPatternLaws } from './test-support/pattern-laws.ts';
import { TOOL_PATTERNS, toolNamed } from './tool-pattern.ts';

const name = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));

testPatternLaws({
  kind: TOOL_PATTERNS,
  entry: fc.oneof(name, name.map((each) => `${each}.*`), fc.constant('*')), // biome-ignore format: one line
  things: namesOf(['a', 'b', 'z'], 4).concat('ab', 'ab.a', 'a.', '.a', 'a..b', 'a.b.'),
  named: toolNamed,
  means: (value, thing) => value === '*' || value === thing || (value.endsWith('.*') && isBelow(thing, value.slice(0, -2))),
});

/** Names of these parts, up to one more than a pattern has. */
function namesOf(parts: readonly string[], depthMax: number): readonly string[] {
  let level = parts;
  let all = parts;
  for (let depth = 1; depth < depthMax; depth++) {
    level = level.flatMap((above) => parts.map((part) => `${above}.${part}`));
    all = all.concat(level);
  }
  return all;
}

function isBelow(thing: string, above: string): boolean {
  return thing.length > above.length + 1 && thing.slice(0, above.length) === above && thing[above.length] === '.';
}

const allows = (pattern: string, tool: unknown) => hasOne(TOOL_PATTERNS, [pattern], toolNamed(tool));

describe('a grant of tools', () => {
  it('is for names below with `.*`, and not for the name itself or one that only starts alike', () => {
    expect(allows('filesystem.*', 'filesystem.read')).toBe(true);
    expect(allows('filesystem.*', 'filesystem.read.all')).toBe(true);
    expect(allows('filesystem.*', 'filesystem')).toBe(false);
    expect(allows('filesystem.*', 'filesystem.')).toBe(false);
    expect(allows('filesystem.*', 'filesystemx.read')).toBe(false);
  });

  it('minds case', () => {
    expect(allows('Read', 'read')).toBe(false);
    expect(allows('Read', 'Read')).toBe(true);
  });

  it('says no to what cannot be a name', () => {
    for (const odd of ['', '*', 'a.*', 'a\n', 'a\0', '\ud800', 'x'.repeat(257), 5, null, undefined, {}, ['a'], Symbol.iterator, 10n]) {
      expect(allows('*', odd), String(odd)).toBe(false);
    }
    expect(allows('*', '__proto__')).toBe(true);
    expect(allows('*', 'any name at all')).toBe(true);
  });

  it('covers patterns as sets', () => {
    const covers = (outer: string, inner: string) => coversList(TOOL_PATTERNS, [outer], [inner]);
    expect(covers('filesystem.*', 'filesystem.read')).toBe(true);
    expect(covers('filesystem.*', 'filesystem.a.*')).toBe(true);
    expect(covers('filesystem.a.*', 'filesystem.*')).toBe(false);
    expect(covers('filesystem.read', 'filesystem.*')).toBe(false);
    expect(covers('filesystem.*', '*')).toBe(false);
    expect(covers('*', 'filesystem.*')).toBe(true);
  });

  it.each(['', '.*', '**', 'a*', '*.a', 'a.*.b', 'a.**', 'a.*.*', 'a\tb', '\udfff', 'x'.repeat(257), 7, null, ['a']])(
    'cannot be %j',
    (entry) => {
      expect(TOOL_PATTERNS.parse(entry)).toBeUndefined();
    },
  );
});
