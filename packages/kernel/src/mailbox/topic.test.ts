import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSubscription, checkTopic, patternsOf } from './topic.ts';

/** What a pattern means, said plainly. */
function matches(pattern: readonly string[], topic: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return topic.length === 0;
  if (first === '**') return true;
  return topic.length > 0 && (first === '*' || first === topic[0]) && matches(rest, topic.slice(1));
}

const word = fc.constantFrom('a', 'b', 'C-1_');

describe('patterns', () => {
  it('match what they say', () => {
    const pattern = fc
      .tuple(fc.array(fc.oneof(word, fc.constant('*')), { maxLength: 5 }), fc.boolean())
      .map(([words, isOpen]) => (isOpen ? [...words, '**'] : words))
      .filter((words) => words.some((each) => each.startsWith('*')) && words.filter((each) => each === '*').length <= 2);
    fc.assert(
      fc.property(pattern, fc.array(word, { minLength: 1, maxLength: 6 }), (words, topic) => {
        const checked = checkSubscription(words.join('.'));
        expect(checked.isPattern).toBe(true);
        expect(patternsOf(topic.join('.')).includes(checked.topic)).toBe(matches(words, topic));
      }),
      { numRuns: 500 },
    );
  });

  it('are each listed once, and not too many for the longest topic', () => {
    const patterns = patternsOf(Array.from({ length: 16 }, (_, index) => `w${index}`).join('.'));
    expect(new Set(patterns).size).toBe(patterns.length);
    expect(patterns.length).toBeLessThan(1_000);
    for (const pattern of patterns) expect(checkSubscription(pattern)).toEqual({ topic: pattern, isPattern: true });
  });

  it.each(['a b', 'größe.x', 'a..b', 'a.', '.', 'a/b', Array.from({ length: 17 }, () => 'a').join('.')])(
    'do not match the free topic %j',
    (topic) => {
      expect(checkTopic(topic)).toBe(topic);
      expect(checkSubscription(topic)).toEqual({ topic, isPattern: false });
      expect(patternsOf(topic)).toEqual([]);
    },
  );

  it.each(['**.a', 'a.**.b', '*.*.*', 'a b.*', 'é.**', '*..a', Array.from({ length: 17 }, () => '*').join('.')])(
    'cannot be %j',
    (topic) => {
      expect(() => checkSubscription(topic)).toThrow(expect.objectContaining({ code: 'mail_invalid', details: { field: 'topic' } }));
    },
  );

  it.each(['*', 'a.*', 'a.**', '', 'a\nb', '\ud800', 'x'.repeat(257), 5 as unknown as string])('cannot be published to: %j', (topic) => {
    expect(() => checkTopic(topic)).toThrow(expect.objectContaining({ code: 'mail_invalid', details: { field: 'topic' } }));
  });

  it('have whole words as wildcards: a star within a word is a character like any other', () => {
    expect(checkTopic('a*b.c')).toBe('a*b.c');
    expect(checkSubscription('a*')).toEqual({ topic: 'a*', isPattern: false });
  });
});
