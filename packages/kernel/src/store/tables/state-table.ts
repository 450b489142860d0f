import type { JsonValue } from '../../internal/json.ts';

/** Scopes as keys. */
export const SHARED_SCOPE = 'shared';
export const SESSION_SCOPE = 'session:';
export const AGENT_SCOPE = 'agent:';
export const OWN_SCOPE = 'own:';

/** A value and all about it but the value. */
export type StateHead = {
  readonly scope: string;
  readonly key: string;
  readonly version: number;
  readonly sizeBytes: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | undefined;
  /** Who wrote this version. Empty: the operator. */
  readonly writer: string;
  readonly owner: string;
  readonly readers: readonly string[] | undefined;
  readonly writers: readonly string[] | undefined;
};
/** `labels`: of untrusted content; undefined when it carries none. */
export type StateRow = StateHead & { readonly value: JsonValue; readonly labels?: readonly string[] | undefined };

export type StateVersionRow = {
  readonly version: number;
  /** Undefined for a deletion. */
  readonly value: JsonValue | undefined;
  readonly sizeBytes: number;
  readonly at: number;
  readonly writer: string;
  readonly labels?: readonly string[] | undefined;
};

/** A value that is past its time is there for nobody: whatever is read here is without it, and with a deletion in its place. */
export interface StateTableReads {
  find(scope: string, key: string): StateRow | undefined;
  /**
   * By key, in the order of code points. At most `limit` rows, fewer when their values are large, and those that `accepts` says no to are passed over.
   * `isWhole`: there is nothing behind them.
   */
  list(
    scope: string,
    options: {
      readonly prefix: string;
      readonly after: string | undefined;
      readonly limit: number;
      readonly accepts?: ((head: StateHead) => boolean) | undefined;
    },
  ): { readonly rows: readonly StateRow[]; readonly isWhole: boolean };
  /** The sizes of values and of versions kept. */
  size(scope: string): { readonly bytes: number; readonly keys: number };
  /** What a key takes, as `versions`: newest first. */
  versionSizes(scope: string, key: string): readonly number[];
  /** Newest first, the one that is now or the deletion included. */
  versions(scope: string, key: string, limit: number): readonly StateVersionRow[];
  version(scope: string, key: string, version: number): StateVersionRow | undefined;
  /** The largest version a key ever had, or may have had when nobody remembers; 0 when it never had one. */
  lastVersion(scope: string, key: string): number;
  /** When the next value expires; 0 when a scope has ended. */
  nextDue(): number | undefined;
  /** Scopes that ended and still have rows. */
  endedScopes(limit: number): readonly string[];
}

export interface StateTable extends StateTableReads {
  /** What was there becomes an earlier version; the newest `keep` of those stay. */
  put(row: StateRow, keep: number): void;
  /** Leaves a deletion of this version, which remembers it. Throws when there is no such value. */
  delete(
    scope: string,
    key: string,
    deletion: { readonly version: number; readonly at: number; readonly writer: string },
    keep: number,
  ): void;
  /**
   * Deletes the first `limit` keys behind `after`, and all that is remembered of them; versions go on above all of theirs. `keys`: those that had a
   * value. `last`: the last one deleted, undefined when there are no more.
   */
  clear(scope: string, limit: number, after?: string): { readonly keys: number; readonly last: string | undefined };
  /** Turns what has expired at this time into deletions, the oldest first, at most `limit`, their versions with them. Returns what it was. */
  purgeExpired(at: number, limit: number): readonly StateHead[];
  /** The scope will not be used again. Whether it had anything; its rows are then there for `clear`, with which it goes. */
  endScope(scope: string, at: number): boolean;
}
