/**
 * Grants as the rest of Warren sees them: what a process may use. What a process holds only ever shrinks, and what its parent holds bounds
 * it: grants are given once, within the parent's, and then narrowed or revoked, at once for all below. There is no way to give more.
 *
 * Paths are names in the agent's own tree, and symbolic links are followed inside its walls only. A host that was allowed must be reached
 * under the name that was checked.
 */
import type { GrantRow, GrantSet, PathMode } from '../store/tables/grant-table.ts';

export type GrantRecord = GrantRow;

export interface Grants {
  /**
   * Gives a process its grants; what is not named is not given. If it has a parent, they must be within what the parent holds, and a parent
   * that was given nothing can give nothing. Faults: `unknown_pid`, `grant_exists`, `grant_invalid` (with the field, `pid` for a process
   * that is DEAD) and `grant_exceeds_parent` (with the field).
   */
  create(pid: number, grants: Partial<GrantSet>): Promise<GrantRecord>;
  /**
   * The same, naming the parent: a process above the child. Faults: also `grant_not_found` (the named parent has none) and `grant_invalid`
   * with `child_pid` (it is not below the parent).
   */
  derive(parentPid: number, childPid: number, grants: Partial<GrantSet>): Promise<GrantRecord>;
  /** Faults: `grant_not_found`. */
  get(pid: number): Promise<GrantRecord>;
  find(pid: number): Promise<GrantRecord | undefined>;
  /**
   * Leaves a process what is in `grants`, which must be within what it holds, and cuts down everything below it to that, at once. What is not
   * named is taken away. `narrowed` are those that lost something. Faults: `grant_not_found`, `grant_invalid`, `grant_exceeds_parent`.
   */
  narrow(pid: number, grants: Partial<GrantSet>): Promise<{ readonly record: GrantRecord; readonly narrowed: readonly number[] }>;
  /** Takes everything away, from the process and everything below it, for good. `revoked` are those that lost something. */
  revoke(pid: number): Promise<{ readonly revoked: readonly number[] }>;
  /** Checks never throw on odd input; they say no. A process that is DEAD holds nothing. */
  checkTool(pid: number, tool: string): Promise<boolean>;
  checkModel(pid: number, model: string): Promise<boolean>;
  /** Without a port: whether every port is allowed. */
  checkHost(pid: number, host: string, port?: number): Promise<boolean>;
  checkPath(pid: number, path: string, mode: PathMode): Promise<boolean>;
}
