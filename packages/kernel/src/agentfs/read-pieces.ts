import { Fault } from '@warren/protocol';

/** The pieces of a source, each checked. The source is told when they are no longer wanted, and not waited for. Throws `aborted`. */
export async function* readPieces(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
  const iterator = source[Symbol.asyncIterator]();
  let isEnded = false;
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), signal);
      if (next.done === true) {
        isEnded = true;
        return;
      }
      if (!(next.value instanceof Uint8Array)) {
        throw new Fault('invalid_payload', 'Cannot use content: a piece of it is not bytes', { details: { field: 'content' } });
      }
      yield next.value;
    }
  } finally {
    if (!isEnded) tellEnd(iterator);
  }
}

export function gaveUp(signal: AbortSignal): Fault {
  return new Fault('aborted', 'Cannot write: the caller gave up', { cause: signal.reason });
}

function tellEnd(iterator: AsyncIterator<unknown>): void {
  Promise.resolve(iterator.return?.()).catch(() => {}); // The write has its own error already.
}

async function unlessAborted<T>(arriving: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await arriving;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(gaveUp(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([arriving, aborted]);
  } catch (error) {
    arriving.catch(() => {}); // It may fail later, when nobody listens any more.
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
