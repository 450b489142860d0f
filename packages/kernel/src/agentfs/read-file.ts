/** Reading: a small body comes with its name from one moment, a large one is held and read in chunks. */
import { Fault } from '@warren/protocol';
import type { ReadTransaction } from '../store/store.ts';
import { CHUNK_BYTES } from '../store/tables/file-table.ts';
import { checkWhole, largeContent, smallContent } from './file-body.ts';
import { requireFile, requireVersion } from './file-changes.ts';
import type { FileContext } from './file-context.ts';
import { toPastStat, toStat } from './file-stat.ts';
import type { FileBody, FileStat } from './files.ts';

/** How often a body may go away between finding and holding it. */
const ATTEMPTS_MAX = 10;

export async function readFile(
  context: FileContext,
  path: string,
  version: number | undefined,
): Promise<{ readonly stat: FileStat; readonly content: Uint8Array }> {
  const found = await context.store.read((transaction) => find(transaction, path, version));
  const { stat, small } = found;
  checkWhole('read', path, stat.size);
  if (small === undefined) return await readWhole(context, path, version);
  note(context, found);
  return { stat, content: small };
}

async function readWhole(context: FileContext, path: string, version: number | undefined) {
  await using body = await openFile(context, path, version);
  const { stat } = body;
  checkWhole('read', path, stat.size); // It may have grown meanwhile.
  const content = new Uint8Array(stat.size);
  let filled = 0;
  for await (const piece of body.content) {
    content.set(piece, filled);
    filled += piece.length;
  }
  return { stat, content };
}

/** A body that is held is looked at once more: one that lost its last name before that may be gone, and there is a newer one. */
export async function openFile(context: FileContext, path: string, version: number | undefined): Promise<FileBody> {
  const { store, open, sweeper } = context;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const found = await store.read((transaction) => find(transaction, path, version));
    const { stat, small, body } = found;
    if (small !== undefined) {
      note(context, found);
      return { stat, ...smallContent(small) };
    }
    const hold = open.read(body);
    if (await store.read(({ files }) => files.isNamed(body))) {
      note(context, found);
      const letGo = (): void => {
        hold[Symbol.dispose]();
        sweeper.wake(); // It may have lost its last name while it was read.
      };
      return { stat, ...largeContent(store, { body, size: stat.size }, letGo) };
    }
    hold[Symbol.dispose]();
  }
  throw new Fault('busy', `Cannot open ${path}: it changes faster than it can be opened`, { details: { path } });
}

type Found = {
  readonly stat: FileStat;
  readonly body: number;
  /** Undefined: it is a large body. */
  readonly small: Uint8Array | undefined;
  readonly isCurrent: boolean;
  readonly now: number;
};

function find(transaction: ReadTransaction, path: string, version: number | undefined): Found {
  const { files, now } = transaction;
  const current = version === undefined ? requireFile(transaction, path) : files.find(path);
  const isCurrent = current !== undefined && (version === undefined || version === current.version);
  if (isCurrent) return { stat: toStat(current), body: current.body, small: readSmall(transaction, current), isCurrent, now };
  const past = requireVersion(transaction, path, Number(version)); // Of no version there is the current one only.
  return { stat: toPastStat(past), body: past.content.body, small: readSmall(transaction, past.content), isCurrent, now };
}

function readSmall({ files }: ReadTransaction, { body, size }: { readonly body: number; readonly size: number }): Uint8Array | undefined {
  if (size > CHUNK_BYTES) return undefined;
  const data = files.readSmall(body);
  if (data?.length !== size) throw new Fault('store_failed', `Cannot read body ${body}: it is not complete`);
  return data;
}

function note({ access }: FileContext, { stat, isCurrent, now }: Found): void {
  if (isCurrent) access.note(stat, now);
}
