/**
 * What the agents of one workspace remember: text with tags, where it came from and how much it matters, found again by words and by meaning. Every answer says why it stands where it
 * stands.
 */
import type { JsonObject } from '@warren/protocol';

export type NewMemory = {
  /** 1 to 1,000,000 characters. */
  readonly text: string;
  /** At most 32 of 1 to 64 characters. */
  readonly tags?: readonly string[] | undefined;
  /** What it came from: at most 256 characters. Default `memory`. */
  readonly source?: string | undefined;
  readonly session?: string | undefined;
  /** 0 to 1; default 0.5. */
  readonly importance?: number | undefined;
  /** Milliseconds since 1970; default now. */
  readonly createdAt?: number | undefined;
  /** From then on it is not found, and some time later it is gone. Pinned ones do not expire. */
  readonly expiresAt?: number | undefined;
  readonly isPinned?: boolean | undefined;
  /** At most 16 KiB as JSON. */
  readonly metadata?: JsonObject | undefined;
  /** Of untrusted content it was made of. */
  readonly labels?: readonly string[] | undefined;
};

export type MemoryEntry = {
  readonly id: string;
  readonly text: string;
  readonly tags: readonly string[];
  readonly source: string;
  readonly session: string | undefined;
  readonly importance: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | undefined;
  readonly isPinned: boolean;
  readonly metadata: JsonObject | undefined;
  readonly labels: readonly string[];
};

export type Stored = {
  readonly id: string;
  /** The same text was there: it was not stored a second time, and what was said of it now is what holds. */
  readonly isDuplicate: boolean;
};

/** What an entry must be. Everything that is named must hold. */
export type MemoryFilter = {
  /** All of them. */
  readonly tags?: readonly string[] | undefined;
  readonly source?: string | undefined;
  readonly session?: string | undefined;
  /** Created then or later, milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
};

export type SearchOptions = MemoryFilter & {
  /** 1 to 100; default 10. */
  readonly limit?: number | undefined;
  /** 0 to 1; default 0: everything that matches. */
  readonly minScore?: number | undefined;
  /** After this many days an entry counts half. Default: age does not count. */
  readonly halfLifeDays?: number | undefined;
  /** How much what is like a better result gives way: 0 not at all (default), 1 wholly. */
  readonly diversity?: number | undefined;
};

export type Found = {
  readonly entry: MemoryEntry;
  /** 0 to 1. */
  readonly score: number;
  /** The part that matches, at most 700 characters. */
  readonly snippet: string;
  /** What the score is made of. */
  readonly why: Ranking;
};

export type Ranking = {
  /** 0 to 1: how well the words match, beside meaning as a share of the best match; and which did. Undefined: none. */
  readonly text: number | undefined;
  readonly terms: readonly string[];
  /** 0 to 1: how near the meaning is. Undefined: it was not compared. */
  readonly vector: number | undefined;
  /** What the two made together was multiplied with. */
  readonly age: number;
  readonly importance: number;
};

export interface Memory extends AsyncDisposable {
  /** All of them or none; on disk when it returns. Faults: `invalid_argument` (which, and which field), `too_large`, `storage_full`. */
  store(entries: readonly NewMemory[]): Promise<readonly Stored[]>;
  /** Best first. Faults: `invalid_argument`. */
  search(query: string, options?: SearchOptions, signal?: AbortSignal): Promise<readonly Found[]>;
  find(id: string): Promise<MemoryEntry | undefined>;
  /** What is absent stays. Faults: `not_found`, `already_exists` (another has this text), `invalid_argument`. */
  update(id: string, changes: Partial<NewMemory>): Promise<MemoryEntry>;
  /** For good, from the file as well. False when there was none. */
  forget(id: string): Promise<boolean>;
  /** All that the filter names; without one, all. Returns how many. */
  forgetAll(filter: MemoryFilter): Promise<number>;
  /** Newest first, those before `before`; at most 1,000, and fewer when they are long: only none is the end. */
  list(
    page?: MemoryFilter & { readonly limit?: number | undefined; readonly before?: string | undefined },
  ): Promise<readonly MemoryEntry[]>;
  count(): Promise<number>;
  /** Waits until everything has its vector, which the background sees to anyway; without an embedder, not at all. Faults: those of the provider. */
  embedPending(signal: AbortSignal): Promise<void>;
}
