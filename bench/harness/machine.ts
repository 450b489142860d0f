/** What the numbers were measured on. No paths and no names of hosts: the result may be published. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from '../comparators/find-command.ts';
import { outputOf } from './run-program.ts';

export type Machine = Readonly<Record<string, string>>;

export async function describeMachine(): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: String(availableParallelism()),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `Linux ${release()} ${process.arch}`,
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(read('/etc/os-release'))?.[1] ?? 'unknown',
    user: process.getuid?.() === 0 ? 'root' : 'not root',
    node: process.version,
    warren: outputOf('git', ['-C', import.meta.dirname, 'describe', '--always', '--dirty']) ?? 'not from a checkout',
    'idle before': `${Math.round((await idleShare()) * 100)} % of the processors, load ${read('/proc/loadavg').split(' ').slice(0, 3).join(' ')}`,
  };
}

/** Asked afterwards: a benchmark may have installed them. */
export function describeComparators(): Machine {
  const version = (command: string): string => {
    const path = find(command);
    return (path === undefined ? undefined : outputOf(path, ['--version'])?.split('\n')[0]) ?? 'not installed';
  };
  return { bubblewrap: version('bwrap'), runc: version('runc') };
}

/** How quiet it is: the share of two seconds that the processors had nothing to do. */
async function idleShare(): Promise<number> {
  const before = processorTimes();
  await sleep(2_000);
  const after = processorTimes();
  return (after.idle - before.idle) / (after.whole - before.whole);
}

/** user nice system idle iowait irq softirq steal, in ticks since the start (proc_stat(5)). */
function processorTimes(): { readonly idle: number; readonly whole: number } {
  const ticks = (read('/proc/stat').split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number);
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), whole: ticks.reduce((sum, tick) => sum + tick, 0) };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Not every distribution has every file; the fact then reads as unknown.
  }
}
