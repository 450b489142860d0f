/** The event log as the rest of Warren sees it. */
import type { JsonObject } from '../internal/json.ts';
import type { EventFilter, EventRecord } from '../store/tables/event-table.ts';

export type AppendEvent = {
  readonly pid: number;
  /** Any word that does not start with `kernel.`; those are the kernel's own. */
  readonly kind: string;
  readonly payload: JsonObject;
  readonly causationId?: number | undefined;
  readonly correlationId?: string | undefined;
};

export interface Events {
  /** Faults: `unknown_pid`, `invalid_payload`, `too_large`. */
  append(event: AppendEvent): Promise<number>;
  /** Events after `since`, oldest first. `nextCursor` is the id of the last, or `since`. */
  tail(
    filter: EventFilter & { readonly since?: number | undefined; readonly limit?: number | undefined },
  ): Promise<{ readonly events: readonly EventRecord[]; readonly nextCursor: number }>;
  /** The newest, oldest first. */
  newest(filter: EventFilter & { readonly limit?: number | undefined }): Promise<readonly EventRecord[]>;
  /**
   * Every event after `after` (default: from now on) that matches, once, in order, as long as it is iterated: first what is kept, then
   * what happens. A reader that is slow reads later; nothing is buffered for it. Ends when `signal` fires. Faults: `conflict` with
   * `oldest` when events after `after` were already purged and `gaps` is not `skip`.
   */
  subscribe(
    filter: EventFilter & { readonly after?: number | undefined; readonly gaps?: 'refuse' | 'skip' | undefined },
    signal: AbortSignal,
  ): AsyncIterable<EventRecord>;
  /** The event, what led to it, and so on. `truncated` when `depth` (1 to 100, default 10) was not enough or an event is gone. */
  trace(
    eventId: number,
    depth?: number,
  ): Promise<{ readonly events: readonly EventRecord[]; readonly depth: number; readonly truncated: boolean }>;
  /** Ids and how many are kept. */
  extent(): Promise<{ readonly firstId: number; readonly nextId: number; readonly count: number }>;
}
