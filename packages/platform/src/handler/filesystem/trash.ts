/**
 * The trash. What is deleted is moved to `.warren-trash/<owner>/<id>/item` at the top of the granted place it was in: the same mount, so moving is one atomic step and takes no
 * room. Beside it stands `about.json`, which says where it was and until when it is kept. All of it lies within the agent's reach, so what is read there is checked like any other argument.
 */
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles, absolutePath, contextOf, quoted } from '../internal/agent-files.ts';
import { sha256, textOf, timestamp } from '../internal/file-text.ts';
import { TRASH_NAME } from '../internal/file-tree.ts';
import { rename } from './rename.ts';
import { makeDirectory, requireParent } from './write.ts';

export const TRASH_LIMITS = { keptMs: 86_400_000, purgedMax: 100, aboutBytesMax: 16_384 } as const;
const ID = /^([0-9a-z]{9})-([0-9a-f]{16})-[0-9a-f]{12}$/;

export async function deleteToTrash(input: { readonly path: string }, context: HandlerContext, now: () => number): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'rw', { followsLast: false });
  return { output: await moveToTrash(files, path, ownerOf(context), now()) };
}

/** What went or became something else since it was looked at holds nothing; whatever is there then is moved or not found below. */
async function holdsSomething(files: AgentFiles, path: string): Promise<boolean> {
  try {
    return (await files.list(path)).length > 0;
  } catch (error) {
    if (error instanceof CapabilityError && ['DirectoryNotFound', 'NotADirectory'].includes(error.type)) return false;
    throw error;
  }
}

/** `path` is a real one that may be written. */
export async function moveToTrash(files: AgentFiles, path: string, owner: string, at: number): Promise<JsonObject> {
  const entry = await files.find(path);
  if (entry === undefined)
    throw new CapabilityError('FileNotFound', `Cannot delete ${quoted(path)}: it does not exist`, { context: contextOf(path) });
  if (entry.kind === 'directory' && (await holdsSomething(files, path))) {
    throw new CapabilityError('DirectoryNotEmpty', `Cannot delete ${quoted(path)}: it is not empty`, { context: contextOf(path) });
  }
  const trash = trashOf(files, path, owner);
  if (trash === undefined || path.split('/').includes(TRASH_NAME)) {
    throw new CapabilityError('InvalidInput', `Cannot delete ${quoted(path)}: it is the place that was granted, or in the trash`, {
      context: { field: 'path' },
    });
  }
  const keptUntil = at + TRASH_LIMITS.keptMs;
  const id = `${at.toString(36).padStart(9, '0')}-${hashOf(path)}-${randomBytes(6).toString('hex')}`;
  await makeOwn(files, trash);
  await purge(files, trash, at);
  const place = posix.join(trash, id);
  await makeDirectory(files, place, false);
  await files.write(posix.join(place, 'about.json'), JSON.stringify({ path, deletedAt: at, keptUntil }));
  try {
    await rename(files, path, posix.join(place, 'item'), false);
  } catch (error) {
    await files.sandbox.remove(place, { recursive: true }).catch(() => {}); // It is empty but for the note, and purged in time.
    throw error;
  }
  return { deleted_path: path, trash_path: place, recoverable_until: timestamp(keptUntil) };
}

type RestoreInput = { readonly path?: string; readonly trash_path?: string };

export async function restoreFromTrash(input: RestoreInput, context: HandlerContext, now: () => number): Promise<HandlerResult> {
  if ((input.path === undefined) === (input.trash_path === undefined)) {
    throw new CapabilityError('InvalidInput', 'Cannot restore: give either path or trash_path', { context: { field: 'path' } });
  }
  const files = await AgentFiles.open(context);
  const owner = ownerOf(context);
  const place =
    input.trash_path === undefined
      ? await findPlace(files, input.path ?? '', owner, now())
      : await checkPlace(files, input.trash_path, owner);
  const original = place === undefined ? undefined : await readAbout(files, place, now());
  if (place === undefined || original === undefined) {
    const path = input.path ?? input.trash_path ?? '';
    throw new CapabilityError('NotInTrash', `Cannot restore ${quoted(path)}: it is not in the trash`, { context: { path } });
  }
  const destination = await files.locate(original, 'rw', { followsLast: false });
  if ((await files.find(destination)) !== undefined) {
    throw new CapabilityError('DestinationExists', `Cannot restore ${quoted(destination)}: there is something`, {
      context: { path: destination, destination },
    });
  }
  await requireParent(files, destination);
  await rename(files, posix.join(place, 'item'), destination, false);
  await files.sandbox.remove(place, { recursive: true }).catch(() => {}); // Nothing but the note is left; the next purge takes it.
  return { output: { restored_path: destination, trash_path: place } };
}

export function ownerOf({ actor }: HandlerContext): string {
  return actor.agent === '' ? `pid-${actor.pid}` : `agent-${encodeURIComponent(actor.agent).slice(0, 200)}`;
}

function hashOf(path: string): string {
  return sha256(path).slice(0, 16);
}

/** At the top of the granted place that the path lies in; undefined when the path is that place. */
function trashOf(files: AgentFiles, path: string, owner: string): string | undefined {
  const prefix = files.writablePrefixes.find((candidate) => candidate === '/' || path.startsWith(`${candidate}/`));
  if (prefix === undefined) return undefined;
  const top = prefix === '/' ? `/${path.split('/')[1]}` : prefix;
  return top === path ? undefined : posix.join(top, TRASH_NAME, owner);
}

/** A link in the place of the trash would put what is deleted elsewhere. */
async function makeOwn(files: AgentFiles, trash: string): Promise<void> {
  await makeDirectory(files, trash, true);
  if ((await files.locate(trash, 'rw')) !== trash) {
    throw new CapabilityError('PathOutOfScope', `Cannot delete: ${quoted(trash)} is reached through a link`, { context: { path: trash } });
  }
}

async function purge(files: AgentFiles, trash: string, now: number): Promise<void> {
  const ids = await idsIn(files, trash);
  const old = ids.filter((id) => Number.parseInt(id.slice(0, 9), 36) + TRASH_LIMITS.keptMs < now);
  for (const id of old.slice(0, TRASH_LIMITS.purgedMax)) {
    await files.sandbox.remove(posix.join(trash, id), { recursive: true, signal: files.signal }).catch(() => files.signal.throwIfAborted()); // The next purge tries again.
  }
}

/** The newest first. */
async function idsIn(files: AgentFiles, trash: string): Promise<readonly string[]> {
  if ((await files.find(trash))?.kind !== 'directory') return [];
  const entries = await files.list(trash);
  const ids = entries.filter(({ name, kind }) => kind === 'directory' && ID.test(name)).map(({ name }) => name);
  return ids.toSorted().toReversed();
}

async function findPlace(files: AgentFiles, given: string, owner: string, now: number): Promise<string | undefined> {
  const path = await files.locate(given, 'rw', { followsLast: false });
  const trash = trashOf(files, path, owner);
  if (trash === undefined || (await files.locate(trash, 'rw')) !== trash) return undefined;
  for (const id of await idsIn(files, trash)) {
    if (ID.exec(id)?.[2] !== hashOf(path)) continue;
    const place = posix.join(trash, id);
    if ((await readAbout(files, place, now)) === path) return place;
  }
  return undefined;
}

async function checkPlace(files: AgentFiles, given: string, owner: string): Promise<string | undefined> {
  const place = absolutePath(given);
  const [id = '', name, trash] = place.split('/').toReversed();
  if (!ID.test(id) || name !== owner || trash !== TRASH_NAME) return undefined;
  return (await files.locate(place, 'rw')) === place ? place : undefined;
}

/** Where it was, if the item is there and still kept. */
async function readAbout(files: AgentFiles, place: string, now: number): Promise<string | undefined> {
  if ((await files.find(posix.join(place, 'item'))) === undefined) return undefined;
  const about = posix.join(place, 'about.json');
  if ((await files.find(about))?.kind !== 'file') return undefined;
  const text = textOf(await files.read(about, TRASH_LIMITS.aboutBytesMax));
  try {
    const { path, keptUntil } = JSON.parse(text ?? '') as { readonly path?: unknown; readonly keptUntil?: unknown }; // Checked below.
    return typeof path === 'string' && typeof keptUntil === 'number' && keptUntil > now ? path : undefined;
  } catch {
    return undefined; // Whoever wrote it, it is no note of ours.
  }
}
