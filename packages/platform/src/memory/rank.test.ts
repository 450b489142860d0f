import { describe, expect, it } from 'vitest';
import { ageFactor, diversify, fuse, likenessOf, scoreOfBm25 } from './rank.ts';

it.each([
  [-1, 0.5],
  [-3, 0.75],
  [0, 0],
  [2, 0],
  [Number.NaN, 0],
])('a BM25 of %d is a score of %d', (bm25, score) => {
  // biome-ignore format: one line
  expect(scoreOfBm25(bm25)).toBe(score);
});

it.each([
  [0, 1],
  [30, 0.5],
  [60, 0.25],
  [-5, 1],
])('after %d days of a half-life of 30 a score counts %d', (days, factor) => {
  // biome-ignore format: one line
  expect(ageFactor(days * 86_400_000, 30)).toBe(factor);
});

it('age does not count without a half-life', () => {
  expect([ageFactor(1e12, 0), ageFactor(1e12, undefined)]).toEqual([1, 1]);
});

it('meaning and words are weighed', () => {
  const weights = { vector: 0.7, text: 0.3 };
  expect(fuse({ vector: 0.8, text: 0.5 }, weights)).toBeCloseTo(0.71);
  expect(fuse({ vector: undefined, text: 0.9 }, weights)).toBeCloseTo(0.27);
});

describe('diversify', () => {
  const items = [
    { name: 'a', score: 1, words: 'same words here' },
    { name: 'b', score: 0.99, words: 'same words here' },
    { name: 'c', score: 0.5, words: 'others altogether' },
  ];
  const order = (lambda: number) =>
    diversify(items, { lambda, limit: 9, scoreOf: ({ score }) => score, termsOf: ({ words }) => new Set(words.split(' ')) }).map(
      ({ name }) => name,
    );

  it('keeps the order where likeness counts little', () => {
    expect(order(0.7)).toEqual(['a', 'b', 'c']);
  });

  it.each([0.5, 0.2, 0])('puts what is unlike first where it counts: %d', (lambda) => {
    expect(order(lambda)).toEqual(['a', 'c', 'b']);
  });

  it('finds nothing like nothing', () => {
    expect([likenessOf(new Set(), new Set()), likenessOf(new Set('a'), new Set())]).toEqual([1, 0]);
  });
});
