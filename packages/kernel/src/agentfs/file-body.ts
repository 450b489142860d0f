/** Bodies as they are read: in one piece, or in chunks. */
import { Fault } from '@warren/protocol';
import type { WorkspaceStore } from '../store/store.ts';
import { CHUNK_BYTES } from '../store/tables/file-table.ts';

/** Of a body that is handed over, or asked for, in one piece. */
const WHOLE_BYTES_MAX = 16_777_216;

/** Throws `too_large`. */
export function checkWhole(action: string, path: string, size: number): void {
  if (size <= WHOLE_BYTES_MAX) return;
  throw new Fault('too_large', `Cannot ${action} ${path} in one piece: it has ${size} bytes, the limit is ${WHOLE_BYTES_MAX}`, {
    details: { path, size, limit: WHOLE_BYTES_MAX },
  });
}

/** What is let go of in the end; disposing twice does no harm. */
type Content = AsyncDisposable & { readonly content: AsyncIterable<Uint8Array> };

export function smallContent(data: Uint8Array): Content {
  return {
    content: (async function* () {
      if (data.length > 0) yield data;
    })(),
    async [Symbol.asyncDispose]() {},
  };
}

/** The body must be held. Lets go of it, once, when everything was read, the loop was left, or it is disposed of. */
export function largeContent(
  store: WorkspaceStore,
  { body, size }: { readonly body: number; readonly size: number },
  letGo: () => void,
): Content {
  let isOpen = true;
  const close = (): void => {
    if (isOpen) letGo();
    isOpen = false;
  };
  async function* read(): AsyncGenerator<Uint8Array, void> {
    try {
      for (let seq = 0; seq * CHUNK_BYTES < size; seq++) {
        if (!isOpen) throw new Fault('aborted', 'Cannot read more of the body: it was let go of');
        yield await readChunk(store, body, seq);
      }
    } finally {
      close();
    }
  }
  return {
    content: read(),
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}

async function readChunk(store: WorkspaceStore, body: number, seq: number): Promise<Uint8Array> {
  const chunk = await store.read(({ files }) => files.readChunk(body, seq));
  if (chunk === undefined) throw new Fault('store_failed', `Cannot read body ${body}: chunk ${seq} is missing`);
  return chunk;
}
