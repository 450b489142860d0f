import type { Kernel } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import type { McpLimits } from '../mcp/engine/mcp-limits.ts';
import type { OpenMcpHost } from '../mcp/mcp-server.ts';
import type { Log } from '../observe/log.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { ListenAddress } from './listen-address.ts';
import type { ServeLimits } from './serve-limits.ts';

export type ServeOptions = {
  /** Stays the caller's: it is not closed with the doors. */
  readonly kernel: Kernel;
  /** What acts for agents. Without it calls of capabilities and the like are refused as `unsupported`. Stays the caller's, too. */
  readonly platform?: Platform | undefined;
  readonly listen: readonly ListenAddress[];
  readonly version: string;
  readonly log?: Log | undefined;
  /** Gets a span for each call. Stays the caller's, too. */
  readonly tracing?: Tracing | undefined;
  /** Somebody with the right to has asked the daemon to stop. Closing is up to who listens to this. */
  readonly onStopAsked?: ((drainMs: number) => void) | undefined;
  /** Of every TCP address. Default: none, and what is sent can be read on the way. */
  readonly tls?: TlsOptions | undefined;
  /** By which browsers reach it besides its addresses, through a proxy perhaps: `https://warren.example.org`. */
  readonly origins?: readonly string[] | undefined;
  /** Addresses and networks of proxies whose word in `X-Forwarded-For` is believed. Default: nobody's. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Where the delays after wrong passphrases are kept over a restart. Default: they are not. */
  readonly delayFile?: string | undefined;
  readonly limits?: Partial<ServeLimits> | undefined;
  readonly mcp?: McpOptions | undefined;
};

export type TlsOptions =
  /** Read again when they change. */
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  /** Kept in this directory. */
  | { readonly kind: 'self-signed'; readonly directory: string };

export type McpOptions = {
  /** What callers see by MCP. Default: the capabilities of their processes. */
  readonly openHost?: OpenMcpHost | undefined;
  readonly limits?: Partial<McpLimits> | undefined;
  /** How long a call that a person has to approve is held before its caller is told to ask later. Default: as the platform is configured. */
  readonly approvalHoldMs?: number | undefined;
};

export interface Served extends AsyncDisposable {
  /** Where it listens, with the ports that were chosen: `unix:PATH`, `tcp:HOST:PORT`. */
  readonly addresses: readonly string[];
  /** SHA-256 of the certificate; undefined without TLS. */
  readonly fingerprint: string | undefined;
  readonly connections: number;
  /** Takes the certificate that stands in the files now. What cannot be used changes nothing, and is in the log and in an alert. */
  reload(): void;
  /** `drainMs`: how long to wait for what is under way. Twice is harmless; with less time it is sooner. */
  close(options?: { readonly drainMs?: number | undefined }): Promise<void>;
}
