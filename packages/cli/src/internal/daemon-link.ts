/** Finds the daemon of a state directory and asks it how it is. */
import { join } from 'node:path';
import { type Client, connect } from '@warren/client';
import { Fault, isFault } from '@warren/protocol';
import type { Result } from '@warren/protocol/contract';
import { readDiscovery } from './discovery.ts';
import { findHolder } from './state-holder.ts';

export type DaemonStatus = Result<'daemon.status'>;

export type DaemonLink = { readonly client: Client; readonly status: DaemonStatus };

export const SOCKET_NAME = 'warren.sock';
/** A daemon that is busy answers later than that only if it hangs. */
const ANSWER_MS_MAX = 5_000;

/** Where it listens or, when it does not say, where it would. */
export function socketPath(stateDirectory: string): string {
  const unix = readDiscovery(stateDirectory)?.addresses.find((address) => address.startsWith('unix:'));
  return unix?.slice('unix:'.length) ?? join(stateDirectory, SOCKET_NAME);
}

/** Undefined when there is no daemon. Throws `busy` (it starts, ends, or hangs) and whatever it answers. The client is the caller's to close. */
export async function findDaemon(stateDirectory: string, workspace?: string): Promise<DaemonLink | undefined> {
  const client = connect({ socketPath: socketPath(stateDirectory), ...(workspace !== undefined && { workspace }) });
  try {
    return { client, status: await client.call('daemon.status', {}, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }) };
  } catch (error) {
    await client.close();
    const isGone = isFault(error, 'unavailable');
    if (!isGone && !isFault(error, 'aborted')) throw error;
    const pid = findHolder(stateDirectory);
    if (isGone && pid === undefined) {
      if (error.details?.['errno'] === 'EACCES') throw error;
      return undefined;
    }
    const who = pid === undefined ? 'The daemon' : `Process ${pid}`;
    const state = isGone ? 'has it open and does not listen: it starts, or ends' : `does not answer within ${ANSWER_MS_MAX / 1_000} s`;
    throw new Fault('busy', `Cannot ask the daemon of ${stateDirectory}: ${who.toLowerCase()} ${state}`, {
      cause: error,
      details: { pid, fix: 'try again in a moment' },
    });
  }
}

/** As `findDaemon`, for what needs one. Throws `unavailable` with the command that starts it. */
export function noDaemon(stateDirectory: string, action: string, fix: string): Fault {
  return new Fault('unavailable', `Cannot ${action}: no daemon runs on ${stateDirectory}`, {
    details: { path: stateDirectory, is_sent: false, fix },
  });
}
