/** The sessions of one workspace, as the daemon keeps them. What is read of one is held here as it was when it was last asked for. */
import { Fault, type JsonObject } from '@warren/protocol';
import type { ParamsInput, TranscriptEntry, TranscriptInfo } from '@warren/protocol/contract';
import { EntryTree } from '../../session/entry-tree.ts';
import type { Damage, EntryBody, Session, SessionEntry, SessionInfo, Sessions } from '../../session/sessions.ts';
import type { CallDaemon } from './call-daemon.ts';

const PAGE = 1_000;
/** Of a document that is made whole. */
const EXPORT_CHARACTERS_MAX = 67_108_864;

type NewEntry = ParamsInput<'transcript.append'>['entries'][number];

export function createDaemonSessions(call: CallDaemon): Sessions {
  const open = async (id: string): Promise<Session> => {
    const session = new DaemonSession(id, call);
    await session.read();
    return session;
  };
  const exportPiece: Sessions['exportPiece'] = async (id, format, cursor) => {
    const { text, next } = await call('transcript.export', { session: id, format, cursor });
    return { text, next: next ?? undefined };
  };
  return {
    async create(id, { agent, title } = {}) {
      await call('transcript.create', { session: id, agent, title });
      return await open(id);
    },
    open,
    async fork(id, entry, newId) {
      await call('transcript.branch', { session: id, entry_id: entry, as: newId });
      return await open(newId);
    },
    async list({ limit, before } = {}) {
      const { transcripts } = await call('transcript.list', { limit, before: before === undefined ? undefined : before / 1_000 });
      return transcripts.map(toInfo);
    },
    async search(query, { limit = MATCHES_DEFAULT } = {}, signal) {
      const { matches } = await call('transcript.search', { query, limit }, { signal });
      return matches.map(({ session, entry_id: entry, at, snippet }) => ({ session, entry, at: toMs(at), snippet }));
    },
    async export(id, format) {
      let whole = '';
      for (let cursor: string | undefined; ; ) {
        const { text, next } = await exportPiece(id, format, cursor);
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
    exportPiece,
    async delete(id) {
      const { deleted } = await call('transcript.delete', { session: id });
      if (!deleted) throw new Fault('not_found', `Cannot find session ${id}: there is none of this id`, { details: { session: id } });
    },
  };
}

const MATCHES_DEFAULT = 20;

class DaemonSession implements Session {
  readonly id: string;
  readonly #call: CallDaemon;
  readonly #tree: EntryTree;
  #damage: readonly Damage[] = [];
  /** One after the other: what is read is taken once. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(id: string, call: CallDaemon) {
    this.id = id;
    this.#call = call;
    this.#tree = new EntryTree(id);
  }

  get tip(): string | undefined {
    return this.#tree.tip;
  }

  get damage(): readonly Damage[] {
    return this.#damage;
  }

  append(entries: readonly EntryBody[]): Promise<readonly SessionEntry[]> {
    return this.#inTurn(async () => {
      if (entries.length === 0) return [];
      const { entry_ids } = await this.#call('transcript.append', { session: this.id, entries: entries.map(toNewEntry) });
      await this.#readMore();
      const ids = new Set(entry_ids);
      return this.entries().filter(({ id }) => ids.has(id));
    });
  }

  branch(entry: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#call('transcript.branch', { session: this.id, entry_id: entry });
      await this.#readMore();
    });
  }

  /** What was written since. */
  read(): Promise<void> {
    return this.#inTurn(() => this.#readMore());
  }

  path(): readonly SessionEntry[] {
    return this.#tree.path();
  }

  context(): readonly SessionEntry[] {
    return this.#tree.context();
  }

  entries(): readonly SessionEntry[] {
    return this.#tree.entries();
  }

  async #readMore(): Promise<void> {
    for (let offset: number | null = this.entries().length; offset !== null; ) {
      const page: Page = await this.#call('transcript.get', { session: this.id, view: 'all', offset, limit: PAGE });
      const { entries, tip_id, next, damage } = page;
      for (const entry of entries) this.#tree.take(toEntry(entry));
      if (tip_id !== null) this.#tree.moveTip(tip_id);
      this.#damage = damage;
      offset = next;
    }
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => {}); // Its own caller is told.
    return done;
  }
}

type Page = {
  readonly entries: readonly TranscriptEntry[];
  readonly tip_id: string | null;
  readonly next: number | null;
  readonly damage: readonly Damage[];
};

function toEntry({ entry_id: id, parent_id, at, body }: TranscriptEntry): SessionEntry {
  return { ...(body as unknown as EntryBody), id, parent: parent_id ?? undefined, at: toMs(at) }; // As the daemon keeps it.
}

/** What is no entry the daemon refuses, and says why. */
function toNewEntry(body: EntryBody): NewEntry {
  if (body.type === 'summary') return { type: 'summary', text: body.text, first_id: body.first };
  if (body.type === 'note') return { type: 'note', kind: body.kind, data: body.data as JsonObject };
  return body as NewEntry;
}

function toInfo({ session, title, agent, created_at, updated_at, size_bytes, origin }: TranscriptInfo): SessionInfo {
  return {
    ...{ id: session, title: title ?? undefined, agent: agent ?? undefined, bytes: size_bytes },
    ...{ createdAt: toMs(created_at), updatedAt: toMs(updated_at) },
    origin: origin === null ? undefined : { session: origin.session, entry: origin.entry_id },
  };
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1_000);
}
