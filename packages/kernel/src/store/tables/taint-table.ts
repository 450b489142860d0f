/** Labels of untrusted content that a process has been given. Its calls carry them. */
export type TaintRow = { readonly pid: number; readonly label: string; readonly since: number; readonly callId: string | undefined };

/** Files below a path carry the label. */
export type FileTaintRow = { readonly prefix: string; readonly label: string; readonly since: number };

export interface TaintTableReads {
  /** Of the files of the workspace; few, by label. */
  ofFiles(): readonly FileTaintRow[];
  /** By label. */
  of(pid: number): readonly TaintRow[];
}

export interface TaintTable extends TaintTableReads {
  /** Whether it is new. */
  add(row: TaintRow): boolean;
  /** Returns how many. */
  clear(pid: number): number;
  /** Whether it is new. */
  addToFiles(row: FileTaintRow): boolean;
  /** Returns how many. */
  clearFiles(): number;
}
