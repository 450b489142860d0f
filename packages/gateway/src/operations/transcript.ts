import type { Kernel } from '@warren/kernel';
import type { Platform, Sessions } from '@warren/platform';
import { isFault, type WorkspaceId } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { fromNewEntry, toTranscriptEntry, toTranscriptInfo } from './record/transcript.ts';
import { toMsIfGiven, toSeconds } from './time.ts';

/** Of one answer. */
const ENTRIES_BYTES_MAX = 4_194_304;
const LISTED_MAX = 1_000;

export function createTranscriptHandlers({ workspaces }: Kernel, platform: () => Platform): HandlersOf<'transcript.'> {
  /** A workspace that does not exist is not made by asking for its conversations. */
  const use = async <Result>(workspace: WorkspaceId, act: (sessions: Sessions) => Promise<Result>): Promise<Result> => {
    await workspaces.get(workspace);
    return await platform().sessions.use(workspace, act);
  };
  return {
    async 'transcript.create'({ session, agent, title }, { workspace }) {
      return { session: (await use(workspace, (sessions) => sessions.create(session, { agent, title }))).id };
    },

    async 'transcript.append'({ session, entries }, { workspace }) {
      const appended = await use(workspace, async (sessions) => (await sessions.open(session)).append(entries.map(fromNewEntry)));
      return { entry_ids: appended.map(({ id }) => id) };
    },

    async 'transcript.list'({ before, limit }, { workspace }) {
      const page = { before: toMsIfGiven(before), limit: Math.min(limit, LISTED_MAX) };
      return { transcripts: (await use(workspace, (sessions) => sessions.list(page))).map(toTranscriptInfo) };
    },

    async 'transcript.get'({ session: id, view, offset, limit }, { workspace }) {
      return await use(workspace, async (sessions) => {
        const session = await sessions.open(id);
        const all = view === 'all' ? session.entries() : view === 'context' ? session.context() : session.path();
        const entries = [];
        let bytes = 0;
        for (const entry of all.slice(offset, offset + Math.min(limit, LISTED_MAX))) {
          const made = toTranscriptEntry(entry);
          bytes += Buffer.byteLength(JSON.stringify(made));
          if (bytes > ENTRIES_BYTES_MAX && entries.length > 0) break;
          entries.push(made);
        }
        const next = offset + entries.length;
        return {
          session: id,
          tip_id: session.tip ?? null,
          entries,
          count: all.length,
          next: next < all.length ? next : null,
          damage: session.damage.slice(0, LISTED_MAX).map(({ line, reason }) => ({ line, reason })),
        };
      });
    },

    async 'transcript.search'({ query, limit }, { workspace, signal }) {
      const matches = await use(workspace, (sessions) => sessions.search(query, { limit: Math.min(limit, LISTED_MAX) }, signal()));
      return { matches: matches.map(({ session, entry, at, snippet }) => ({ session, entry_id: entry, at: toSeconds(at), snippet })) };
    },

    async 'transcript.branch'({ session, entry_id: entry, as }, { workspace }) {
      return await use(workspace, async (sessions) => {
        if (as !== undefined) return { session: (await sessions.fork(session, entry, as)).id, tip_id: entry };
        await (await sessions.open(session)).branch(entry);
        return { session, tip_id: entry };
      });
    },

    async 'transcript.compact'({ session, summary, first_id: first }, { workspace }) {
      const body = { type: 'summary', text: summary, ...(first !== undefined && { first }) } as const;
      const [entry] = await use(workspace, async (sessions) => (await sessions.open(session)).append([body]));
      if (entry === undefined) throw new Error('An entry that was appended has no id');
      return { entry_id: entry.id };
    },

    async 'transcript.export'({ session, format, cursor }, { workspace }) {
      const { text, next } = await use(workspace, (sessions) => sessions.exportPiece(session, format, cursor));
      return { session, format, text, next: next ?? null };
    },

    async 'transcript.delete'({ session }, { workspace }) {
      await workspaces.get(workspace);
      try {
        await platform().sessions.use(workspace, (sessions) => sessions.delete(session));
        return { deleted: true };
      } catch (error) {
        if (isFault(error, 'not_found')) return { deleted: false };
        throw error;
      }
    },
  };
}
