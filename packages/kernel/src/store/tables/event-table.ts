import type { JsonObject } from '../../internal/json.ts';

export type EventRecord = {
  /** Ascends by one within a workspace, in the order of commits, without holes. */
  readonly id: number;
  /** Undefined for what concerns no single process. */
  readonly pid: number | undefined;
  readonly at: number;
  readonly kind: string;
  readonly payload: JsonObject;
  /** The event that led to this one. */
  readonly causationId: number | undefined;
  /** Whatever belongs together in the eyes of who wrote it. */
  readonly correlationId: string | undefined;
};

export type NewEvent = {
  readonly pid: number | undefined;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly causationId?: number | undefined;
  readonly correlationId?: string | undefined;
};

export type EventFilter = { readonly pid?: number | undefined; readonly kind?: string | undefined };

/** A page of the largest payloads there may be would not fit into memory. */
export const PAGE_BYTES_MAX = 8_388_608;

export interface EventTableReads {
  find(id: number): EventRecord | undefined;
  /**
   * Ids greater than `after`, ascending: at most `limit`, and fewer when their payloads have more than `PAGE_BYTES_MAX` together, but not
   * none when there is one.
   */
  after(after: number, filter: EventFilter, limit: number): readonly EventRecord[];
  /** The newest, ascending, within the same bounds. */
  newest(filter: EventFilter, limit: number): readonly EventRecord[];
  /** The newest event of a process; 0 if there is none any more. */
  lastIdOf(pid: number): number;
  /** The id the next event gets. */
  nextId(): number;
  /** The oldest that is still kept; `nextId()` when there is none. So `nextId() - firstId()` counts them. */
  firstId(): number;
}

export interface EventTable extends EventTableReads {
  /** Returns its id. The time is that of the transaction. */
  append(event: NewEvent): number;
  /** Deletes the oldest events: up to and with `throughId`, at most `limit` of them. Returns how many. */
  purge(throughId: number, limit: number): number;
  /** The newest event at or before this time; 0 if there is none. */
  lastIdAt(at: number): number;
}
