import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { openTracing } from './open-tracing.ts';
import { NO_TRACING, parseTraceParent } from './tracing.ts';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const before = process.env[ENDPOINT];
afterEach(() => {
  if (before === undefined) delete process.env[ENDPOINT];
  else process.env[ENDPOINT] = before;
});

type Exported = {
  readonly resourceSpans: readonly [
    {
      readonly scopeSpans: readonly [
        { readonly spans: readonly { readonly name: string; readonly traceId: string; readonly parentSpanId?: string }[] },
      ];
    },
  ];
};

it("a collector receives a span for each operation, below the caller's own", async () => {
  const bodies: Exported[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  try {
    // The exporter reads the process's own environment.
    process.env[ENDPOINT] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`; // It listens on a port.
    {
      await using tracing = await openTracing(process.env);
      const parent = parseTraceParent(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
      tracing.startSpan('kernel.info', { workspace: 'default' }, parent).end();
      tracing.startSpan('kernel.agent.get', {}, undefined).end('unknown_pid');
    }
    const spans = bodies.flatMap(
      ({
        resourceSpans: [
          {
            scopeSpans: [{ spans }],
          },
        ],
      }) => spans,
    );
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['kernel.agent.get', 'kernel.info']);
    expect(spans.find(({ name }) => name === 'kernel.info')).toMatchObject({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) });
  } finally {
    collector.close();
  }
});

it('without a collector nothing is traced', async () => {
  expect(await openTracing({})).toBe(NO_TRACING);
  expect(await openTracing({ [ENDPOINT]: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' })).toBe(NO_TRACING);
});

it.each([
  undefined,
  '',
  'x',
  `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
  `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`,
])('ignores the traceparent %j', (header) => {
  expect(parseTraceParent(header)).toBeUndefined();
});
