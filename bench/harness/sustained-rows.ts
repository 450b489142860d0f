/** Keeps a daemon busy at a steady rate, and tells what failed and what its memory did. */
import type { Context } from './benchmark.ts';
import type { Daemon } from './daemon.ts';
import { anonymousPages } from './processes.ts';
import { atLeast, atMost, measured, notMeasured, type Row } from './row.ts';
import { summarize } from './statistics.ts';
import { sustain } from './sustain.ts';

export type SustainedParts = {
  /** What calls are made over. */
  readonly name: string;
  readonly daemon: Daemon;
  readonly call: (caller: number) => Promise<void>;
  readonly callers: number;
  /** What it is to reach, and what it reached in short turns: 80 % of the lesser is asked for. */
  readonly targetPerSecond: number;
  readonly rates: readonly number[];
};

const SHARE = 0.8;
/** Some of what was asked for falls due just before the end. */
const REACHED = 0.95;

export async function sustainedRows(
  { name, daemon, call, callers, targetPerSecond, rates }: SustainedParts,
  { sustainMs, signal, say }: Context,
): Promise<readonly Row[]> {
  if (sustainMs === 0) return [notMeasured(`${name}: sustained`, '/s', 'it is asked for with --sustain 5m')];
  const perSecond = Math.round(SHARE * Math.min(targetPerSecond, summarize(rates).p50));
  say(`${name}: ${perSecond} calls a second for ${sustainMs / 1_000} s`);
  const options = { perSecond, forMs: sustainMs, inFlightMax: callers, signal };
  const { done, failed, memoryMiB } = await sustain(call, { ...options, memory: () => anonymousPages(daemon.pid) });
  return [
    measured(`${name}: sustained, asked for`, '/s', [perSecond], { bound: atLeast(SHARE * targetPerSecond) }),
    measured(`${name}: sustained, reached`, '/s', [(done * 1_000) / sustainMs], { bound: atLeast(Math.round(REACHED * perSecond)) }),
    measured(`${name}: sustained, failures`, 'calls', [failed], { bound: atMost(0) }),
    measured(`${name}: memory meanwhile, last fifth less second fifth`, 'MiB', [growth(memoryMiB)], { bound: atMost(16) }),
    measured(`${name}: memory meanwhile`, 'MiB', memoryMiB),
  ];
}

/** Medians of fifths: garbage is collected now and then, and the first fifth warms up. */
function growth(samples: readonly number[]): number {
  const fifth = Math.ceil(samples.length / 5);
  const median = (from: number): number => summarize(samples.slice(from, from + fifth)).p50;
  return median(samples.length - fifth) - median(Math.min(fifth, samples.length - fifth));
}
