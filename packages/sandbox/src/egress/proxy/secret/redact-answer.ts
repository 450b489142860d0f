/** An answer on its way back: decompressed, searched for values, and then given to the command. What cannot be read is not given to it. */
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, Transform } from 'node:stream';
import type { EgressClock } from '../../deadline.ts';
import { EgressRefusal } from '../../egress.ts';
import { decoderOf } from '../../read-body.ts';
import type { Headers } from '../egress-network.ts';
import { AnswerSearch } from './answer-search.ts';
import type { EgressSecrets } from './egress-secrets.ts';

/** Those whose beginning says nothing about how to read them. */
const READABLE: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'br', 'zstd']);
const LENGTHS: ReadonlySet<string> = new Set(['content-length', 'content-encoding', 'content-md5', 'digest', 'content-digest']);
const EMPTY_STATUS: ReadonlySet<number> = new Set([204, 304]);
const NOTHING = new Uint8Array(0);

/** Bodies up to this are looked through at once, and keep a length, if they are there this soon. */
const WHOLE_BYTES_MAX = 65_536;
const WHOLE_MS = 20;

type Redactors = Pick<EgressSecrets, 'redactor'>;

export type Redacted = { readonly headers: Headers; readonly body: Readable | Promise<Uint8Array | Readable> };

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
  {
    headers,
    method,
    host,
    clock,
  }: { readonly headers: Headers; readonly method: string; readonly host: string; readonly clock: EgressClock },
  secrets: Redactors,
): Redacted {
  const redactor = secrets.redactor();
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
  const kept = clean.filter(([name]) => !LENGTHS.has(name.toLowerCase()));
  const length = Number(incoming.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (decoder === undefined && length <= WHOLE_BYTES_MAX) return { headers: kept, body: readWhole(incoming, secrets, host, clock) };
  const stages = [incoming, ...(decoder === undefined ? [] : [decoder]), redactParts(secrets, host)];
  const body = pipeline(stages as readonly NodeJS.ReadWriteStream[], () => {}) as unknown as Readable; // Its error is that of the last stage.
  return { headers: kept, body };
}

/** One that is slow goes on in parts. Rejects when it breaks off. */
async function readWhole(incoming: IncomingMessage, secrets: Redactors, host: string, clock: EgressClock): Promise<Uint8Array | Readable> {
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<'whole' | 'slow'>();
  const collect = (chunk: Buffer): void => void chunks.push(chunk);
  const breakOff = (): void => reject(new Error('the answer broke off'));
  incoming.on('data', collect);
  incoming.once('end', () => resolve('whole'));
  incoming.once('error', reject);
  incoming.once('close', breakOff);
  const cancel = clock.after(WHOLE_MS, () => resolve('slow'));
  try {
    if ((await promise) === 'whole') return secrets.redactor().bytes(Buffer.concat(chunks));
  } finally {
    cancel();
    incoming.off('data', collect);
    incoming.off('close', breakOff);
  }
  incoming.pause();
  const parts = redactParts(secrets, host);
  for (const chunk of chunks) parts.write(chunk);
  pipeline([incoming, parts] as readonly NodeJS.ReadWriteStream[], () => {}); // Its error is that of the last stage.
  return parts;
}

function redactParts(secrets: Redactors, host: string): Transform {
  const parts = new AnswerSearch(secrets, host);
  let idle: NodeJS.Immediate | undefined;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let told: Uint8Array;
      try {
        told = parts.push(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      done(null, someOf(told));
      // Events come one by one, and whoever waits for one would have it with the next.
      idle ??= setImmediate(() => {
        idle = undefined;
        const some = someOf(parts.flush());
        if (some !== undefined) this.push(some);
      });
    },
    flush(done) {
      clearImmediate(idle);
      done(null, someOf(parts.end()));
    },
    destroy(error, done) {
      clearImmediate(idle);
      done(error);
    },
  });
}

function someOf(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.byteLength === 0 ? undefined : bytes;
}
