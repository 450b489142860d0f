/** The registry of names as the rest of Warren sees it. */
import type { JsonObject } from '../internal/json.ts';
import type { NameFilter, NameRow } from '../store/tables/name-table.ts';

export type NameEntry = NameRow;

export type RegisterOptions = {
  /** Up to 32; each counts once. */
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: JsonObject | undefined;
};

export interface Names {
  /**
   * Names are unique in a workspace; a process that ends loses its own. Faults: `unknown_pid`, `name_taken`, `name_invalid` (more than 256 bytes,
   * control characters, 33 tags), `illegal_transition` (the process is DEAD), `quota_exceeded` (1,000 names of a process), `too_large`.
   */
  register(name: string, pid: number, options?: RegisterOptions): Promise<NameEntry>;
  /** False when there was none. With `owner`, only a name of that process: else `permission_denied`. */
  unregister(name: string, owner?: number): Promise<boolean>;
  /** Returns how many there were. */
  unregisterAll(pid: number): Promise<number>;
  /** Faults: `name_not_found`. */
  lookup(name: string): Promise<NameEntry>;
  /** By name, in the order of code points; the prefix is literal, and case counts in it and in the tag. */
  list(
    filter?: NameFilter,
    page?: { readonly limit?: number; readonly offset?: number },
  ): Promise<{ readonly entries: readonly NameEntry[]; readonly total: number }>;
}
