import type { CounterRef, PolicyRequest, ReadCounter } from './policy.ts';

export type Exceeded = { readonly counter: CounterRef; readonly retryAfterMs: number };

/** Undefined while there is room. What a store counts that is no number leaves none. */
export function isExceeded(counter: CounterRef, request: PolicyRequest, read: ReadCounter): Exceeded | undefined {
  const { amount, oldestAt } = read(counter);
  if (amount + needOf(counter, request) <= counter.max) return undefined;
  const waitMs = oldestAt === undefined ? counter.perMs : oldestAt + counter.perMs - request.at;
  return { counter, retryAfterMs: Math.min(counter.perMs, Math.max(1, waitMs)) };
}

function needOf({ what }: CounterRef, { facts: { estimate } }: PolicyRequest): number {
  return what !== 'calls' && Object.hasOwn(estimate, what) ? Math.max(1, estimate[what] ?? 1) : 1;
}
