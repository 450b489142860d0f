import type { Subject } from './interleave.ts';
import { ratePerSecond } from './rate.ts';

/** As many callers make their next call when the last is answered. */
export type CallsParts = {
  readonly name: string;
  readonly call: (caller: number) => Promise<void>;
  /** Whose processor time counts. */
  readonly server: { processorMs(): number };
  /** In one turn. */
  readonly count: number;
  readonly callers: number;
};

export type CallsSubject = Subject & {
  /** Processor time of one call, of each turn, those that warm up included. */
  readonly processorMs: readonly number[];
};

/** A turn gives calls per second. */
export function callsSubject({ name, call, server, count, callers }: CallsParts): CallsSubject {
  const processorMs: number[] = [];
  return {
    name,
    processorMs,
    async turn() {
      const before = server.processorMs();
      const rate = await ratePerSecond(count, callers, (_, caller) => call(caller));
      processorMs.push((server.processorMs() - before) / count);
      return rate;
    },
  };
}
