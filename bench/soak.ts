/**
 * `npm run soak [-- --cycles N] [--wide N]`: makes and destroys sandboxes, 10,000 unless told otherwise, and shows that nothing is left: no process, mount,
 * cgroup, descriptor or file. Exits with 1 when something is. Cycles are of several kinds (soak/cycle.ts): what ends well is rarely what leaks.
 *
 * It looks twice: with the launcher still running, against a look taken when it was warm (what a daemon would pile up), and after all is closed,
 * against a look taken before anything was opened (what a machine would pile up).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openSandboxes } from '@warren/sandbox';
import { diff, leaksSince, type Snapshot, snapshot, TemporaryDirectory } from '@warren/testkit';
import { atOnce } from './harness/at-once.ts';
import { errorsIn } from './harness/errors-in.ts';
import { Cycles } from './soak/cycle.ts';
import { addedDescriptors, compareHoldings, isOurCgroup, readHoldings } from './soak/holdings.ts';

const WARMUPS = 100;
const SETTLE_MS = 10_000;
const REST_MS = 300;
const PROGRESS_EVERY_MS = 5_000;

const { cycles: count, width } = readArguments();
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
process.once('SIGTERM', () => interrupted.abort(new Error('interrupted')));

try {
  await using directory = await TemporaryDirectory.create();
  const left = await soak(directory);
  for (const line of left) console.error(`soak: LEFT ${line}`);
  console.log(left.length === 0 ? `soak: ${count} cycles left nothing` : `soak: FAILED: ${count} cycles left ${left.length} things`);
  if (left.length > 0) process.exitCode = 1;
} catch (error) {
  for (const one of errorsIn(error)) console.error(one);
  process.exitCode = 1;
}

/** Returns what is left, one line each. */
async function soak(directory: TemporaryDirectory): Promise<readonly string[]> {
  process.env['TMPDIR'] = directory.path; // Whatever of ours writes a temporary file writes it where we look.
  await mkdir(directory.join('workspace'));
  await writeFile(directory.join('workspace', 'file'), 'as it was\n');
  await warmUp(directory);
  const before = await lookAtRest(directory);
  show('before', before);
  const piledUp = await soakOneLauncher(directory);
  const left = await leaksSince(before, { deadlineMs: SETTLE_MS });
  show('after', look(directory));
  return [...piledUp.map((line) => `while the launcher ran: ${line}`), ...left.map((line) => `after closing: ${line}`)];
}

/** Node opens descriptors of its own with its first child. */
async function warmUp(directory: TemporaryDirectory): Promise<void> {
  await using sandboxes = await openSandboxes();
  await new Cycles(sandboxes, directory).run(0);
}

/** Returns what was left while the launcher still ran. */
async function soakOneLauncher(directory: TemporaryDirectory): Promise<readonly string[]> {
  await using sandboxes = await openSandboxes();
  const cycles = new Cycles(sandboxes, directory);
  await atOnce(Math.min(WARMUPS, count), width, (index) => cycles.run(index));
  const opened = await lookAtRest(directory);
  const held = readHoldings();
  show('launcher runs, warm', opened);
  const startedAt = performance.now();
  await turnOver(cycles, startedAt);
  console.log(`soak: ${count} cycles in ${secondsSince(startedAt)}, ${width} at a time; with those to warm up:`);
  for (const line of cycles.summary()) console.log(`soak:   ${line}`);
  const after = await lookAtRest(directory, opened);
  show('launcher runs, after', after);
  const holds = readHoldings();
  for (const line of compareHoldings(held, holds)) console.log(`soak: ${line}`);
  return [...grown(opened, after), ...addedDescriptors(held, holds)];
}

async function turnOver(cycles: Cycles, startedAt: number): Promise<void> {
  let done = 0;
  const tell = (): void => {
    const memory = Math.round(process.memoryUsage.rss() / 1_048_576);
    console.log(`soak: ${done} of ${count} cycles, ${secondsSince(startedAt)}, Node has ${memory} MiB`);
  };
  const timer = setInterval(tell, PROGRESS_EVERY_MS);
  try {
    await atOnce(count, width, async (index) => {
      interrupted.signal.throwIfAborted();
      await cycles.run(index);
      done += 1;
    });
  } finally {
    clearInterval(timer);
  }
}

/**
 * A look once the launcher has built its blanks and buried its dead: when two in a row are alike, and no more than `earlier`, if it is given.
 * Resolves with the last look when the time is over.
 */
async function lookAtRest(directory: TemporaryDirectory, earlier?: Snapshot): Promise<Snapshot> {
  const deadline = performance.now() + SETTLE_MS;
  for (let last = look(directory); ; ) {
    await sleep(REST_MS);
    const now = look(directory);
    const isAtRest = diff(last, now).length === 0 && diff(now, last).length === 0;
    if ((isAtRest && (earlier === undefined || grown(earlier, now).length === 0)) || performance.now() > deadline) return now;
    last = now;
  }
}

/** Blanks are used and built again, so processes and cgroups may be others than before; what counts is that there are not more. */
function grown(before: Snapshot, after: Snapshot): readonly string[] {
  const isMore = { process: after.processes.length > before.processes.length, cgroup: after.cgroups.length > before.cgroups.length };
  return diff(before, after).filter((line) => {
    if (line.startsWith('process ')) return isMore.process;
    return line.startsWith('cgroup ') ? isMore.cgroup : true;
  });
}

function look(directory: TemporaryDirectory): Snapshot {
  return snapshot({ directory: directory.path, isOurs: isOurCgroup });
}

function show(when: string, { processes, mounts, cgroups, descriptors, entries }: Snapshot): void {
  const counts = { processes, mounts, cgroups, descriptors, files: entries };
  const words = Object.entries(counts).map(([what, { length }]) => `${what} ${String(length).padStart(3)}`);
  console.log(`soak: ${when.padEnd(20)} ${words.join('   ')}`);
}

function secondsSince(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
}

function readArguments(): { readonly cycles: number; readonly width: number } {
  try {
    const { values } = parseArgs({ options: { cycles: { type: 'string', default: '10000' }, wide: { type: 'string', default: '8' } } });
    const read = (name: keyof typeof values): number => {
      const value = Number(values[name]);
      if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} takes a number from 1 up, not ${values[name]}`);
      return value;
    };
    return { cycles: read('cycles'), width: read('wide') };
  } catch (error) {
    console.error(`soak: ${error instanceof Error ? error.message : String(error)}`);
    console.error('usage: npm run soak [-- --cycles N] [--wide N]');
    process.exit(2);
  }
}
