/** How busy the machine was: readings at intervals, fine ones for an hour and coarse ones for a day. What was before the first is not known, and not made up. */
import type { MachineReading, ReadMachine } from './read-machine.ts';

export const WINDOWS = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 } as const;
export type Window = keyof typeof WINDOWS;

export type HistoryParts = {
  readonly read: ReadMachine;
  /** Milliseconds, of a clock that does not go back. */
  readonly now: () => number;
};

export type Summary = {
  readonly cpu: { readonly averagePercent: number; readonly peakPercent: number };
  readonly memory: { readonly averageBytes: number; readonly peakBytes: number; readonly averagePercent: number };
  readonly diskIo: MachineReading['diskIo'];
  readonly network: MachineReading['network'];
  /** How much of the window there are readings of. */
  readonly coveredMs: number;
};

const FINE_MS = 5_000;
const FINE_MAX = 720;
const COARSE_MS = 60_000;
const COARSE_MAX = 1_440;

type Sample = MachineReading & { readonly at: number };

export class MachineHistory {
  readonly #parts: HistoryParts;
  readonly #fine: Sample[] = [];
  readonly #coarse: Sample[] = [];

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.sample();
  }

  static readonly intervalMs = FINE_MS;

  /** Takes a reading. A timer calls it every `intervalMs`. */
  sample(): void {
    const sample = { ...this.#parts.read(), at: this.#parts.now() };
    keep(this.#fine, sample, FINE_MAX);
    if (sample.at - (this.#coarse.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= COARSE_MS) keep(this.#coarse, sample, COARSE_MAX);
  }

  /** With a reading of now. */
  summarize(window: Window): Summary {
    const now = { ...this.#parts.read(), at: this.#parts.now() };
    const from = now.at - WINDOWS[window];
    const kept = WINDOWS[window] > FINE_MS * FINE_MAX ? this.#coarse : this.#fine;
    const samples = [...kept.filter(({ at }) => at >= from), now];
    const first = samples[0] ?? now;
    const used = samples.map(({ memory }) => memory.totalBytes - memory.availableBytes);
    const averageBytes = Math.round(used.reduce((sum, each) => sum + each, 0) / used.length);
    const loads = samples.slice(1).map((sample, index) => busyPercent(samples[index] ?? sample, sample));
    return {
      cpu: { averagePercent: busyPercent(first, now), peakPercent: Math.max(0, ...loads) },
      memory: {
        averageBytes,
        peakBytes: Math.max(...used),
        averagePercent: now.memory.totalBytes === 0 ? 0 : percent(averageBytes / now.memory.totalBytes),
      },
      diskIo: {
        readBytes: since(first.diskIo.readBytes, now.diskIo.readBytes),
        writeBytes: since(first.diskIo.writeBytes, now.diskIo.writeBytes),
      },
      network: {
        receivedBytes: since(first.network.receivedBytes, now.network.receivedBytes),
        sentBytes: since(first.network.sentBytes, now.network.sentBytes),
      },
      coveredMs: now.at - first.at,
    };
  }
}

function keep(samples: Sample[], sample: Sample, countMax: number): void {
  samples.push(sample);
  if (samples.length > countMax) samples.shift();
}

function busyPercent(before: Sample, after: Sample): number {
  const total = after.cpu.total - before.cpu.total;
  return total <= 0 ? 0 : percent((after.cpu.busy - before.cpu.busy) / total);
}

function percent(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10;
}

/** A counter of a disk or interface that is gone takes its count with it. */
function since(before: number, after: number): number {
  return Math.max(0, after - before);
}
