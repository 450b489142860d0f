/** Labels of untrusted content in one workspace: what processes and files carry. Messages and values carry theirs with them. */
export interface Taints {
  /** All that what this process does carries: what it was given, and what the files that it may read carry. Empty for one that does not exist. */
  of(pid: number): Promise<readonly string[]>;
  /** It was given something that carries these. Faults: `invalid_argument`. */
  add(pid: number, labels: readonly string[], callId?: string): Promise<void>;
  /** It may write files now, and what it writes carries these. Faults: `invalid_argument`. */
  labelFiles(pid: number, labels: readonly string[]): Promise<void>;
  /** By path. */
  files(): Promise<readonly FileLabel[]>;
  /** Takes them off all files: somebody looked. Returns how many. */
  clearFiles(): Promise<number>;
}

export type FileLabel = { readonly path: string; readonly label: string; readonly since: number };
