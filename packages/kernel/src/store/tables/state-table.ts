import type { JsonValue } from '../../internal/json.ts';

/** `session:PID`, `agent:NAME`, `shared`. */
export type StateRow = {
  readonly scope: string;
  readonly key: string;
  readonly value: JsonValue;
  readonly version: number;
  readonly sizeBytes: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | undefined;
  readonly owner: string;
  readonly readers: readonly string[] | undefined;
  readonly writers: readonly string[] | undefined;
};

export type StateVersionRow = {
  readonly scope: string;
  readonly key: string;
  readonly version: number;
  /** Undefined for a deletion. */
  readonly value: JsonValue | undefined;
  readonly sizeBytes: number;
  readonly at: number;
  readonly by: string;
};

export interface StateTableReads {
  find(scope: string, key: string): StateRow | undefined;
  /** By key, in code unit order; without values that have expired at `now`. */
  list(
    scope: string,
    options: { readonly prefix: string; readonly after: string | undefined; readonly limit: number },
  ): readonly StateRow[];
  /** Of current values and of versions. */
  size(scope: string): { readonly bytes: number; readonly keys: number };
  /** Newest first. */
  versions(scope: string, key: string, limit: number): readonly StateVersionRow[];
  version(scope: string, key: string, version: number): StateVersionRow | undefined;
  /** The largest version a key ever had; 0 when it never had one. */
  lastVersion(scope: string, key: string): number;
}

export interface StateTable extends StateTableReads {
  put(row: StateRow): void;
  /** Whether there was one. */
  delete(scope: string, key: string): boolean;
  addVersion(row: StateVersionRow): void;
  /** Keeps the newest `keep` of a key. */
  trimVersions(scope: string, key: string, keep: number): void;
  /** At most `limit` keys of a scope with their versions. Returns how many. */
  clear(scope: string, limit: number): number;
  /** Deletes what has expired at this time, at most `limit`. Returns what it was. */
  purgeExpired(at: number, limit: number): readonly { readonly scope: string; readonly key: string; readonly version: number }[];
}
