import type { Kernel } from '@warren/kernel';
import type { Caller } from '../caller/caller.ts';
import type { Places } from '../caller/places.ts';
import type { Dispatcher } from '../jsonrpc/create-dispatcher.ts';
import type { DispatchLimits } from '../jsonrpc/dispatch-limits.ts';
import type { McpServer } from '../mcp/mcp-server.ts';
import type { Log } from '../observe/log.ts';
import type { RefusedAttempts } from '../operations/refused-attempts.ts';
import type { FailedLogins } from './failed-logins.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { ServeLimits } from './serve-limits.ts';

/** What every request is answered with. */
export type Gateway = {
  readonly kernel: Kernel;
  readonly dispatcher: Dispatcher<Caller>;
  readonly mcp: McpServer;
  /** Of JSON in general. */
  readonly readLimits: DispatchLimits;
  /** Everything there is to measure, in the text form of Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly version: string;
  readonly log: Log;
  readonly limits: ServeLimits;
  readonly logins: FailedLogins;
  readonly held: HeldBytes;
  readonly streams: Places;
  readonly mcpStreams: Places;
  readonly sockets: Places;
  /** Fires when the daemon stops: who waits for something stops waiting. */
  readonly stopping: AbortSignal;
  /** Undefined where there is no audit. */
  readonly refused: RefusedAttempts | undefined;
};
