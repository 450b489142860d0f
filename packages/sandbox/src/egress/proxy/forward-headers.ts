/** Which headers go on to the other side: those about the message, not those about one connection. */
import { EgressRefusal } from '../egress.ts';
import type { Headers } from './egress-network.ts';

const OF_ONE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Would change what is asked for, or where it ends. */
const NOT_NOMINATED = ['host', 'content-length', 'transfer-encoding'];

/** `raw` as Node hands it out: names and values in turn. Throws `EgressRefusal` for a connection header that takes framing away. */
export function forwardHeaders(raw: readonly string[], host: string): Headers {
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) pairs.push([raw[index] ?? '', raw[index + 1] ?? '']);
  const nominated = new Set(
    pairs
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) =>
        value
          .toLowerCase()
          .split(',')
          .map((each) => each.trim()),
      ),
  );
  const taken = NOT_NOMINATED.find((name) => nominated.has(name));
  if (taken !== undefined)
    throw new EgressRefusal('invalid_request', host, `Cannot send this message on: its Connection header names ${taken}`);
  return pairs.filter(([name]) => !OF_ONE_CONNECTION.has(name.toLowerCase()) && !nominated.has(name.toLowerCase()));
}

/** How the body is framed towards the host; Node's parser has refused what says it twice. Throws `EgressRefusal` for codings but `chunked`. */
export function framingOf(method: string, httpVersion: string, raw: readonly string[], host: string): Headers {
  const valuesOf = (wanted: string): readonly string[] =>
    raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === wanted);
  const codings = valuesOf('transfer-encoding');
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked' || httpVersion !== '1.1')
      throw new EgressRefusal('invalid_request', host, `Cannot send this request to ${host}: its transfer coding is not "chunked"`);
    return [['transfer-encoding', 'chunked']];
  }
  // A length of its own is among the headers that go on.
  return valuesOf('content-length').length === 0 && HAS_LENGTH_ALWAYS.has(method) ? [['content-length', '0']] : [];
}

const HAS_LENGTH_ALWAYS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
