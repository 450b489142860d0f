/** An answer on its way back: decompressed, searched for values, and then given to the command. What cannot be read is not given to it. */
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { EgressRefusal } from '../../egress.ts';
import { decoderOf } from '../../read-body.ts';
import type { Headers } from '../egress-network.ts';
import type { AnswerRedactor } from './egress-secrets.ts';

/** Those whose beginning says nothing about how to read them. */
const READABLE: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'br', 'zstd']);
const LENGTHS: ReadonlySet<string> = new Set(['content-length', 'content-encoding', 'content-md5', 'digest', 'content-digest']);
const EMPTY_STATUS: ReadonlySet<number> = new Set([204, 304]);
const NOTHING = new Uint8Array(0);

export type Redacted = { readonly headers: Headers; readonly body: Readable };

/** What a client may ask for, as far as it can be read here. */
export function readableEncodings(headers: Headers): Headers {
  const asked = headers.filter(([name]) => name.toLowerCase() === 'accept-encoding').flatMap(([, value]) => value.split(','));
  const kept = asked.map((each) => each.trim()).filter((each) => READABLE.has((each.split(';', 1)[0] ?? '').trim().toLowerCase()));
  return [
    ...headers.filter(([name]) => name.toLowerCase() !== 'accept-encoding'),
    ['accept-encoding', kept.length === 0 ? 'identity' : kept.join(', ')],
  ];
}

/** Throws `EgressRefusal`. */
export function redactAnswer(
  incoming: IncomingMessage,
  { headers, method, host }: { readonly headers: Headers; readonly method: string; readonly host: string },
  redactor: AnswerRedactor,
): Redacted {
  const clean = headers.map(([name, value]) => [name, redactor.text(value)] as const);
  const isEmpty = method === 'HEAD' || EMPTY_STATUS.has(incoming.statusCode ?? 0);
  if (isEmpty) return { headers: clean, body: incoming };
  const encoding = (incoming.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decoder = READABLE.has(encoding) ? decoderOf(encoding, NOTHING) : undefined;
  if (decoder === undefined && encoding !== 'identity' && encoding !== '')
    throw new EgressRefusal(
      'protocol_error',
      host,
      `Cannot read the answer of ${host}: its content-encoding is ${JSON.stringify(encoding.slice(0, 40))}, so it cannot be searched for secrets`,
    );
  const stages = [incoming, ...(decoder === undefined ? [] : [decoder]), redactor.stream()] as const;
  const body = pipeline(stages as readonly NodeJS.ReadWriteStream[], () => {}) as unknown as Readable; // Its error is that of the last stage.
  return { headers: clean.filter(([name]) => !LENGTHS.has(name.toLowerCase())), body };
}
