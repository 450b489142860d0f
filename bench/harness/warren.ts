/** What the benchmarks ask of Warren, each step checked: a sandbox that did not run its command was not fast, it was broken. */
import type { Completed, Sandbox, Sandboxes } from '@warren/sandbox';

export const TRUE = '/bin/true';

export async function runTrue(sandbox: Sandbox): Promise<void> {
  mustBeWell(await sandbox.run([TRUE]));
}

export type Life = { readonly startMs: number; readonly runMs: number; readonly destroyMs: number; readonly wholeMs: number };

/** One sandbox with every wall of the default profile: start, run `true`, destroy until nothing of it is left. */
export async function liveOnce(sandboxes: Sandboxes): Promise<Life> {
  const startedAt = performance.now();
  const sandbox = await sandboxes.start({});
  const runsAt = performance.now();
  await runTrue(sandbox);
  const endsAt = performance.now();
  await sandbox[Symbol.asyncDispose]();
  const goneAt = performance.now();
  return { startMs: runsAt - startedAt, runMs: endsAt - runsAt, destroyMs: goneAt - endsAt, wholeMs: goneAt - startedAt };
}

/** What this host cannot enforce, as a note for the row: numbers without limits are not the numbers that were promised. */
export function missingLimits({ capabilities }: Sandboxes): { readonly note?: string } {
  const absent = (['memory', 'cpus', 'pids'] as const).filter((limit) => capabilities[limit] === 'none');
  return absent.length === 0 ? {} : { note: `this host cannot limit ${absent.join(', ')}, so those walls are not in the number` };
}

function mustBeWell({ exit, stderr }: Completed): void {
  if (exit.kind === 'exited' && exit.code === 0) return;
  throw new Error(`${TRUE} in a sandbox did not end well: ${JSON.stringify(exit)} ${Buffer.from(stderr).toString()}`);
}
