/** What `serve` is built on. The kernel and the gateway are loaded when a daemon starts, and not by who only starts one in the background. */
import type { ServeParts } from '../commands/serve.ts';
import { startDetached, tellReady } from '../internal/detach.ts';
import type { Host } from '../internal/host.ts';
import { openState } from './state.ts';

export function openServeParts(host: Host): ServeParts {
  return {
    openState: (flag) => openState(host, flag),
    startDaemon: async (request) => (await import('./daemon.ts')).startDaemon(request),
    startDetached,
    tellReady: (line) => tellReady(host.env, line),
    pid: process.pid,
  };
}
