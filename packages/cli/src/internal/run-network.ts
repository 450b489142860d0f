/** What `run` needs of a network that is not of its own making; `daemon-network.ts` has it, which is loaded when somebody asks for secrets. */
import type { RelayedNetwork } from '@warren/sandbox';

export type SecretPlace = 'header' | 'query' | 'body';
export type RunSecret = { readonly name: string; readonly variable: string; readonly places: readonly SecretPlace[] };

export type DaemonNetworkRequest = {
  readonly socketPath: string;
  readonly workspace: string;
  readonly request: { readonly hosts: readonly string[]; readonly secrets: readonly RunSecret[] };
  /** The daemon is gone: nothing can be reached any more. */
  readonly onLost: () => void;
};

/** It ends when it is disposed of, and with this process. */
export interface DaemonNetwork extends Disposable {
  readonly network: RelayedNetwork;
  /** Placeholders by variable. */
  readonly env: Readonly<Record<string, string>>;
  /** Under which what it reaches is in the events of the workspace. */
  readonly pid: number;
}

/** Rejects with what the daemon answers, and `unavailable` when there is none. */
export type OpenDaemonNetwork = (request: DaemonNetworkRequest, signal: AbortSignal) => Promise<DaemonNetwork>;
