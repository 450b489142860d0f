import type { JsonObject } from '../../internal/json.ts';

export type NameRow = {
  readonly name: string;
  readonly pid: number;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly registeredAt: number;
};

/** The prefix is literal. */
export type NameFilter = { readonly prefix?: string | undefined; readonly tag?: string | undefined; readonly pid?: number | undefined };

export interface NameTableReads {
  find(name: string): NameRow | undefined;
  /** By name, in the order of code points. */
  list(filter: NameFilter, page: { readonly limit: number; readonly offset: number }): readonly NameRow[];
  count(filter: NameFilter): number;
}

export interface NameTable extends NameTableReads {
  insert(row: NameRow): void;
  delete(name: string): void;
}
