/** The registry of names as the rest of Warren sees it. */
import type { JsonObject } from '../internal/json.ts';

export type NameEntry = {
  readonly name: string;
  readonly pid: number;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly registeredAt: number;
};

export interface Names {
  /** A process that ends loses its names. Faults: `unknown_pid`, `name_taken`, `name_invalid`, `illegal_transition` (the process is DEAD). */
  register(
    name: string,
    pid: number,
    options?: { readonly tags?: readonly string[] | undefined; readonly metadata?: JsonObject | undefined },
  ): Promise<NameEntry>;
  /** False when there was none. With `owner`, only a name of that process: else `permission_denied`. */
  unregister(name: string, owner?: number): Promise<boolean>;
  unregisterAll(pid: number): Promise<number>;
  /** Faults: `name_not_found`. */
  lookup(name: string): Promise<NameEntry>;
  /** By name; the prefix is literal and its case counts. */
  list(
    filter?: { readonly prefix?: string | undefined; readonly tag?: string | undefined; readonly pid?: number | undefined },
    page?: { readonly limit?: number; readonly offset?: number },
  ): Promise<{ readonly entries: readonly NameEntry[]; readonly total: number }>;
}
