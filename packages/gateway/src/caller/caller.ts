import type { Principal } from '@warren/kernel';
import type { JsonObject, TokenId } from '@warren/protocol';
import type { TraceParent } from '../telemetry/tracing.ts';

/** Whoever makes a call, and what came with it besides its parameters. One for each message, however many calls are in it. */
export type Caller = {
  readonly principal: Principal;
  /** Whose the token is: one person has one name, however many tokens. Undefined for whoever comes in by the unix socket. */
  readonly name: string | undefined;
  /** Of the token. */
  readonly groups: readonly string[];
  readonly tokenId: TokenId | undefined;
  /** The workspace that was asked for in the header. */
  readonly workspace: string | undefined;
  /** The agent in whose place an operator or a member wants to act, where it was said. */
  readonly agent?: string | undefined;
  readonly traceParent: TraceParent | undefined;
  /** Sends a message that nobody answers; dropped when the other end does not take it. Undefined where there is no way to. */
  readonly notify?: ((method: string, params: JsonObject) => void) | undefined;
  /** Fires when the caller is gone. Made when it is first asked for, since few calls are given up. */
  gone(): AbortSignal;
  /** Fires then, and when the daemon stops: for who waits. Made as late. */
  signal(): AbortSignal;
};
