/** The way out of a run that uses secrets: through the daemon, which has them. */
import { socketPath } from '@warren/client';
import { findDaemon, noDaemon } from '../internal/daemon-link.ts';
import type { Host } from '../internal/host.ts';
import type { DaemonNetwork, DaemonNetworkRequest } from '../internal/run-network.ts';
import { requireHere } from '../internal/server-link.ts';
import { nextCommand, statePath } from '../internal/state-path.ts';
import type { RunFlags } from '../program.ts';

const ACTION = 'use a secret in this run';

/** Throws `unavailable`, with the command that starts a daemon, `unsupported` where one elsewhere is meant, and what the daemon answers. */
export async function openRunNetwork(
  { state, workspace = 'default' }: Pick<RunFlags, 'state' | 'workspace'>,
  host: Host,
  request: Pick<DaemonNetworkRequest, 'request' | 'onLost'>,
  signal: AbortSignal,
): Promise<DaemonNetwork> {
  const place = state === undefined ? {} : { state };
  requireHere(place, host, ACTION);
  const directory = statePath(host, state);
  const link = await findDaemon(directory, { workspace });
  if (link === undefined) throw noDaemon(directory, ACTION, nextCommand('serve --detach', place));
  await link.client.close();
  const { openDaemonNetwork } = await import('../internal/daemon-network.ts');
  return await openDaemonNetwork({ ...request, socketPath: socketPath(directory), workspace }, signal);
}
