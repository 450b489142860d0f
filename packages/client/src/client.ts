/** What programs hold to talk to a daemon. */
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import type { EventFilter, FollowOptions } from './follow-events.ts';

/** Set for a whole client, and anew for one call. */
export type Patience = {
  /** How long a call may take with all its attempts; then it ends with the fault `deadline`. Default: 120,000, and 0 is no limit. */
  readonly timeoutMs?: number | undefined;
  /**
   * How often a call is tried that may be carried out twice (by the contract it reads, or does the same again) and that failed for a reason that passes.
   * Other calls are tried once, whatever it says. Default: 3.
   */
  readonly attemptsMax?: number | undefined;
};

export type CallOptions = Patience & {
  /** Which workspace this call is about. Default: that of the client. */
  readonly workspace?: string | undefined;
  /** Ends the wait with the fault `aborted`. Whether the daemon carried out the call is then unknown. */
  readonly signal?: AbortSignal | undefined;
};

export interface Client extends AsyncDisposable {
  /** Where it leads, for messages. */
  readonly address: string;
  /**
   * Calls an operation. Throws the fault the daemon answers with, `unavailable` when there is no daemon or the connection breaks, `deadline` when
   * the time is up, `aborted` when the signal fires, `protocol_error` when whoever answers is no daemon. What may not be carried out twice is tried
   * once: whether to try it again only the caller knows.
   */
  call<Name extends OperationName>(method: Name, params: ParamsInput<Name>, options?: CallOptions): Promise<Result<Name>>;
  /** Every event that matches, once and in order, until the signal fires; a broken connection is taken up again where it broke. */
  events(filter: EventFilter, options: FollowOptions): AsyncIterable<EventMessage>;
  /** Ends what is under way. Twice is harmless. */
  close(): Promise<void>;
}

/** One event, as `kernel.events.tail` has it. */
export type EventMessage = Result<'kernel.events.tail'>['events'][number];
