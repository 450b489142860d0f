/**
 * What the audit is searched with: who, what and when, by entry, without the content. It is written behind the log and can be made again from it, so it promises
 * nothing about crashes but that what it has is from the front, without holes.
 */
import type { AuditKind, AuditOutcome } from './audit.ts';

export type IndexedEntry = {
  readonly seq: number;
  readonly at: number;
  readonly workspace: string;
  readonly kind: AuditKind;
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly agent: string | undefined;
  readonly pid: number | undefined;
  readonly callId: string | undefined;
  readonly approvalId: string | undefined;
};

export type IndexQuery = {
  readonly workspace?: string | undefined;
  readonly kind?: AuditKind | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly agent?: string | undefined;
  readonly pid?: number | undefined;
  readonly callId?: string | undefined;
  readonly approvalId?: string | undefined;
  /** Exact, or `category.*`. */
  readonly action?: string | undefined;
  /** Entries looked at: `first` to `last`, both included. */
  readonly first: number;
  readonly last: number;
  readonly isNewestFirst: boolean;
  readonly limit: number;
};

export interface AuditIndex {
  /** The log it is of; another one empties it. */
  use(log: string): void;
  /** Entries it has, counted from 0; purged ones count. */
  size(): number;
  /** In one transaction; the first follows what is there. */
  add(entries: readonly IndexedEntry[]): void;
  /** Entries before this one were purged before they were indexed. */
  skipTo(seq: number): void;
  find(query: IndexQuery): readonly number[];
  /** The first entry at this time or later, or `size()`. */
  firstAt(at: number): number;
  /** Forgets entries before this one, a bounded number at a time; false when there are none left. */
  forget(before: number): boolean;
  clear(): void;
  close(): void;
}

/** Faults: `store_failed`. A file that is no index is replaced. */
export type OpenAuditIndex = (path: string) => AuditIndex;
