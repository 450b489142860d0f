import { describe, expect, it } from 'vitest';
import { createCallMetrics } from './call-metrics.ts';
import { createJsonLog } from './log.ts';
import { observeBoth, traceCalls } from './observe-calls.ts';

describe('the metrics of calls', () => {
  it('have a histogram of each operation and count errors by what they are', () => {
    let now = 0;
    const metrics = createCallMetrics(() => now);
    for (const [ms, fault] of [[1, undefined], [30, undefined], [100_000, 'busy'], [1, 'busy']] as const) {
      const end = metrics.observe({ operation: 'kernel.info', traceParent: undefined });
      now += ms;
      end(fault === undefined ? { kind: 'answered' } : { kind: 'failed', code: -32010, fault });
    } // biome-ignore format: a table
    metrics.observe({ operation: 'daemon.status', traceParent: undefined });
    const lines = metrics.text().split('\n');
    expect(lines).toContain('warren_operations_running 1');
    expect(lines.filter((line) => /le="(0.001|0.05|60|\+Inf)"|_count|_errors/.test(line) && !line.startsWith('#'))).toEqual([
      'warren_operation_seconds_bucket{operation="kernel.info",le="0.001"} 2',
      'warren_operation_seconds_bucket{operation="kernel.info",le="0.05"} 3',
      'warren_operation_seconds_bucket{operation="kernel.info",le="60"} 3',
      'warren_operation_seconds_bucket{operation="kernel.info",le="+Inf"} 4',
      'warren_operation_seconds_count{operation="kernel.info"} 4',
      'warren_operation_errors_total{operation="kernel.info",fault="busy",code="-32010"} 2',
    ]);
  });

  it('are text that Prometheus reads', () => {
    const metrics = createCallMetrics();
    metrics.observe({ operation: 'kernel.info', traceParent: undefined })({ kind: 'failed', code: -32603, fault: 'internal' });
    const text = metrics.text();
    expect(text.endsWith('\n')).toBe(true);
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^# (?:HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(?:\{(?:[a-z]+="[^"\\]*",?)+\})? [\d.e+-]+$/);
    }
  });
});

describe('observers', () => {
  it('both see a call begin and end', () => {
    const seen: string[] = [];
    const observer = (name: string) => () => {
      seen.push(`${name} begins`);
      return () => void seen.push(`${name} ends`);
    };
    observeBoth(observer('one'), observer('other'))({ operation: 'a', traceParent: undefined })({ kind: 'answered' });
    expect(seen).toEqual(['one begins', 'other begins', 'one ends', 'other ends']);
  });

  it('of which one traces makes a span of it, below that of the caller', () => {
    const spans: unknown[] = [];
    const observe = traceCalls({
      startSpan: (operation, _attributes, parent) => ({ end: (fault) => spans.push({ operation, parent, fault }) }),
      async [Symbol.asyncDispose]() {},
    });
    const traceParent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true };
    observe({ operation: 'kernel.info', traceParent })({ kind: 'failed', code: -32010, fault: 'busy' });
    observe({ operation: 'kernel.info', traceParent: undefined })({ kind: 'answered' });
    expect(spans).toEqual([
      { operation: 'kernel.info', parent: traceParent, fault: 'busy' },
      { operation: 'kernel.info', parent: undefined, fault: undefined },
    ]);
  });
});

describe('the log', () => {
  it('is a line of JSON for each message, whatever is in it', () => {
    const lines: string[] = [];
    const log = createJsonLog((line) => lines.push(line), () => new Date(0)); // biome-ignore format: one line
    log.warn('a\nb', { address: '"x"\n', count: 2, missing: undefined });
    expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"a\\nb","address":"\\"x\\"\\n","count":2}\n']);
  });
});
