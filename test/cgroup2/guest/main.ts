/**
 * Runs inside the virtual machine, on Node and with the real library: tries everything once and writes what came of it to the console, one line of
 * JSON a case. It judges nothing: cgroup2.test.ts does.
 */
import { leaksSince, snapshot } from '../../../packages/testkit/src/leaks.ts';
import { formatReport } from '../reports.ts';
import * as control from './control.ts';
import * as ends from './ends.ts';
import { receiveVisits, rootHosts, userHosts } from './hosts.ts';
import * as limits from './limits.ts';
import * as structure from './structure.ts';

const CASES = {
  ...structure,
  ...limits,
  ...control,
  ...ends,
  ...{ rootHosts, userHosts },
};

type Cases = typeof CASES;
/** What each case found. */
export type Observations = { readonly [Name in keyof Cases]: Awaited<ReturnType<Cases[Name]>> };

const CASE_MS_MAX = 60_000;

if (process.argv[2] === 'visit') await receiveVisits();
else await runAll();

async function runAll(): Promise<void> {
  for (const [name, run] of Object.entries(CASES)) {
    const since = performance.now();
    const report = await runOne(name, run).catch((error: unknown) => ({ name, error: describe(error) }));
    process.stdout.write(formatReport({ ...report, elapsedMs: Math.round(performance.now() - since) }));
  }
}

async function runOne(name: string, run: () => Promise<unknown>) {
  const before = snapshot({ isOurs: () => true });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${name} takes longer than ${CASE_MS_MAX} ms`)), CASE_MS_MAX);
  try {
    const value = await Promise.race([run(), late.promise]); // A case that is too late goes on; the machine ends with the last one anyway.
    return { name, value, leaks: await leaksSince(before) };
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.stack ?? error.message}` : String(error);
}
