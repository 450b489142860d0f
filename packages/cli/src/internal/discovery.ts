/** The file in which a daemon says where it is: written when it listens, removed when it ends. After a crash it names one that is gone. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Discovery = {
  readonly pid: number;
  /** Seconds since 1970. */
  readonly started_at: number;
  readonly version: string;
  /** `unix:PATH`, `tcp:HOST:PORT`. */
  readonly addresses: readonly string[];
};

const BYTES_MAX = 65_536;

export function discoveryPath(stateDirectory: string): string {
  return join(stateDirectory, 'daemon.json');
}

/** All of it or nothing: whoever reads meanwhile sees the old one. */
export function writeDiscovery(stateDirectory: string, discovery: Discovery): void {
  const path = discoveryPath(stateDirectory);
  const made = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(made, 'wx', 0o600);
    try {
      writeFileSync(file, `${JSON.stringify(discovery, undefined, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(made, path);
  } finally {
    rmSync(made, { force: true });
  }
}

/** Removes it, if it still is of this process. */
export function removeDiscovery(stateDirectory: string, pid: number): void {
  if (readDiscovery(stateDirectory)?.pid === pid) rmSync(discoveryPath(stateDirectory), { force: true });
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
