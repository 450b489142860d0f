import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expose } from './exposition.ts';
import { createOperationMetrics } from './operation-metrics.ts';

const LINE =
  /^(?:# HELP [a-z_]+ .*|# TYPE [a-z_]+ (?:counter|gauge|histogram)|[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? -?[0-9.e+-]+)$/;

describe('the text for Prometheus', () => {
  it('has a line for each sample, labels sorted and escaped, and a newline at the end', () => {
    const text = expose([
      { name: 'a_total', help: 'What\nit is', type: 'counter', samples: [{ value: 3 }, { labels: { z: '1', a: 'x"y\\z\n' }, value: 0.5 }] },
    ]);
    expect(text).toBe('# HELP a_total What\\nit is\n# TYPE a_total counter\na_total 3\na_total{a="x\\"y\\\\z\\n",z="1"} 0.5\n');
  });

  it('parses, whatever stands in labels', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.double({ noNaN: true, noDefaultInfinity: true }), (label, value) => {
        const text = expose([{ name: 'a', help: 'a', type: 'gauge', samples: [{ labels: { l: label }, value }] }]);
        expect(text.endsWith('\n')).toBe(true);
        for (const line of text.slice(0, -1).split('\n')) expect(line).toMatch(LINE);
      }),
    );
  });

  it('counts durations in buckets that only grow, and faults by code', () => {
    const metrics = createOperationMetrics();
    for (const ms of [0.05, 3, 3, 40_000]) metrics.observe('event.append', ms, ms > 10 ? 'deadline' : undefined);
    const text = expose(metrics.collect());
    expect(text).toContain('warren_operation_duration_seconds_bucket{le="0.0001",operation="event.append"} 1\n');
    expect(text).toContain('warren_operation_duration_seconds_bucket{le="0.005",operation="event.append"} 3\n');
    expect(text).toContain('warren_operation_duration_seconds_bucket{le="+Inf",operation="event.append"} 4\n');
    expect(text).toContain('warren_operation_faults_total{fault="deadline",operation="event.append"} 1\n');
  });
});
