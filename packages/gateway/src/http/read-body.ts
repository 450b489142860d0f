/** Reads the body of a request within its bounds. What is too large is refused as soon as that is known, and what follows is thrown away unread. */
import type { IncomingMessage } from 'node:http';
import { Fault } from '@warren/protocol';
import type { Hold } from './hold.ts';

export type BodyRead =
  | { readonly kind: 'read'; readonly body: Uint8Array }
  | { readonly kind: 'refused'; readonly fault: Fault }
  /** The client went away before all of it came. */
  | { readonly kind: 'gone' };

export function declaredLength({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}

export function readBody(request: IncomingMessage, bytesMax: number, hold: Hold): Promise<BodyRead> {
  if (declaredLength(request) > bytesMax) return Promise.resolve(refused(tooLarge(bytesMax)));
  if (request.destroyed) return Promise.resolve({ kind: 'gone' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (read: BodyRead): void => {
      request.off('data', take).off('end', end).off('close', gone);
      // Only what was refused has more to come: it flows on to nobody.
      if (read.kind === 'refused') request.resume();
      resolve(read);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > bytesMax) finish(refused(tooLarge(bytesMax)));
      else if (!hold.add(chunk.length)) finish(refused(noRoom()));
      else chunks.push(chunk);
    };
    const end = (): void =>
      finish({ kind: 'read', body: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks) });
    const gone = (): void => finish({ kind: 'gone' });
    request.on('data', take).on('end', end).on('close', gone);
    // Whatever broke, 'close' follows.
    request.on('error', () => {});
  });
}

function refused(fault: Fault): BodyRead {
  return { kind: 'refused', fault };
}

function tooLarge(bytesMax: number): Fault {
  return new Fault('too_large', `Cannot read the request: it is larger than ${bytesMax} bytes`, { details: { limit: bytesMax } });
}

export function noRoom(): Fault {
  return new Fault('busy', 'Cannot read the request: too many large ones are under way');
}
