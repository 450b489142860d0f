import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRunId, isRunId } from './run-id.ts';

const FIRST_MS = Date.UTC(2025, 0, 1);
const LAST_MS = Date.UTC(2059, 0, 1);

it('ids sort by time', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST_MS, max: LAST_MS }), fc.integer({ min: FIRST_MS, max: LAST_MS }), (left, right) => {
      fc.pre(left < right);
      expect(createRunId(left) < createRunId(right)).toBe(true);
    }),
  );
});

it('ids are 12 characters that nobody misreads, and differ within a millisecond', () => {
  const ids = Array.from({ length: 100 }, () => createRunId(Date.now()));
  expect(ids.every(isRunId)).toBe(true);
  expect(new Set(ids).size).toBeGreaterThan(95);
  expect(['', '../../etc', 'ILOU00000000', '0123456789ab/', '.new-0123456'].some(isRunId)).toBe(false);
});
