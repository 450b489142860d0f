/**
 * Sessions: conversations that outlive processes. A session is a tree of entries, of which one is the tip: what is appended comes after it, and to branch is to make an earlier entry the tip. Nothing that
 * was said is ever changed; a summary stands in for what came before it, and that stays where it is.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';

export type EntryBody =
  /** What somebody said: text or parts, in the shape that models of all makers are spoken to in. */
  | {
      readonly type: 'message';
      readonly role: 'system' | 'user' | 'assistant' | 'tool';
      readonly content: JsonValue;
      readonly meta?: JsonObject | undefined;
    }
  /** From here on `text` stands for all before `first`, an earlier entry on the way here; without it for all before this. */
  | { readonly type: 'summary'; readonly text: string; readonly first?: string | undefined }
  /** The tip is now there. Only in the file: `branch` writes it. */
  | { readonly type: 'tip'; readonly entry: string }
  | { readonly type: 'title'; readonly title: string }
  | { readonly type: 'model'; readonly provider: string; readonly model: string }
  /** Anything else that belongs to the conversation and is not said to a model. */
  | { readonly type: 'note'; readonly kind: string; readonly data: JsonValue };

export type SessionEntry = EntryBody & {
  readonly id: string;
  /** The entry before it; undefined: it is the first. */
  readonly parent: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
};

export type SessionInfo = {
  readonly id: string;
  readonly title: string | undefined;
  readonly agent: string | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly bytes: number;
  /** What it was forked from. */
  readonly origin: { readonly session: string; readonly entry: string } | undefined;
};

export type SessionMatch = { readonly session: string; readonly entry: string; readonly at: number; readonly snippet: string };

export type Damage = { readonly line: number; readonly reason: string };

/** Its file; or the way to its tip, to be read. */
export type ExportFormat = 'jsonl' | 'markdown' | 'html';

/** `next`: where the next one begins; undefined: this is the last. */
export type ExportPiece = { readonly text: string; readonly next: string | undefined };

export interface Session {
  readonly id: string;
  /** The last entry on the way that is taken; undefined while there is none. */
  readonly tip: string | undefined;
  /** Lines that cannot be read. They are left as they are, and out of everything. */
  readonly damage: readonly Damage[];
  /** All of them or none, on disk when it returns. Faults: `invalid_argument`, `too_large` (an entry: 8 MiB, a session: 256 MiB), `storage_full`. */
  append(entries: readonly EntryBody[]): Promise<readonly SessionEntry[]>;
  /** From the first to the tip. */
  path(): readonly SessionEntry[];
  /** What a model is told of it: the path, with the newest summary in the place of what it stands for. */
  context(): readonly SessionEntry[];
  /** Every entry, in the order it was written. */
  entries(): readonly SessionEntry[];
  /** Goes on from an earlier entry; what came after it stays. Faults: `not_found`. */
  branch(entry: string): Promise<void>;
}

export interface Sessions {
  /** Faults: `already_exists`, `invalid_argument` (the id: 1 to 128 of letters, digits and `_ . -`, beginning with a letter or digit). */
  create(id: string, options?: { readonly agent?: string | undefined; readonly title?: string | undefined }): Promise<Session>;
  /** What a crash left of a line that was being written is cut off. One object for each session, however often it is opened. Faults: `not_found`, `store_failed`. */
  open(id: string): Promise<Session>;
  /** A new session that begins as this one was at `entry`. Faults: `not_found`, `already_exists`. */
  fork(id: string, entry: string, newId: string): Promise<Session>;
  /** The one that was written to last first; at most 1,000. One that `open` cannot read has no title, no agent, and the time of its file. */
  list(page?: { readonly limit?: number | undefined; readonly before?: number | undefined }): Promise<readonly SessionInfo[]>;
  /** Entries that have all the words, the newest session first. One that `open` cannot read has none. */
  search(query: string, options?: { readonly limit?: number | undefined }, signal?: AbortSignal): Promise<readonly SessionMatch[]>;
  /** The whole document. Faults: `not_found`, `too_large` (more than 64 MiB: take it by pieces). */
  export(id: string, format: ExportFormat): Promise<string>;
  /** A piece of it, of about a million characters; `cursor`: where the piece before said that this one begins. Together they are the document. Faults: `not_found`, `invalid_argument` (the cursor). */
  exportPiece(id: string, format: ExportFormat, cursor?: string): Promise<ExportPiece>;
  /** Faults: `not_found`. */
  delete(id: string): Promise<void>;
}
