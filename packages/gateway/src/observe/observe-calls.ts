/** Where calls are watched: metrics count them, and a tracer makes a span of each. */
import type { TraceParent, Tracing } from '../telemetry/tracing.ts';

export type CallStart = {
  /** The name of the operation; `unknown` when there is none of the name that was asked for, which may be anything. */
  readonly operation: string;
  readonly traceParent: TraceParent | undefined;
};

export type CallOutcome =
  | { readonly kind: 'answered' }
  /** `code` is the number on the wire, `fault` what programs call it. */
  | { readonly kind: 'failed'; readonly code: number; readonly fault: string };

/** Called when a call begins; what it returns is called when it ends. Neither may throw. */
export type ObserveCall = (start: CallStart) => (outcome: CallOutcome) => void;

/** Both watch as one. */
export function observeBoth(one: ObserveCall, other: ObserveCall): ObserveCall {
  return (start) => {
    const ends = [one(start), other(start)];
    return (outcome) => {
      for (const end of ends) end(outcome);
    };
  };
}

export function traceCalls(tracing: Tracing): ObserveCall {
  return ({ operation, traceParent }) => {
    const span = tracing.startSpan(operation, {}, traceParent);
    return (outcome) => span.end(outcome.kind === 'failed' ? outcome.fault : undefined);
  };
}
