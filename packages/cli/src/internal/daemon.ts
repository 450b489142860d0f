/** What `serve` runs, as it sees it. The real one is made in parts/daemon.ts, of the kernel and the gateway. */
import type { DaemonLog } from './daemon-log.ts';
import type { ListenAddress } from './listen-address.ts';
import type { WebOptions } from './web-options.ts';

export type DaemonRequest = {
  readonly stateDirectory: string;
  readonly listen: readonly ListenAddress[];
  readonly web: WebOptions;
  /** The state directory as it was given, for the next command to type. */
  readonly stateFlag: string | undefined;
  readonly recovery: 'resume' | 'suspend' | 'mark-dead' | undefined;
  readonly version: string;
  readonly log: DaemonLog;
  /** Says where traces go (OTEL_…). */
  readonly env: Readonly<Record<string, string | undefined>>;
};

export interface Daemon {
  /** Where it really listens, with the port that was chosen: `unix:PATH`, `tcp:HOST:PORT`. */
  readonly addresses: readonly string[];
  /** SHA-256 of its certificate; undefined without TLS. */
  readonly fingerprint: string | undefined;
  /** Resolves when somebody asked it, through itself, to stop; with how long to drain. */
  readonly stopRequested: Promise<{ readonly drainMs: number }>;
  /** Takes what may change while it runs as it stands on disk now: certificate, configuration, policies, packs. What cannot be used stays as it was, and is told. */
  reload(): Promise<void>;
  /** Answers what is under way, for a while, refuses more, and lets go of everything. Once more, with less time, is sooner. */
  stop(options?: { readonly drainMs?: number | undefined }): Promise<void>;
}

/** Throws what opening the store throws, and a fault for an address that cannot be had. */
export type StartDaemon = (request: DaemonRequest) => Promise<Daemon>;
