import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODEL_PATTERNS, modelNamed } from './model-pattern.ts';
import { coversList, hasOne } from './pattern-list.ts';
import { testPatternLaws } from './test-support/pattern-laws.ts';

const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 3 });

testPatternLaws({
  kind: MODEL_PATTERNS,
  entry: fc.oneof(name, name.map((each) => `${each}*`), fc.constant('*')), // biome-ignore format: one line
  things: textsOf(['a', 'b', '-', 'z'], 4),
  named: modelNamed,
  means: (value, thing) => (value.endsWith('*') ? thing.slice(0, value.length - 1) === value.slice(0, -1) : thing === value),
});

/** All texts over these letters up to a length, shortest first. */
function textsOf(letters: readonly string[], lengthMax: number): readonly string[] {
  let level = letters;
  let all = letters;
  for (let length = 1; length < lengthMax; length++) {
    level = level.flatMap((start) => letters.map((letter) => start + letter));
    all = all.concat(level);
  }
  return all;
}

const allows = (pattern: string, model: unknown) => hasOne(MODEL_PATTERNS, [pattern], modelNamed(model));

describe('a grant of models', () => {
  it('is for one model, or for all that start alike', () => {
    expect(allows('claude-*', 'claude-opus-4')).toBe(true);
    expect(allows('claude-*', 'gpt-5')).toBe(false);
    expect(allows('anthropic/claude-opus-4:free', 'anthropic/claude-opus-4:free')).toBe(true);
    expect(allows('gpt-5', 'gpt-5-mini')).toBe(false);
    expect(allows('gpt-5', 'GPT-5')).toBe(false);
  });

  it('says no to what cannot be a name', () => {
    for (const odd of ['', '*', 'claude-*', 'a\u0085', '\udc00', 'x'.repeat(257), 0, null, undefined, {}]) {
      expect(allows('*', odd), String(odd)).toBe(false);
    }
  });

  it('covers patterns as sets', () => {
    const covers = (outer: string, inner: string) => coversList(MODEL_PATTERNS, [outer], [inner]);
    expect(covers('claude-*', 'claude-opus-*')).toBe(true);
    expect(covers('claude-opus-*', 'claude-*')).toBe(false);
    expect(covers('claude-*', '*')).toBe(false);
  });

  it.each(['', '**', '*-mini', 'a*b', 'a**', '\u0007', 'x'.repeat(257), 1, null])('cannot be %j', (entry) => {
    expect(MODEL_PATTERNS.parse(entry)).toBeUndefined();
  });
});
