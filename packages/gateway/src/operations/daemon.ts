import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Kernel } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { toSeconds } from './time.ts';

/** What the daemon knows about itself. */
export interface Daemon {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly addresses: readonly string[];
  /** Of its certificate; undefined without TLS. */
  readonly fingerprint: string | undefined;
  readonly connections: number;
  readonly isDraining: boolean;
  /** Asks whoever runs it to end it. */
  stop(drainMs: number): void;
}

export function createDaemonHandlers(kernel: Kernel, daemon: Daemon): HandlersOf<'daemon.' | 'store.'> {
  return {
    async 'daemon.status'() {
      return {
        version: daemon.version,
        system_pid: process.pid,
        state: daemon.isDraining ? 'draining' : 'running',
        started_at: toSeconds(daemon.startedAt),
        uptime_s: process.uptime(),
        addresses: daemon.addresses,
        fingerprint: daemon.fingerprint ?? null,
        connections: daemon.connections,
        workspaces: (await kernel.workspaces.list()).length,
        schema_version: kernel.store.schemaVersion,
        store_bytes: await kernel.store.size(),
      };
    },

    async 'daemon.stop'({ drain_ms }) {
      daemon.stop(drain_ms);
      return { state: 'draining' };
    },

    async 'store.check'() {
      return { problems: await kernel.store.check() };
    },

    async 'store.backup'({ path }) {
      if (!isAbsolute(path) || path.includes('\0')) {
        throw new Fault('invalid_argument', 'Cannot back up: the path is not an absolute one', { details: { field: 'path' } });
      }
      await kernel.store.backup(path);
      return { path, bytes: (await stat(path)).size };
    },
  };
}
