/** Finds the daemon of a state directory and asks it how it is. */
import { type Client, connect, socketPath } from '@warren/client';
import { Fault, formatDuration, isFault } from '@warren/protocol';
import type { Result } from '@warren/protocol/contract';
import type { StateFlags, WorkspaceFlags } from '../program/state-options.ts';
import type { Host } from './host.ts';
import { ownerAdvice } from './owner-advice.ts';
import { openServerClient, serverOf } from './server-link.ts';
import { findHolder } from './state-holder.ts';
import { nextCommand, statePath } from './state-path.ts';

export type DaemonStatus = Result<'daemon.status'>;

export type DaemonLink = { readonly client: Client; readonly status: DaemonStatus };

/** A daemon that is busy answers later than that only if it hangs. */
export const ANSWER_MS_MAX = 5_000;

export type FindOptions = {
  /** Which workspace calls over the link are about. */
  readonly workspace?: string | undefined;
  readonly answerMs?: number | undefined;
};

/** Undefined when there is no daemon. Throws `busy` (it starts, ends, or hangs) and whatever it answers. The client is the caller's to close. */
export async function findDaemon(
  stateDirectory: string,
  { workspace, answerMs = ANSWER_MS_MAX }: FindOptions = {},
): Promise<DaemonLink | undefined> {
  // Somebody waits at a terminal and is told at once; and some calls take as long as they take.
  const client = connect({ socketPath: socketPath(stateDirectory), workspace, attemptsMax: 1, timeoutMs: 0 });
  try {
    return { client, status: await client.call('daemon.status', {}, { signal: AbortSignal.timeout(answerMs) }) };
  } catch (error) {
    await client.close();
    const isGone = isFault(error, 'unavailable');
    if (!isGone && !isFault(error, 'aborted')) throw error;
    const pid = findHolder(stateDirectory);
    if (isGone && pid === undefined) {
      if (REFUSALS.has(String(error.details?.['errno']))) throw refused(stateDirectory, error);
      return undefined;
    }
    const who = pid === undefined ? 'the daemon' : `process ${pid}`;
    const why = isGone ? `${who} has it open and does not listen` : `${who} does not answer within ${formatDuration(answerMs)}`;
    throw new Fault('busy', `Cannot ask the daemon of ${stateDirectory}: ${why}`, {
      cause: error,
      details: { pid, fix: 'if it starts or ends just now: try again in a moment' },
    });
  }
}

/** What a machine says to a user that may not use a socket. */
const REFUSALS: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

function refused(stateDirectory: string, error: Fault): Fault {
  const details = { ...error.details, fix: ownerAdvice(stateDirectory) };
  return new Fault(error.code, error.message, { details, cause: error });
}

/**
 * The daemon of a state directory, for what only it can do: `unavailable`, with the command that starts one; or the one at an address. The client is the caller's to
 * close.
 */
export async function openClient(flags: StateFlags, host: Host, action: string): Promise<Client> {
  const { state } = flags;
  const server = serverOf(flags, host);
  if (server !== undefined) return openServerClient(server, host, undefined, flags);
  const stateDirectory = statePath(host, state);
  const link = await findDaemon(stateDirectory);
  if (link === undefined) throw noDaemon(stateDirectory, action, nextCommand('serve --detach', { state }));
  return link.client;
}

/** The same, for calls about one workspace. */
export async function openWorkspaceClient(flags: WorkspaceFlags, host: Host, action: string): Promise<Client> {
  const { state, workspace } = flags;
  const server = serverOf(flags, host);
  if (server !== undefined) return openServerClient(server, host, workspace, flags);
  const stateDirectory = statePath(host, state);
  const link = await findDaemon(stateDirectory, { workspace });
  if (link === undefined) throw noDaemon(stateDirectory, action, nextCommand('serve --detach', { state }));
  return link.client;
}

/** For what needs a daemon: `unavailable`, with the command that starts one. */
export function noDaemon(stateDirectory: string, action: string, fix: string): Fault {
  return new Fault('unavailable', `Cannot ${action}: no daemon runs on ${stateDirectory}`, {
    details: { path: stateDirectory, is_sent: false, fix },
  });
}
