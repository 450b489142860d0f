import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEventStream, type StreamedEvent } from './event-stream.ts';

async function read(...chunks: readonly string[]): Promise<readonly StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  for await (const event of readEventStream(arriving(chunks))) events.push(event);
  return events;
}

async function* arriving(chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

describe('readEventStream', () => {
  it('reads id, type and data', async () => {
    expect(await read('id: 7\nevent: kernel\ndata: {"a":1}\n\n')).toEqual([
      { id: '7', type: 'kernel', data: '{"a":1}', retryMs: undefined },
    ]);
  });

  it('joins several lines of data, and takes off one space only', async () => {
    expect(await read('data:a\ndata:  b\ndata\n\n')).toEqual([{ id: undefined, type: 'message', data: 'a\n b\n', retryMs: undefined }]);
  });

  it('leaves out comments, heartbeats and unknown fields', async () => {
    expect(await read(': hello\n\n:\n\nother: x\n\ndata: 1\n\n')).toHaveLength(1);
  });

  it('reads how long to wait before coming back', async () => {
    expect(await read('retry: 250\n\n')).toEqual([{ id: undefined, type: 'message', data: '', retryMs: 250 }]);
    expect(await read('retry: soon\ndata: 1\n\n')).toMatchObject([{ retryMs: undefined }]);
  });

  it('drops an event that was never finished', async () => {
    expect(await read('data: 1\n\ndata: 2\n')).toHaveLength(1);
  });

  it('refuses an event without end', async () => {
    await expect(read('data: ', ...Array.from({ length: 17 }, () => 'x'.repeat(2 ** 20)))).rejects.toSatisfy((error) =>
      isFault(error, 'too_large'),
    );
    await expect(read(...Array.from({ length: 17 }, () => `data: ${'x'.repeat(2 ** 20)}\n`))).rejects.toSatisfy((error) =>
      isFault(error, 'too_large'),
    );
  });

  it('reads the same however the text is cut, with any of the three line ends', async () => {
    const text = fc
      .array(fc.record({ id: fc.nat(), data: fc.array(fc.string({ maxLength: 8 }).map((line) => line.replace(/[\r\n]/g, ''))) }), {
        maxLength: 6,
      })
      .map((events) => events.filter(({ data }) => data.length > 0));
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat({ max: 60 })), async (events, end, cuts) => {
        const whole = events.map(({ id, data }) => [`id: ${id}`, ...data.map((line) => `data: ${line}`), '', ''].join(end)).join('');
        const chunks: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(whole.slice(at, at + cut));
          at += cut;
        }
        chunks.push(whole.slice(at));
        // A lone carriage return at the very end waits for its newline, so the last event needs something after it.
        const found = await read(...chunks, ':\n');
        expect(found.map(({ id, data }) => ({ id, data }))).toEqual(events.map(({ id, data }) => ({ id: `${id}`, data: data.join('\n') })));
      }),
      { numRuns: 200 },
    );
  });
});
