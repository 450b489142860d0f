/** What vitest's JSON report says, in one place: the counts, and each skipped test with its reason. */
import { readFileSync } from 'node:fs';

export const RESULTS = 'build/test-results.json';

export type TestCounts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string | undefined }[];
};

/** The fields of the report that are read here. */
export type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly meta?: { readonly skipReason?: string };
    }[];
  }[];
};

export function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report; // Written by vitest a moment ago.
  } catch {
    return undefined; // vitest did not get as far as writing it.
  }
}

export function countTests(report: Report): TestCounts {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const failures = tests.filter((test) => test.status === 'failed').length;
  // A file that fails without a failed test could not be loaded, or its hooks failed: that is a failure too.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed: failures + brokenFiles.length,
    skipped: tests
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map((test) => ({ name: test.fullName, reason: test.meta?.skipReason })),
  };
}

/** The closing line that machines read. */
export function closingLine(counts: TestCounts): string {
  const skipped = counts.skipped.length === 0 ? '' : `, ${counts.skipped.length} skipped`;
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}

if (import.meta.main) {
  const report = readReport(RESULTS);
  if (report === undefined) console.error(`no ${RESULTS}: the tests did not run to their end`);
  else console.log(closingLine(countTests(report)));
  process.exitCode = report === undefined ? 1 : 0;
}
