/** Server-sent events, as text/event-stream of the HTML standard has them. */
import { Fault } from '@warren/protocol';

export type StreamedEvent = {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
  /** How long the server wants a client to wait before it comes back, milliseconds. */
  readonly retryMs: number | undefined;
};

/** One event may hold the largest payload there is, and its frame. */
const EVENT_CHARACTERS_MAX = 16 * 2 ** 20;

/** Events of a stream, as they become whole. What is unfinished at the end is dropped. Throws `too_large`. */
export async function* readEventStream(chunks: AsyncIterable<string>): AsyncGenerator<StreamedEvent, void, undefined> {
  let rest = '';
  let fields: string[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    // A carriage return at the end may be half of a line end.
    const text = rest + chunk;
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + text.slice(end);
    for (const line of lines) {
      size += line.length;
      if (line !== '') fields.push(line);
      else {
        const event = parseEvent(fields);
        fields = [];
        size = 0;
        if (event !== undefined) yield event;
      }
    }
    if (size + rest.length > EVENT_CHARACTERS_MAX) {
      throw new Fault('too_large', `Cannot read the event stream: one event is longer than ${EVENT_CHARACTERS_MAX} characters`);
    }
  }
}

/** Undefined for a comment. An id without data says where the stream is. */
function parseEvent(lines: readonly string[]): StreamedEvent | undefined {
  let id: string | undefined;
  let type = 'message';
  let retryMs: number | undefined;
  const data: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'id') id = value;
    else if (name === 'event') type = value;
    else if (name === 'data') data.push(value);
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  }
  if (data.length === 0 && retryMs === undefined && id === undefined) return undefined;
  return { id, type, data: data.join('\n'), retryMs };
}
