/** The file in which a daemon says where it is. After a crash it names one that is gone: it says where to ask, and the answer says who is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Discovery = {
  readonly pid: number;
  /** Seconds since 1970. */
  readonly started_at: number;
  readonly version: string;
  /** `unix:PATH`, `tcp:HOST:PORT`. */
  readonly addresses: readonly string[];
};

/** Of the daemon's unix socket, in its state directory. */
export const SOCKET_NAME = 'warren.sock';
const BYTES_MAX = 65_536;

export function discoveryPath(stateDirectory: string): string {
  return join(stateDirectory, 'daemon.json');
}

/** Undefined when there is none, or what is there is none. */
export function readDiscovery(stateDirectory: string): Discovery | undefined {
  try {
    const text = readFileSync(discoveryPath(stateDirectory), 'utf8');
    if (text.length > BYTES_MAX) return undefined;
    const { pid, started_at, version, addresses } = JSON.parse(text) as Partial<Record<keyof Discovery, unknown>>; // Checked here.
    if (typeof pid !== 'number' || typeof started_at !== 'number' || typeof version !== 'string' || !Array.isArray(addresses))
      return undefined;
    if (!Number.isSafeInteger(pid) || pid < 1 || !addresses.every((address) => typeof address === 'string')) return undefined;
    return { pid, started_at, version, addresses };
  } catch {
    return undefined; // No daemon wrote that.
  }
}

/** Where the daemon of a state directory listens or, when it does not say, where it would. */
export function socketPath(stateDirectory: string): string {
  const unix = readDiscovery(stateDirectory)?.addresses.find((address) => address.startsWith('unix:'));
  return unix?.slice('unix:'.length) ?? join(stateDirectory, SOCKET_NAME);
}
