/** What the guest writes to its console: one marked line of JSON a case, among whatever else it says. */
export const REPORT_MARK = '@warren ';

export type Report = {
  readonly name: string;
  readonly elapsedMs: number;
  /** What was seen; absent when the case failed, and then this says why. */
  readonly value?: unknown;
  readonly error?: string;
  /** Processes, mounts, cgroups and descriptors that are still there afterwards. */
  readonly leaks?: readonly string[];
};

export function formatReport(report: Report): string {
  return `${REPORT_MARK}${JSON.stringify(report)}\n`;
}

/** Throws with the end of the console when the guest has not come to its own end. */
export function readReports(console: string): ReadonlyMap<string, Report> {
  const lines = console.split('\n');
  if (!lines.includes('main.mjs ended with 0')) throw new Error(`the guest has failed:\n${console.slice(-4_000)}`);
  const reports = lines.filter((line) => line.startsWith(REPORT_MARK)).map((line) => JSON.parse(line.slice(REPORT_MARK.length)) as Report);
  return new Map(reports.map((report) => [report.name, report]));
}
