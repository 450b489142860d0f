import type { Principal } from '@warren/kernel';
import type { TraceParent } from '../telemetry/tracing.ts';

/** Whoever makes a call, and what came with it besides its parameters. One for each message, however many calls are in it. */
export type Caller = {
  readonly principal: Principal;
  /** What people know the caller by: the label of its token or, without one, its id. Undefined for whoever comes in by the unix socket. */
  readonly name: string | undefined;
  /** Of the token. */
  readonly groups: readonly string[];
  /** The workspace that was asked for in the header. */
  readonly workspace: string | undefined;
  readonly traceParent: TraceParent | undefined;
  /** Fires when nobody waits for the answer any more. Made when it is first asked for, since few calls wait. */
  signal(): AbortSignal;
};
