/** Writing: a small body goes with its name in one transaction, a large one before it. */
import { hash } from 'node:crypto';
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { checkPayload } from '../internal/payload.ts';
import type { ReadTransaction } from '../store/store.ts';
import { CHUNK_BYTES, FILE_MODES, type FileMode, type FileRow } from '../store/tables/file-table.ts';
import { checkWhole } from './file-body.ts';
import { type Content, checkWorkspaceBytes, type WriteRequest } from './file-changes.ts';
import { type FileContext, settle } from './file-context.ts';
import { checkPath } from './file-path.ts';
import type { WriteFile } from './files.ts';
import { gaveUp, readPieces } from './read-pieces.ts';
import { Upload } from './upload.ts';

const METADATA_BYTES_MAX = 65_536;

export async function writeFile(
  context: FileContext,
  pid: number,
  file: WriteFile,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<FileRow> {
  const request = checkRequest(pid, file);
  checkContent(request.path, content);
  if (signal?.aborted === true) throw gaveUp(signal);
  if (!(content instanceof Uint8Array)) return await writeStream(context, request, content, signal);
  if (content.length > CHUNK_BYTES) return await writeStream(context, request, cut(content), signal, content.length);
  const data = new Uint8Array(content); // The caller may use its buffer again before this is on disk.
  return await link(context, request, { kind: 'small', size: data.length, hash: hash('sha256', data), data });
}

function checkRequest(pid: number, { path, mode = 'rw', metadata, ifAbsent = false, expectedVersion }: WriteFile): WriteRequest {
  return { pid, path: checkPath(path), mode: checkMode(mode), metadata: checkMetadata(metadata), ifAbsent, expectedVersion };
}

export function checkMode(mode: FileMode): FileMode {
  if (FILE_MODES.includes(mode)) return mode;
  throw new Fault('invalid_payload', `Cannot use mode: it is none of ${FILE_MODES.join(', ')}`, { details: { field: 'mode' } });
}

function checkMetadata(metadata: JsonObject | undefined): JsonObject {
  if (metadata === undefined) return {};
  const checked = checkPayload(metadata, 'metadata', 'invalid_payload');
  const bytes = Buffer.byteLength(JSON.stringify(checked));
  if (bytes <= METADATA_BYTES_MAX) return checked;
  throw new Fault('too_large', `Cannot use metadata: it has ${bytes} bytes, the limit is ${METADATA_BYTES_MAX}`, {
    details: { field: 'metadata' },
  });
}

function checkContent(path: string, content: unknown): void {
  if (content instanceof Uint8Array) {
    checkWhole('write', path, content.length);
  } else if (typeof content !== 'object' || content === null || !(Symbol.asyncIterator in content)) {
    throw new Fault('invalid_payload', `Cannot write ${path}: its content is neither bytes nor a stream`, {
      details: { field: 'content' },
    });
  }
}

async function* cut(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let offset = 0; offset < content.length; offset += CHUNK_BYTES) yield content.subarray(offset, offset + CHUNK_BYTES);
}

/** What would be refused in the end is refused before anything is read, and again before anything is written. */
async function writeStream(
  context: FileContext,
  request: WriteRequest,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  bytesKnown = 0,
): Promise<FileRow> {
  const { store, open, faults, changes, sweeper } = context;
  const { bytesMax } = await context.limits();
  await store.read((transaction) => changes.admit(transaction, request, bytesKnown));
  const admit = (transaction: ReadTransaction, bytes: number, uncountedBytes: number): void => {
    changes.admit(transaction, request, Math.max(bytes, bytesKnown));
    checkWorkspaceBytes(transaction, request.pid, uncountedBytes, bytesMax);
  };
  try {
    using upload = new Upload({ store, open, faults, admit });
    return await link(context, request, await upload.collect(readPieces(source, signal)));
  } finally {
    sweeper.wake(); // It failed, or the workspace had this body already.
  }
}

async function link(context: FileContext, request: WriteRequest, content: Content): Promise<FileRow> {
  const limits = await context.limits();
  return settle(context, await context.store.write((transaction) => context.changes.write(transaction, request, content, limits)));
}
