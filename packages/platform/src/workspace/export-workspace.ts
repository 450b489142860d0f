/**
 * A workspace as one stream of records, for a sealed file: rows, memories, files with modes and links, sessions, policies and secrets. A record is its length, its kind and its content. The last says how many there were, so that
 * a file that ends early is known for what it is. Tokens and people stay, since they let somebody in here. Secrets are opened and go in as they are, with nothing of the keys they are sealed under here: what seals the file seals them, and
 * they come first, so that a vault that is locked is known before anything is made.
 */
import type { Dirent } from 'node:fs';
import { constants, lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kernel, RowBatch } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { MemoryEntry } from '../memory/memory.ts';
import type { Memories } from '../memory/open-memories.ts';
import type { Secrets } from '../vault/secrets.ts';
import { encodeSecret } from './secret-record.ts';
import { type Area, areasOf, type EntryRecord, FORMAT, KIND, PIECE_BYTES_MAX } from './workspace-records.ts';

export type ExportOptions = {
  /** Without it they stay here. */
  readonly withSecrets: boolean;
};

export type ExportParts = {
  readonly kernel: Kernel;
  readonly memories: Pick<Memories, 'use'>;
  readonly secrets: (id: WorkspaceId) => Pick<Secrets, 'copies' | 'list'>;
  readonly directory: string;
  readonly now: () => number;
};

const MEMORIES_AT_ONCE = 100;

/** Rows are as at one moment; files as they are when they are read. Pieces are wiped when the next is asked for. Faults: `not_found`, and with secrets `vault_locked` and `store_failed` (one is damaged). */
export async function* exportWorkspace(
  { kernel, memories, secrets, directory, now }: ExportParts,
  id: WorkspaceId,
  { withSecrets }: ExportOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const { settings } = await kernel.workspaces.get(id);
  let count = 0;
  const record = (kind: number, content: unknown): Buffer => {
    count++;
    const payload = content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(JSON.stringify(content));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(payload.length, 0);
    head.writeUInt8(kind, 4);
    return Buffer.concat([head, payload]);
  };
  const hasSecrets = withSecrets && (await secrets(id).list({ limit: 1 })).length > 0;
  yield record(KIND.head, {
    ...{ format: FORMAT, workspace: id, schema: kernel.store.schemaVersion, settings, exportedAt: now() },
    ...(hasSecrets && { secrets: true }),
  });
  if (hasSecrets) {
    for await (const copy of secrets(id).copies()) {
      signal.throwIfAborted();
      const content = encodeSecret(copy);
      const piece = record(KIND.secret, content);
      content.fill(0);
      try {
        yield piece;
      } finally {
        piece.fill(0);
      }
    }
  }
  for await (const batch of kernel.store.exportRows(id, signal)) yield record(KIND.rows, { ...batch, rows: batch.rows.map(toJson) });
  for (let before: string | undefined; ; ) {
    signal.throwIfAborted();
    const page = await memoriesBefore(memories, directory, id, before);
    if (page.length === 0) break;
    yield record(KIND.memories, page.map(toMemory));
    before = page.at(-1)?.id;
  }
  for (const [area, root] of areasOf(directory, id)) {
    for await (const entry of walk(root, area, '')) {
      signal.throwIfAborted();
      yield record(KIND.entry, entry);
      if (entry.kind === 'file') for await (const piece of piecesOf(join(root, entry.path))) yield record(KIND.piece, piece);
    }
  }
  yield record(KIND.end, { records: count });
}

/** One that nothing was ever kept in is not made by being exported. */
async function memoriesBefore(
  memories: ExportParts['memories'],
  directory: string,
  id: WorkspaceId,
  before: string | undefined,
): Promise<readonly MemoryEntry[]> {
  if ((await lstat(join(directory, 'workspaces', id, 'memory.db')).catch(() => undefined)) === undefined) return [];
  return await memories.use(id, (memory) => memory.list({ limit: MEMORIES_AT_ONCE, before }));
}

function toMemory({ id: _, updatedAt: __, ...entry }: MemoryEntry): object {
  return entry;
}

function toJson(row: RowBatch['rows'][number]): readonly unknown[] {
  return row.map((value) => (value instanceof Uint8Array ? { b: Buffer.from(value).toString('base64') } : value));
}

/** Directories before what is in them. What is neither file, directory nor link (sockets, devices) is left out. */
async function* walk(root: string, area: Area, path: string): AsyncGenerator<EntryRecord, void> {
  for (const entry of await entriesIn(join(root, path))) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`;
    const about = await lstat(join(root, inner)).catch(() => undefined);
    if (about === undefined) continue; // It went meanwhile.
    const mode = about.mode & 0o777;
    if (about.isSymbolicLink()) yield { area, path: inner, kind: 'link', mode, target: await readlink(join(root, inner)) };
    else if (about.isFile()) yield { area, path: inner, kind: 'file', mode };
    else if (about.isDirectory()) {
      yield { area, path: inner, kind: 'directory', mode };
      yield* walk(root, area, inner);
    }
  }
}

async function entriesIn(folder: string): Promise<readonly Dirent[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // What readdir throws has one.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new Fault('store_failed', `Cannot export the workspace: ${folder} cannot be read`, { cause: error });
  }
}

async function* piecesOf(path: string): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const buffer = Buffer.alloc(PIECE_BYTES_MAX);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return;
    yield Uint8Array.prototype.slice.call(buffer, 0, bytesRead);
  }
}
