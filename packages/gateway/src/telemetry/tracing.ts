/** Traces: a span for each operation, handed to whoever collects them. Without a collector nothing is loaded and nothing is done. */

/** The caller's own span, from a `traceparent` header (W3C Trace Context). Anything malformed is ignored, as the standard asks. */
export type TraceParent = { readonly traceId: string; readonly spanId: string; readonly isSampled: boolean };

export interface Span {
  /** `fault`: the code it failed with; undefined when it succeeded. */
  end(fault?: string | undefined): void;
}

export interface Tracing extends AsyncDisposable {
  startSpan(operation: string, attributes: Readonly<Record<string, string>>, parent?: TraceParent | undefined): Span;
}

const NO_SPAN: Span = { end() {} };
export const NO_TRACING: Tracing = { startSpan: () => NO_SPAN, async [Symbol.asyncDispose]() {} };

const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export function parseTraceParent(header: string | undefined): TraceParent | undefined {
  const [, traceId, spanId, flags] = TRACE_PARENT.exec(header ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
