export type PathMode = 'r' | 'rw';
export type PathGrant = { readonly prefix: string; readonly mode: PathMode };

/** What a process holds. All empty: nothing. */
export type GrantSet = {
  /** Capability names; `filesystem.*` is everything below, `*` everything. */
  readonly tools: readonly string[];
  /** Absolute canonical paths, each with all below it. */
  readonly paths: readonly PathGrant[];
  /** `h`, `*.h` (one label), `**.h` (h itself and any depth), `*`; each may end in `:port`. */
  readonly hosts: readonly string[];
  /** Model names; `*` alone or at the end, as `claude-*`. */
  readonly models: readonly string[];
  /** Whether it may have children. */
  readonly subAgents: boolean;
};

export type GrantRow = GrantSet & {
  readonly grantId: number;
  /** The grant it has to stay within: that of the nearest process above which holds one. */
  readonly parentGrantId: number | undefined;
  readonly pid: number;
  readonly createdAt: number;
};

export interface GrantTableReads {
  find(pid: number): GrantRow | undefined;
  /** Grants directly below this one, by pid. */
  children(grantId: number): readonly GrantRow[];
}

export interface GrantTable extends GrantTableReads {
  /** Returns its grant id. Ids ascend and are never given again. A process has one grant at most. */
  insert(row: Omit<GrantRow, 'grantId'>): number;
  /** Changes what it holds. */
  update(pid: number, grants: GrantSet): void;
  /** The grants directly below come directly below its own parent. */
  delete(pid: number): void;
}
