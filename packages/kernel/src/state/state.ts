/**
 * State: values under keys, in scopes. `session` belongs to one process and ends with it; `agent` is an agent's own and keeps its versions; `shared` is the
 * workspace's, changed only by who knows the version it has, and readable and writable by whom its owner lets; `own` is Warren's, for what no agent
 * may see whatever it is called, and keeps no versions. A value is any JSON of up to 1 MiB, a key up to 512 characters. A scope has a quota for its values and
 * versions together, and up to 100,000 keys (`shared`: 20,000).
 *
 * `by` is the agent on whose behalf something is done: a session is open to the agent of its process, an agent's state to that agent. Undefined is an operator,
 * who may everything; empty is a process that runs for no agent, and owns nothing.
 */
import type { JsonValue } from '../internal/json.ts';

export type StateScope =
  | { readonly kind: 'session'; readonly pid: number }
  | { readonly kind: 'agent'; readonly agent: string }
  | { readonly kind: 'shared' }
  | { readonly kind: 'own'; readonly name: string };

/** Who may read and write a shared key: agents by name or pattern with `*`. Its owner always may. */
export type StateAccess = { readonly read: readonly string[]; readonly write: readonly string[] };

export type StateEntry = {
  readonly key: string;
  readonly value: JsonValue;
  /** From 1, and on after a deletion: a version means one value for ever. After `clear` it goes on above all that were cleared. */
  readonly version: number;
  /** Of the value as JSON. */
  readonly sizeBytes: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Milliseconds since 1970; then it is gone, and its earlier versions with it. */
  readonly expiresAt: number | undefined;
  /** Shared keys: who made it. Empty: the operator. */
  readonly owner: string;
  readonly access: StateAccess | undefined;
  /** Of untrusted content; undefined when it carries none. */
  readonly labels?: readonly string[] | undefined;
};

export type StateVersion = {
  readonly version: number;
  readonly value: JsonValue | undefined;
  readonly isDeletion: boolean;
  readonly at: number;
  readonly by: string;
  readonly labels?: readonly string[] | undefined;
};

export type SetOptions = {
  /** The version it must have now; 0: there must be none. Mandatory in `shared`. */
  readonly expectedVersion?: number | undefined;
  /** From 1 ms; at most ten years. Without it the value stays. */
  readonly ttlMs?: number | undefined;
  /** Shared keys; only the owner changes it. Default: everybody reads and writes. */
  readonly access?: StateAccess | undefined;
  /** For the history and for access. */
  readonly by?: string | undefined;
  /** Of untrusted content that the value derives from. */
  readonly labels?: readonly string[] | undefined;
};

/** `previousLabels`: those of `previous`. */
export type WasSet = {
  readonly version: number;
  readonly previousVersion: number;
  readonly previous: JsonValue | undefined;
  readonly previousLabels?: readonly string[] | undefined;
};

export interface State {
  /** Undefined when there is none, it has expired, or `by` may not read it. Of agents also an earlier version, after a deletion too. */
  get(
    scope: StateScope,
    key: string,
    options?: { readonly version?: number | undefined; readonly by?: string | undefined },
  ): Promise<StateEntry | undefined>;
  /**
   * Where the quota of an agent is short, earlier versions of this key make room, the oldest first. `previous` is undefined for who may write and not read.
   * Faults: `conflict` (details: `expected_version`, `actual_version`), `quota_exceeded`, `permission_denied`, `invalid_argument`, `too_large`, `unknown_pid`,
   * `illegal_transition` (the process of the session is DEAD).
   */
  set(scope: StateScope, key: string, value: JsonValue, options?: SetOptions): Promise<WasSet>;
  /** Whether there was one. Faults: as `set`. */
  delete(
    scope: StateScope,
    key: string,
    options?: Pick<SetOptions, 'expectedVersion' | 'by'>,
  ): Promise<{ readonly isDeleted: boolean } & Pick<WasSet, 'previous' | 'previousLabels'>>;
  /**
   * By key, in the order of code points: at most 1,000 (default 100), fewer when the values are large. `next` is what to pass as `after` for more. Without keys
   * that `by` may not read; `count` and `totalBytes` are of the whole scope, and with `by` in `shared` of what they may read on this page. Faults: `permission_denied`.
   */
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
  /** Deletes values and all that is remembered of them, in steps. Returns how many values. Of `shared` only for operators. Faults: `permission_denied`. */
  clear(scope: StateScope, options?: { readonly by?: string | undefined }): Promise<number>;
  quota(scope: StateScope): Promise<{ readonly usedBytes: number; readonly limitBytes: number; readonly keys: number }>;
}
