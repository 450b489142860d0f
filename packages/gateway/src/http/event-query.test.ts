import { expect, it } from 'vitest';
import { readEventQuery } from './event-query.ts';

const read = (query: string, lastEventId?: string) => readEventQuery(new URLSearchParams(query), lastEventId);

it('everything may be left out', () => {
  expect(read('')).toEqual({ workspace: undefined, pid: undefined, kind: undefined, after: undefined, gaps: 'tell' });
});

it('everything may be given', () => {
  expect(read('workspace=acme&pid=7&kind=a.b&after=3&gaps=skip')).toEqual({
    workspace: 'acme',
    pid: 7,
    kind: 'a.b',
    after: 3,
    gaps: 'skip',
  });
});

it('the header of a client that comes back wins over where it first began, and `since` is `after`', () => {
  expect(read('after=3', '9').after).toBe(9);
  expect(read('after=3&since=2').after).toBe(3);
  expect(read('since=2').after).toBe(2);
  expect(read('since=2', '').after).toBe(2);
});

it.each([
  'pid=',
  'pid=x',
  'pid=-1',
  'pid=1.5',
  'pid=1e3',
  'pid=0x1',
  'after=9007199254740993',
  'since=%20',
  'gaps=no',
  `kind=${'a'.repeat(5_000)}`,
])('refuses %s, naming the field', (query) => {
  expect(() => read(query)).toThrow(expect.objectContaining({ code: 'invalid_argument', details: { field: query.split('=')[0] } }));
});

it('refuses a Last-Event-ID that is none', () => {
  expect(() => read('', 'x')).toThrow(expect.objectContaining({ details: { field: 'last-event-id' } }));
});
