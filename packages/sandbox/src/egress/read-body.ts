/** The body of an answer as it was before it was compressed, bounded before and after. */
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  type Gunzip,
} from 'node:zlib';
import { EgressRefusal } from './egress.ts';
import { asRefusal, refuse } from './exchange.ts';
import type { Target } from './read-target.ts';

export type BodyReading = {
  readonly target: Target;
  /** On the wire, and again after decompression. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
  /** What went over the connection so far. */
  readonly bytes: () => number;
  /** Called once, however the reading ends. */
  readonly close: () => void;
};

/** Larger windows are for archives; a decoder would reserve them because the sender says so. */
const ZSTD_WINDOW_LOG_MAX = 23;

export async function* readBody(incoming: IncomingMessage, isEmpty: boolean, reading: BodyReading): AsyncGenerator<Uint8Array, void> {
  const { target, signal, close } = reading;
  try {
    signal.throwIfAborted();
    const wire = bounded(incoming, reading);
    const encoding = isEmpty ? '' : (incoming.headers['content-encoding'] ?? '').trim().toLowerCase();
    yield* encoding === '' || encoding === 'identity' ? wire : bounded(decode(wire, encoding, target), reading);
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : asRefusal(error, target);
    if (reason instanceof EgressRefusal) reason.bytes = reading.bytes();
    throw reason;
  } finally {
    close();
  }
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, { target, bytesMax }: BodyReading): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw refuse('too_large', target, `its body has more than ${bytesMax} bytes`);
    yield chunk;
  }
}

async function* decode(wire: AsyncGenerator<Uint8Array, void>, encoding: string, target: Target): AsyncGenerator<Uint8Array, void> {
  const first = await wire.next();
  if (first.done === true) return; // Nothing is a valid encoding of nothing.
  const decoder = decoderOf(encoding, first.value);
  if (decoder === undefined) throw refuse('protocol_error', target, `its content-encoding is ${JSON.stringify(encoding.slice(0, 40))}`);
  const whole = (async function* () {
    yield first.value;
    yield* wire;
  })();
  // What fails in one of them is thrown by the other's iteration.
  yield* pipeline(whole, decoder, () => {}) as AsyncIterable<Uint8Array>;
}

/** Undefined for an encoding that is none of these. `first`: what comes first. */
export function decoderOf(encoding: string, first: Uint8Array): Gunzip | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      // The name stands for zlib; some servers send the bare stream.
      return ((first[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } });
    default:
      return undefined;
  }
}
