/**
 * The body of a request. Forms and JSON up to a size are read whole, so that placeholders in their fields become values; anything else goes on as it comes, and a
 * placeholder in it ends the request.
 */
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import type { Headers } from '../egress-network.ts';
import { guardBody } from './guard-body.ts';
import type { SecretSwap } from './secret-swap.ts';
import { swapFields } from './swap-head.ts';
import { swapJson } from './swap-json.ts';

export type Body = { readonly kind: 'whole'; readonly bytes: Buffer } | { readonly kind: 'stream'; readonly stream: Readable };

/** With all connections of a sandbox: 64 MiB. */
export const SWAPPED_BYTES_MAX = 262_144;

type Format = 'form' | 'json';

/** `headers` with their framing. Throws `RequestDenied`; a stream ends with one. */
export async function swapBody(request: IncomingMessage, headers: Headers, swap: SecretSwap): Promise<Body | undefined> {
  const length = Number(headerIn(headers, 'content-length') ?? '0');
  const isChunked = headerIn(headers, 'transfer-encoding') !== undefined;
  if (!isChunked && length === 0) return undefined;
  // What is compressed is not read: in it a placeholder stays what it is, a word that means nothing.
  const isPlain = (headerIn(headers, 'content-encoding')?.toLowerCase() ?? 'identity') === 'identity';
  if (!isPlain) return { kind: 'stream', stream: request };
  const format = formatOf(headerIn(headers, 'content-type'));
  if (format === undefined)
    return guarded(request, [], () => swap.misplaced('its body is neither JSON nor a form, and a placeholder stands in it'));
  const tooLarge = (): Error =>
    swap.misplaced(`a placeholder stands in a body of more than ${SWAPPED_BYTES_MAX} bytes; put it into a header, or send less at once`);
  if (length > SWAPPED_BYTES_MAX) return guarded(request, [], tooLarge);
  const { chunks, isWhole } = await readSome(request);
  if (!isWhole) return guarded(request, chunks, tooLarge);
  const text = Buffer.concat(chunks).toString('latin1');
  const swapped = format === 'json' ? await swapJson(text, swap) : await swapFields(text, 'body', swap);
  return { kind: 'whole', bytes: Buffer.from(swapped, 'latin1') };
}

function formatOf(type: string | undefined): Format | undefined {
  const [essence = ''] = (type ?? '').toLowerCase().split(';', 1);
  if (essence.trim() === 'application/x-www-form-urlencoded') return 'form';
  return /^application\/(?:[a-z0-9.-]+\+)?json$/.test(essence.trim()) ? 'json' : undefined;
}

async function readSome(request: IncomingMessage): Promise<{ readonly chunks: readonly Buffer[]; readonly isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer); // No encoding is set.
    bytes += (chunk as Buffer).length;
    if (bytes > SWAPPED_BYTES_MAX) return { chunks, isWhole: false };
  }
  return { chunks, isWhole: true };
}

function guarded(request: IncomingMessage, read: readonly Buffer[], refuse: () => Error): Body {
  const before = new PassThrough();
  const guard = guardBody(refuse);
  for (const chunk of read) before.write(chunk);
  request.on('error', (error) => guard.destroy(error)); // The client broke off.
  request.pipe(before).pipe(guard);
  return { kind: 'stream', stream: guard };
}

function headerIn(headers: Headers, wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
