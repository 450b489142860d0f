import type { BlockList } from 'node:net';
import type { Audit, Kernel } from '@warren/kernel';
import type { Caller } from '../caller/caller.ts';
import type { Places } from '../caller/places.ts';
import type { Feeds } from '../events/feeds.ts';
import type { Dispatcher } from '../jsonrpc/create-dispatcher.ts';
import type { DispatchLimits } from '../jsonrpc/dispatch-limits.ts';
import type { McpServer } from '../mcp/mcp-server.ts';
import type { Log } from '../observe/log.ts';
import type { RefusedAttempts } from '../operations/refused-attempts.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { OpenRunNetworks } from './open-run-networks.ts';
import type { RequestRates } from './request-rates.ts';
import type { ServeLimits } from './serve-limits.ts';
import type { DelayFile } from './sign-in/delay-file.ts';
import type { GrowingDelays } from './sign-in/growing-delays.ts';
import type { OidcProviders } from './sign-in/oidc/oidc-providers.ts';
import type { SignInDelays } from './sign-in/sign-in-delays.ts';

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
  /** Of wrong tokens, by network. */
  readonly logins: GrowingDelays;
  readonly signIns: SignInDelays;
  /** Whom people may sign in through. */
  readonly oidc: OidcProviders;
  /** Undefined: they are not kept over a restart. */
  readonly delayFile: DelayFile | undefined;
  readonly rates: RequestRates;
  /** Whose word about the addresses of others is believed; undefined: nobody's. */
  readonly proxies: BlockList | undefined;
  readonly held: HeldBytes;
  readonly streams: Places;
  /** What people who supervise follow. */
  readonly feeds: Feeds;
  readonly mcpStreams: Places;
  readonly sockets: Places;
  /** Fires when the daemon stops: who waits for something stops waiting. */
  readonly stopping: AbortSignal;
  /** These three undefined where there is no platform. */
  readonly audit: Pick<Audit, 'append'> | undefined;
  readonly refused: RefusedAttempts | undefined;
  readonly runNetworks: OpenRunNetworks | undefined;
};
