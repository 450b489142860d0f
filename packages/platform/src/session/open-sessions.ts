/** The sessions of one workspace: a folder with a transcript for each. Whoever opens them owns the folder; no other process writes to it. */
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { diskFault } from '../internal/disk-fault.ts';
import { exportPiece } from './export-session.ts';
import { FileSession, SESSION_BYTES_MAX, type SessionParts } from './open-session.ts';
import type { Session, SessionInfo, SessionMatch, Sessions } from './sessions.ts';
import { textOf } from './text-of.ts';
import { readTranscript, type Transcript, type TranscriptHeader, writeEntry, writeHeader } from './transcript.ts';

export type SessionsParts = Pick<SessionParts, 'newId' | 'now' | 'requireRoom' | 'bytesMax'> & { readonly folder: string };

type KnownFile = { readonly id: string; readonly updatedAt: number; readonly bytes: number };

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const SUFFIX = '.jsonl';
const LIST_DEFAULT = 100;
const LIST_MAX = 1_000;
const MATCHES_DEFAULT = 20;
const MATCHES_MAX = 1_000;
const WORDS_MAX = 16;
const SNIPPET_CHARACTERS = 300;
/** Of a document that is made whole. */
const EXPORT_CHARACTERS_MAX = 67_108_864;
/** Open at once; the one that was asked for the longest ago is closed for another. */
const OPEN_MAX = 256;
const NO_MATTER_OF_THE_FILE: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

export function openSessions({ folder, newId, now, requireRoom, bytesMax = SESSION_BYTES_MAX }: SessionsParts): Sessions & AsyncDisposable {
  const known = new Map<string, Promise<FileSession>>();
  /** What lists have read of files that have not changed since. */
  const read = new Map<string, SessionInfo>();

  const fileOf = (id: string): string => {
    if (typeof id === 'string' && ID.test(id)) return join(folder, `${id}${SUFFIX}`);
    throw new Fault(
      'invalid_argument',
      `Cannot use ${JSON.stringify(String(id).slice(0, 80))} as the id of a session: it is not 1 to 128 of letters, digits and _ . -, beginning with a letter or digit`,
      { details: { field: 'id' } },
    );
  };
  const openFile = async (id: string): Promise<FileSession> => {
    const file = await openExisting(fileOf(id), id);
    try {
      const { size } = await file.stat();
      if (size > bytesMax)
        throw new Fault('store_failed', `Cannot open session ${id}: its file has ${size} bytes, the limit is ${bytesMax}`);
      const transcript = await readTranscript(await file.readFile());
      if (transcript === undefined || transcript.header.id !== id)
        throw new Fault('store_failed', `Cannot open session ${id}: its file is no transcript of it`);
      await file.truncate(transcript.bytes);
      return new FileSession({ file, transcript, newId, now, requireRoom, bytesMax });
    } catch (error) {
      await file.close();
      throw error;
    }
  };
  const remember = (id: string, opening: Promise<FileSession>): Promise<FileSession> => {
    known.set(id, opening);
    opening.catch(() => known.delete(id)); // The caller hears of it.
    if (known.size > OPEN_MAX) {
      const [[oldest, session] = []] = known;
      if (oldest !== undefined) known.delete(oldest);
      void session?.then((opened) => opened[Symbol.asyncDispose]()).catch(() => {}); // As above.
    }
    return opening;
  };
  const openKnown = (id: string): Promise<FileSession> => {
    const found = known.get(id);
    if (found === undefined) return remember(id, openFile(id));
    known.delete(id);
    known.set(id, found); // The youngest again.
    return found;
  };
  const createWith = async (header: TranscriptHeader, entries: readonly Parameters<typeof writeEntry>[0][]): Promise<Session> => {
    const path = fileOf(header.id);
    const content = Buffer.concat([writeHeader(header), ...entries.map(writeEntry)]);
    if (content.byteLength > bytesMax)
      throw new Fault('too_large', `Cannot create session ${header.id}: it would have more than ${bytesMax} bytes`);
    await requireRoom?.(content.byteLength);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
      try {
        await file.writeFile(content);
        await file.datasync();
      } catch (error) {
        await rm(path, { force: true }); // Half a session is none.
        throw error;
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskFault(error, `create session ${header.id}`); // What open throws has a code.
      throw new Fault('already_exists', `Cannot create session ${header.id}: there is one of this id`, {
        cause: error,
        details: { session: header.id },
      });
    }
    return await openKnown(header.id);
  };
  const files = async (): Promise<readonly KnownFile[]> => {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const found = await Promise.all(
      names.flatMap((name) => {
        const id = name.slice(0, -SUFFIX.length);
        return name.endsWith(SUFFIX) && ID.test(id) ? [lstat(join(folder, name)).then((info) => knownFile(id, info), ifGone)] : [];
      }),
    );
    return found.filter((each) => each !== undefined).sort((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? -1 : 1));
  };

  return {
    create: (id, { agent, title } = {}) =>
      createWith(
        { type: 'session', format: 1, id, created_at: now(), agent },
        title === undefined ? [] : [{ type: 'title', title, id: newId(), parent: undefined, at: now() }],
      ),

    open: openKnown,

    async fork(id, entry, newSessionId) {
      const path = (await openKnown(id)).entries();
      const byId = new Map(path.map((each) => [each.id, each]));
      const kept = [];
      for (let at = byId.get(entry); at !== undefined; at = at.parent === undefined ? undefined : byId.get(at.parent)) kept.push(at);
      if (kept.length === 0)
        throw new Fault('not_found', `Cannot fork session ${id}: it has no entry ${JSON.stringify(entry.slice(0, 80))}`, {
          details: { entry: entry.slice(0, 80) },
        });
      return await createWith(
        { type: 'session', format: 1, id: newSessionId, created_at: now(), origin: { session: id, entry } },
        kept.reverse(),
      );
    },

    async list({ limit = LIST_DEFAULT, before = Number.POSITIVE_INFINITY } = {}) {
      const wanted = (await files()).filter(({ updatedAt }) => updatedAt < before).slice(0, Math.min(Math.max(1, limit), LIST_MAX));
      const infos: SessionInfo[] = [];
      for (const { id, updatedAt, bytes } of wanted) {
        const before = read.get(id);
        const isRead = before !== undefined && before.updatedAt === updatedAt && before.bytes === bytes;
        const transcript = isRead ? undefined : await readFileOf(fileOf(id), bytesMax);
        if (transcript === 'unreadable') {
          infos.push({ id, title: undefined, agent: undefined, createdAt: updatedAt, updatedAt, bytes, origin: undefined });
          continue; // It may be readable the next time, and look the same.
        }
        const info = isRead ? before : transcript === undefined ? undefined : { ...infoOf(transcript), updatedAt, bytes };
        if (info === undefined) continue;
        read.set(id, info);
        infos.push(info);
      }
      return infos;
    },

    async search(query, { limit = MATCHES_DEFAULT } = {}, signal) {
      const words =
        query
          .normalize('NFKC')
          .toLowerCase()
          .match(/[\p{L}\p{N}\p{M}]+/gu)
          ?.slice(0, WORDS_MAX) ?? [];
      const matches: SessionMatch[] = [];
      if (words.length === 0) return matches;
      for (const { id } of await files()) {
        signal?.throwIfAborted();
        const transcript = await readFileOf(fileOf(id), bytesMax);
        if (transcript === undefined || transcript === 'unreadable') continue;
        for (const entry of transcript.entries.toReversed()) {
          if (matches.length >= Math.min(Math.max(1, limit), MATCHES_MAX)) return matches;
          const text = textOf(entry);
          const plain = text.normalize('NFKC').toLowerCase();
          if (!words.every((word) => plain.includes(word))) continue;
          const from = Math.max(0, plain.indexOf(words[0] ?? '') - SNIPPET_CHARACTERS / 4);
          matches.push({ session: id, entry: entry.id, at: entry.at, snippet: text.slice(from, from + SNIPPET_CHARACTERS).toWellFormed() });
        }
      }
      return matches;
    },

    async export(id, format) {
      const session = await openKnown(id);
      let whole = '';
      for (let cursor: string | undefined; ; ) {
        const { text, next } = exportPiece(session, format, cursor);
        whole += text;
        if (next === undefined) return whole;
        if (whole.length > EXPORT_CHARACTERS_MAX)
          throw new Fault(
            'too_large',
            `Cannot export session ${id} whole: it has more than ${EXPORT_CHARACTERS_MAX} characters; take it by pieces`,
          );
        cursor = next;
      }
    },

    exportPiece: async (id, format, cursor) => exportPiece(await openKnown(id), format, cursor),

    async delete(id) {
      const path = fileOf(id);
      await (await known.get(id)?.catch(() => undefined))?.[Symbol.asyncDispose]();
      known.delete(id);
      read.delete(id);
      await rm(path).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? missing(id) : error;
      });
    },

    async [Symbol.asyncDispose]() {
      const all = [...known.values()];
      known.clear();
      await Promise.allSettled(all.map(async (opening) => (await opening)[Symbol.asyncDispose]()));
    },
  };
}

async function openExisting(path: string, id: string) {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // What open throws has one.
    if (code === 'ENOENT') throw missing(id);
    throw new Fault('store_failed', `Cannot open session ${id}: ${code === 'ELOOP' ? 'its file is a link' : 'its file cannot be read'}`, {
      cause,
    });
  }
}

/** Undefined when it is none, or gone meanwhile. One that cannot be read keeps nobody from the others. */
async function readFileOf(path: string, bytesMax: number): Promise<Transcript | 'unreadable' | undefined> {
  let content: Buffer;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      if ((await file.stat()).size > bytesMax) return 'unreadable';
      content = await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // As above.
    if (code === 'ENOENT' || code === 'ELOOP') return undefined;
    if (code !== undefined && NO_MATTER_OF_THE_FILE.has(code)) throw error;
    return 'unreadable'; // Whoever opens it is told why.
  }
  return await readTranscript(content);
}

function infoOf({ header, entries }: Transcript): Omit<SessionInfo, 'updatedAt' | 'bytes'> {
  const title = entries.findLast((entry) => entry.type === 'title');
  const { id, agent, origin, created_at: createdAt } = header;
  return { id, title: title?.type === 'title' ? title.title : undefined, agent, createdAt, origin };
}

/** A link is none, nor a folder. */
function knownFile(id: string, info: Stats): KnownFile | undefined {
  return info.isFile() ? { id, updatedAt: Math.trunc(info.mtimeMs), bytes: info.size } : undefined;
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

function missing(id: string): Fault {
  return new Fault('not_found', `Cannot find session ${id}: there is none of this id`, { details: { session: id } });
}
