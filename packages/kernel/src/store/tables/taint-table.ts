/** Labels of untrusted content that a process has been given. Its calls carry them. */
export type TaintRow = { readonly pid: number; readonly label: string; readonly since: number; readonly callId: string | undefined };

export interface TaintTableReads {
  /** By label. */
  of(pid: number): readonly TaintRow[];
}

export interface TaintTable extends TaintTableReads {
  /** Whether it is new. */
  add(row: TaintRow): boolean;
  /** Returns how many. */
  clear(pid: number): number;
}
