/**
 * State: values that agents keep under keys, in three scopes. `session` belongs to one process and ends with it; `agent` is an agent's own and keeps its
 * versions; `shared` is the workspace's, changed only by who knows the version it has, and readable and writable by whom its owner lets. A value is any JSON.
 */
import type { JsonValue } from '../internal/json.ts';

export type StateScope =
  | { readonly kind: 'session'; readonly pid: number }
  | { readonly kind: 'agent'; readonly agent: string }
  | { readonly kind: 'shared' };

/** Who may read and write a shared key: agents by name or pattern with `*`. Its owner always may. */
export type StateAccess = { readonly read: readonly string[]; readonly write: readonly string[] };

export type StateEntry = {
  readonly key: string;
  readonly value: JsonValue;
  /** From 1, and on after a deletion: a version means one value. */
  readonly version: number;
  readonly sizeBytes: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Milliseconds since 1970; then it is gone. */
  readonly expiresAt: number | undefined;
  /** Shared keys: who made it. Empty: the operator. */
  readonly owner: string;
  readonly access: StateAccess | undefined;
};

export type StateVersion = {
  readonly version: number;
  readonly value: JsonValue | undefined;
  readonly isDeletion: boolean;
  readonly at: number;
  readonly by: string;
};

export type SetOptions = {
  /** The version it must have now; 0: there must be none. Mandatory in `shared`. */
  readonly expectedVersion?: number | undefined;
  readonly ttlMs?: number | undefined;
  /** Shared keys; only the owner changes it. Default: everybody reads and writes. */
  readonly access?: StateAccess | undefined;
  /** For the history and for access: the agent; undefined for operators, who may everything. */
  readonly by?: string | undefined;
};

export interface State {
  /** Undefined when there is none, it has expired, or `by` may not read it. */
  get(
    scope: StateScope,
    key: string,
    options?: { readonly version?: number | undefined; readonly by?: string | undefined },
  ): Promise<StateEntry | undefined>;
  /** Faults: `conflict` (details: `expected_version`, `actual_version`), `quota_exceeded`, `permission_denied`, `invalid_argument` (key), `too_large`, `unknown_pid`. */
  set(
    scope: StateScope,
    key: string,
    value: JsonValue,
    options?: SetOptions,
  ): Promise<{ readonly version: number; readonly previousVersion: number; readonly previous: JsonValue | undefined }>;
  /** Whether there was one. Faults: as `set`. */
  delete(
    scope: StateScope,
    key: string,
    options?: Pick<SetOptions, 'expectedVersion' | 'by'>,
  ): Promise<{ readonly isDeleted: boolean; readonly previous: JsonValue | undefined }>;
  /** By key. */
  list(
    scope: StateScope,
    options?: {
      readonly prefix?: string | undefined;
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
      readonly by?: string | undefined;
    },
  ): Promise<{
    readonly entries: readonly StateEntry[];
    readonly next: string | undefined;
    readonly totalBytes: number;
    readonly count: number;
  }>;
  /** Newest first; at most what is kept of a key (100). */
  history(scope: StateScope, key: string, limit?: number): Promise<readonly StateVersion[]>;
  /** Returns how many. */
  clear(scope: StateScope, options?: { readonly by?: string | undefined }): Promise<number>;
  quota(scope: StateScope): Promise<{ readonly usedBytes: number; readonly limitBytes: number; readonly keys: number }>;
}
