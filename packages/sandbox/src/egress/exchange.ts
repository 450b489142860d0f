/** One request and the head of its answer over a connection that is used for nothing else. Node's parser is strict here: what it cannot read for sure ends it. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { untilDone } from './deadline.ts';
import { EgressRefusal } from './egress.ts';
import type { Hop } from './read-request.ts';
import type { Target } from './read-target.ts';

const HEAD_BYTES_MAX = 64 * 1024;
/** Answers before the answer: 100, 102, 103. */
const INTERIM_MAX = 16;
const HAS_LENGTH_ALWAYS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const DEFAULT_HEADERS = [
  ['accept', '*/*'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['user-agent', 'warren'],
] as const;

/** `streamBytesMax` bounds all that is read, framing included. Throws `EgressRefusal`, or the signal's reason. */
export async function exchange(socket: Socket, hop: Hop, streamBytesMax: number, signal: AbortSignal): Promise<IncomingMessage> {
  const { target, method, body } = hop;
  const request = httpRequest({
    createConnection: () => socket,
    method,
    path: target.path,
    headers: headersOf(hop).flat(),
    setHost: false,
    maxHeaderSize: HEAD_BYTES_MAX,
    insecureHTTPParser: false,
  });
  request.maxHeadersCount = 0; // Their bytes are bounded; past a count they would be dropped without a word.
  request.on('error', () => {}); // Also when it comes after the answer: then the body tells.
  try {
    return await untilDone<IncomingMessage>(
      signal,
      (done, fail) => {
        let interim = 0;
        request.once('response', done);
        request.once('error', fail);
        request.once('close', () => fail(new Error('the connection ended')));
        request.once('upgrade', () => fail(refuse('protocol_error', target, 'the server changed the protocol')));
        request.on('information', () => {
          interim += 1;
          if (interim > INTERIM_MAX)
            fail(refuse('protocol_error', target, `the server sent more than ${INTERIM_MAX} answers before the answer`));
        });
        request.once('socket', () => boundStream(socket, target, streamBytesMax));
        request.end(body);
      },
      () => socket.destroy(),
    );
  } catch (error) {
    throw signal.aborted ? signal.reason : asRefusal(error, target);
  }
}

/** What broke while an answer was read. */
export function asRefusal(error: unknown, target: Target): EgressRefusal {
  if (error instanceof EgressRefusal) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'the connection ended';
  if (code === 'HPE_HEADER_OVERFLOW') return refuse('too_large', target, `the headers have more than ${HEAD_BYTES_MAX} bytes`, error);
  return refuse('protocol_error', target, `the answer broke off or is malformed (${code})`, error);
}

export function refuse(reason: EgressRefusal['reason'], { host }: Target, why: string, cause?: unknown): EgressRefusal {
  return new EgressRefusal(reason, host, `Cannot read the answer of ${host}: ${why}`, cause === undefined ? undefined : { cause });
}

/** Bytes that become neither head nor body (chunk framing, trailers) are bounded too. */
function boundStream(socket: Socket, target: Target, bytesMax: number): void {
  let bytes = 0;
  socket.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) socket.destroy(refuse('too_large', target, `it has more than ${bytesMax} bytes`));
  });
}

function headersOf({ target, method, headers, body }: Hop): readonly (readonly [string, string])[] {
  const hasLength = body !== undefined || HAS_LENGTH_ALWAYS.has(method);
  return [
    ['host', hostHeader(target)],
    ...DEFAULT_HEADERS.filter(([name]) => !headers.has(name)),
    ...headers,
    ...(hasLength ? [['content-length', String(body?.byteLength ?? 0)] as const] : []),
    ['connection', 'close'],
  ];
}

function hostHeader({ scheme, host, port }: Target): string {
  return port === (scheme === 'https' ? 443 : 80) ? host : `${host}:${port}`;
}
