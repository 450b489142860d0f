/** Memory of the whole machine, as the kernel counts it: what a sandbox costs is mostly not in any process. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Lines of /proc/meminfo, in MiB. */
export type Memory = Readonly<Record<string, number>>;

const SAMPLES = 10;
const SAMPLE_EVERY_MS = 100;
const SETTLED_MIB = 1;
const ROUNDS_MAX = 20;

/**
 * Memory once it has come to rest: medians over a second are taken until two in a row differ by less than 1 MiB, for 20 seconds at most. The kernel
 * frees network namespaces and cgroups some time after they are gone, and our own garbage is collected first.
 */
export async function settledMemory(signal: AbortSignal): Promise<Memory> {
  let last = await medianMemory(signal);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const now = await medianMemory(signal);
    if (Math.abs(available(now) - available(last)) < SETTLED_MIB) return now;
    last = now;
  }
  return last;
}

export function available(memory: Memory): number {
  return memory['MemAvailable'] ?? Number.NaN;
}

async function medianMemory(signal: AbortSignal): Promise<Memory> {
  collectGarbage();
  const samples: Memory[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    samples.push(readMemory());
    await sleep(SAMPLE_EVERY_MS, undefined, { signal });
  }
  return samples.toSorted((one, other) => available(one) - available(other))[SAMPLES / 2] as Memory; // There are SAMPLES.
}

function readMemory(): Memory {
  const lines = readFileSync('/proc/meminfo', 'utf8').matchAll(/^([^:]+):\s+(\d+) kB$/gm);
  return Object.fromEntries([...lines].map(([, name = '', kibibytes]) => [name, Number(kibibytes) / 1_024]));
}

/** V8 lets go of what it can, so that its own moods are not taken for memory of sandboxes. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)(); // The flag puts it there.
}
