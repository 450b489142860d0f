import { describe, expect, it } from 'vitest';
import { closingLine, countTests, type Report } from '../scripts/test-results.ts';

function report(...files: readonly (readonly [status: string, ...tests: readonly string[]])[]): Report {
  return {
    testResults: files.map(([status, ...tests], index) => ({
      name: `${index}.test.ts`,
      status,
      assertionResults: tests.map((test, number) => ({
        status: test,
        fullName: `${index} ${number}`,
        meta: test === 'skipped' ? { skipReason: 'why' } : {},
      })),
    })),
  };
}

describe('countTests', () => {
  it('counts what passed and failed, and names what was skipped', () => {
    const counts = countTests(report(['passed', 'passed', 'skipped', 'todo'], ['failed', 'failed', 'passed']));
    expect(counts).toEqual({
      passed: 2,
      failed: 1,
      skipped: [
        { name: '0 1', reason: 'why' },
        { name: '0 2', reason: undefined },
      ],
    });
    expect(closingLine(counts)).toBe('2 passed, 1 failed, 2 skipped');
  });

  it('counts a file that could not be loaded, or whose hooks failed, as one failure', () => {
    expect(closingLine(countTests(report(['failed'], ['failed', 'passed'], ['passed', 'passed'])))).toBe('2 passed, 2 failed');
  });
});
