/** What programs hold to talk to a daemon. */
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import type { EventFilter, FollowOptions } from './follow-events.ts';

export type CallOptions = {
  /** Ends the wait with the fault `aborted`. Whether the daemon carried out the call is then unknown. */
  readonly signal?: AbortSignal | undefined;
};

export interface Client extends AsyncDisposable {
  /** Where it leads, for messages. */
  readonly address: string;
  /**
   * Calls an operation. Throws the fault the daemon answers with, `unavailable` when there is no daemon or the connection breaks, `aborted`
   * when the signal fires. Nothing is tried twice: only the caller knows whether that is harmless.
   */
  call<Name extends OperationName>(method: Name, params: ParamsInput<Name>, options?: CallOptions): Promise<Result<Name>>;
  /** Every event that matches, once and in order, until the signal fires; a broken connection is taken up again where it broke. */
  events(filter: EventFilter, options: FollowOptions): AsyncIterable<EventMessage>;
  /** Ends what is under way. Twice is harmless. */
  close(): Promise<void>;
}

/** One event, as `kernel.events.tail` has it. */
export type EventMessage = Result<'kernel.events.tail'>['events'][number];
