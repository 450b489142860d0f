/** Text and bytes of files. */
import { createHash } from 'node:crypto';
import { CapabilityError } from '../../capability/handler.ts';
import { contextOf, quoted } from './agent-files.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BINARY_LOOK_BYTES = 8_192;

/** Undefined when the bytes are not UTF-8. A byte order mark is part of the text. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // That is the answer.
  }
}

/** Throws `EncodingError`. */
export function textOrError(bytes: Uint8Array, path: string): string {
  const text = textOf(bytes);
  if (text === undefined)
    throw new CapabilityError('EncodingError', `Cannot read ${quoted(path)} as text: it is not UTF-8`, { context: contextOf(path) });
  return text;
}

/** As grep and git see it: a NUL near the beginning, or no text at all. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, BINARY_LOOK_BYTES).includes(0) || textOf(bytes) === undefined;
}

/** Bytes of an argument. Throws `EncodingError`. */
export function bytesOf(content: string, encoding: 'utf-8' | 'binary'): Buffer {
  if (encoding === 'utf-8') {
    if (!content.isWellFormed()) throw new CapabilityError('EncodingError', 'Cannot write the content: it holds half a character');
    return Buffer.from(content);
  }
  // Buffer.from skips what is not base64, which would write something nobody sent.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(content) || content.length % 4 !== 0) {
    throw new CapabilityError('EncodingError', 'Cannot write the content: it is not base64');
  }
  return Buffer.from(content, 'base64');
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
